-- Names that nobody has defined.
local wampy = require "wampy"

local App = wampy.Client:extend("Globals")

App.add = wampy.callee(function(self, a, b)
  count = (self.count or 0) + 1 -- finds: non-standard global variable 'count'
  return a + c, b -- finds: undefined variable 'c'
end)

App.upper = wampy.callee(function(_, text)
  return string.uper(text) -- finds: undefined field 'uper' of global 'string'
end)

return App
