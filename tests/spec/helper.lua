-- helper.lua: what busted does around every spec (.busted names this file).
--
-- After each test nothing may be left: no started client, no task. And no test may take longer
-- than TEST_TIMEOUT seconds: then the run ends, saying which one it was.
local core = require "wampy.core"
local tasks = require "wampy.tasks"

local LIMIT = tonumber(os.getenv("TEST_TIMEOUT")) or 30
local busted = require "busted"

local current, watchdog = "?", nil

busted.subscribe({ "test", "start" }, function(element)
  current = element.name
  return nil, true
end)

busted.before_each(function()
  watchdog = tasks.after(LIMIT, function()
    io.stderr:write(("%s: still running after %g s\n"):format(current, LIMIT))
    os.exit(1)
  end)
end)

busted.after_each(function()
  watchdog:stop()
  local limit = core.now() + 2
  while core.tasks() > 0 and core.now() < limit do core.turn(0.01) end
  local client = next(tasks.started)
  local left = client and ("client " .. tostring(client.name)) or core.tasks() > 0
    and ("%d task(s)"):format(core.tasks())
  if left then
    tasks.stop_all()
    core.cancel_all()
    error(("left behind after \"%s\": %s"):format(current, left), 0)
  end
end)
