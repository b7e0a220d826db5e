"""apps.py: the Lua apps that the tests share, as text."""

HELLO = """
local wampy = require "wampy"
local Hello = wampy.Client:extend("Hello")
Hello.say_hello = wampy.callee(function(_, name) return "Hello " .. name end)
Hello.heard = wampy.subscriber { topic = "com.example.news" } (function(_, text) print("heard " .. text) end)
return Hello
"""

# A table of classes, each with a procedure get_NAME that answers NAME.
def classes(*names):
    lines = ['local wampy = require "wampy"', "local all = {}"]
    for name in names:
        lines.append('all.%s = wampy.Client:extend("%s")' % (name, name))
        lines.append('all.%s.get_%s = wampy.callee(function() return "%s" end)'
                     % (name, name.lower(), name))
    return "\n".join(lines + ["return all"])


CALLER = """
local wampy = require "wampy"
local Caller = wampy.Client:extend("Caller")
function Caller:on_join()
  local ok, e = pcall(self.call, self, "com.example.slow")
  print("call", ok, wampy.is_error(e) and e.name or e)
end
return Caller
"""

SLOW = """
local wampy = require "wampy"
local Slow = wampy.Client:extend("Slow")
Slow.spin = wampy.callee(function() while true do end end)
return Slow
"""
