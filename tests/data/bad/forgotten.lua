-- Decorators without their function.
local wampy = require "wampy"

local App = wampy.Client:extend("Forgotten")

App.add = wampy.callee "com.add" -- finds: Forgotten.add has no function: write callee "com.add" (function(self
App.sub = wampy.callee("com.sub", function(self) return self end) -- finds: callee: expected one argument, got 2
App.hear = wampy.subscriber "com.news" -- finds: Forgotten.hear has no function: write subscriber "com.news"
App.tick = wampy.timer { interval = 1 } -- finds: Forgotten.tick has no function: write timer { ... }

return App
