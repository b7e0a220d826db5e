-- A service whose point is its spec, hello_service_spec.lua.
local wampy = require "wampy"

local HelloService = wampy.Client:extend("HelloService")

HelloService.say_hello = wampy.callee(function(self, name)
  local message = ("Hello %s"):format(name)
  return message
end)

return HelloService
