-- Starts a client of its own: nothing is connected, and what comes after is not run.
local wampy = require "wampy"
local App = wampy.Client:extend("Starts")

App.add = wampy.callee "com add" (function(self) return self end) -- finds: invalid URI "com add"
App.sum = wampy.callee(function(self) return self end)

local client = App { url = "ws://nowhere.invalid" }:start()
client:register("com.live", print)
client:register("com live", print) -- finds: register: invalid URI "com live"
error("not reached")
