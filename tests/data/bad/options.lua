-- Options that there are not, or with a wrong value.
local wampy = require "wampy"

local App = wampy.Client:extend("Options")

App.defaults = { relam = "realm1" } -- finds in the whole: unknown field "relam"

App.a = wampy.callee { "com.a", invoke = "roundrobbin" } (function(self) return self end) -- finds: option invoke must be one of
App.b = wampy.callee { "com.b", concurency = 4 } (function(self) return self end) -- finds: unknown option "concurency"
App.c = wampy.subscriber { match = "prefix" } (function(self) return self end) -- finds: subscriber: needs a topic
App.d = wampy.timer { every = 5 } (function(self) return self end) -- finds: timer: expected { interval = seconds > 0 }
App.e = wampy.callee { "com.e", concurrency = "4" } (function(self) return self end) -- finds: option concurrency must be a number

return App
