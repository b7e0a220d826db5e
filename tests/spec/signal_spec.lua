-- signal_spec: a signal ends the wait of a main chunk. In a process of its own, because a second
-- signal ends a process at once.
local SCRIPT = [[
local wampy = require "wampy"
local pid = io.open("/proc/self/stat"):read("n")
wampy.after(0, function() os.execute("kill -TERM " .. pid) end)
local ok, e = pcall(%s, 20)
print(ok, wampy.is_error(e, wampy.errors.Canceled))
]]

-- What the script prints, run by the program that runs this spec.
local function output(wait)
  local name = os.tmpname()
  local file <close> = io.open(name, "w")
  file:write(SCRIPT:format(wait)):close()
  local pipe <close> = io.popen("$(readlink /proc/$PPID/exe) " .. name)
  local text = pipe:read("a")
  os.remove(name)
  return text
end

describe("a signal while a main chunk waits", function()
  it("cancels a sleep", function()
    assert.equal("false\ttrue\n", output("wampy.sleep"))
  end)

  it("cancels the wait for an event", function()
    assert.equal("false\ttrue\n", output("wampy.event().wait, wampy.event()"))
  end)
end)
