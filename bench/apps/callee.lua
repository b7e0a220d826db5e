-- The app under test as callee: answers with its argument.
local wampy = require "wampy"

local Callee = wampy.Client:extend("Callee")

Callee.bench_echo = wampy.callee(function(_, text) return text end)

return Callee
