-- A service with one procedure: say_hello(name).
local wampy = require "wampy"

local HelloService = wampy.Client:extend("HelloService")

HelloService.say_hello = wampy.callee(function(self, name)
  return ("Hello %s"):format(name or "stranger")
end)

return HelloService
