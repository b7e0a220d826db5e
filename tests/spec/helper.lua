-- helper.lua: what busted does around every spec (.busted names this file).
--
-- A test may leave nothing behind: no started client, no task. And none may take longer than
-- TEST_TIMEOUT seconds: then the run ends, saying which one it was.
--
-- busted runs before_each before "test start" and after_each after "test end". So the clients of a
-- test are noted at its end and looked for at the start of the next one, or at the file's end.
local core = require "wampy.core"
local tasks = require "wampy.tasks"
local busted = require "busted"

local LIMIT = tonumber(os.getenv("TEST_TIMEOUT")) or 30

local watchdog, last, last_parent
local noted = {} -- clients that were started when the last test ended

local function complain(what)
  busted.publish({ "error", "it" }, last, last_parent, "left behind after the test: " .. what, {})
end

local function judge_clients()
  for client in pairs(noted) do
    if tasks.started[client] then
      client:stop()
      complain("client " .. client.name)
    end
  end
  noted = {}
end

local function judge_tasks()
  local limit = core.now() + 2
  while core.tasks() > 0 and core.now() < limit do core.turn(0.01) end
  if core.tasks() > 0 then
    core.cancel_all()
    complain(("%d task(s)"):format(core.tasks()))
  end
end

busted.subscribe({ "test", "start" }, function(element, parent)
  judge_clients()
  last, last_parent = element, parent
  watchdog = tasks.after(LIMIT, function()
    io.stderr:write(("%s: still running after %g s\n"):format(element.name, LIMIT))
    os.exit(1)
  end)
  return nil, true
end)

busted.subscribe({ "test", "end" }, function()
  watchdog:stop()
  for client in pairs(tasks.started) do noted[client] = true end
  return nil, true
end)

busted.subscribe({ "file", "end" }, function()
  if last then
    judge_clients()
    judge_tasks()
  end
  last = nil
  return nil, true
end)
