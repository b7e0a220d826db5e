-- Handlers that would not get what they expect, and a role with a taken name.
local wampy = require "wampy"

local App = wampy.Client:extend("Handlers")

App.add = wampy.callee(function(a, b) return a + b end) -- finds: its first parameter must be self, not a
App.call = wampy.callee "com.x" (function(self) return self end) -- finds: a role cannot be named "call"
App.none = wampy.callee "com.y" (nil) -- finds: callee: expected a function, got nil

return App
