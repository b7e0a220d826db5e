-- helper.lua: what busted does around every spec (.busted names this file).
--
-- After each test nothing may be left: no started client, no task. And no test may take longer
-- than TEST_TIMEOUT seconds: then the run ends, saying which one it was.
local core = require "wampy.core"
local tasks = require "wampy.tasks"

local LIMIT = tonumber(os.getenv("TEST_TIMEOUT")) or 30
local busted = require "busted"

local watchdog, last, last_parent

-- What is still there after a moment for handlers to finish; nil when nothing is.
local function left_behind()
  local limit = core.now() + 2
  while core.tasks() > 0 and core.now() < limit do core.turn(0.01) end
  local client = next(tasks.started)
  if client then return "client " .. tostring(client.name) end
  if core.tasks() > 0 then return ("%d task(s)"):format(core.tasks()) end
end

-- after_each blocks run behind "test end", so a test is judged when the next one, or its file, is
-- through.
local function judge()
  local left = last and left_behind()
  if left then
    tasks.stop_all()
    core.cancel_all()
    busted.publish({ "error", "it" }, last, last_parent, "left behind after the test: " .. left, {})
  end
  last = nil
end

busted.subscribe({ "test", "start" }, function(element, parent)
  judge()
  last, last_parent = element, parent
  watchdog = tasks.after(LIMIT, function()
    io.stderr:write(("%s: still running after %g s\n"):format(element.name, LIMIT))
    os.exit(1)
  end)
  return nil, true
end)

busted.subscribe({ "test", "end" }, function()
  watchdog:stop()
  return nil, true
end)

busted.subscribe({ "file", "end" }, function()
  judge()
  return nil, true
end)
