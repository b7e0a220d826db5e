-- The smallest service there is: get_foo() -> "foo".
local wampy = require "wampy"

local FooService = wampy.Client:extend("FooService")

FooService.get_foo = wampy.callee(function(_)
  return "foo"
end)

return FooService
