-- Procedures that are declared twice.
local wampy = require "wampy"

local One = wampy.Client:extend("One")
One.a = wampy.callee "com.same" (function(self) return self end)
One.b = wampy.callee "com.same" (function(self) return self end) -- finds: procedure "com.same" is declared twice
One.c = wampy.callee "com.shared" (function(self) return self end)
One.d = wampy.callee { "com.pool", invoke = "roundrobin" } (function(self) return self end)

local Two = wampy.Client:extend("Two")
Two.c = wampy.callee "com.shared" (function(self) return self end) -- finds: procedure "com.shared" is declared by One, too
Two.d = wampy.callee { "com.pool", invoke = "roundrobin" } (function(self) return self end)

return { One, Two }
