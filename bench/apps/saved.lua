-- saved.lua - an app whose file is saved again and again, with another number in it.
local wampy = require "wampy"

local App = wampy.Client:extend("App")

App.version = wampy.callee "version" (function(_) return 0 end)

return App
