-- service.lua - `wampy-lua run` as a service: what a service manager hears of it (sd_notify(3)),
-- and what USR1 writes into the log.
--
-- Where no manager listens, and in a worker, for which its parent speaks, telling does nothing.

local core = require "wampy.core"
local tasks = require "wampy.tasks"

local service = {}

local begun = false -- READY=1 has been said
local said          -- the last STATUS

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

-- "2 of 2 joined; 5 procedures, 1 topics"
local function status()
  local joined, procedures, topics = 0, 0, 0
  local clients = tasks.clients()
  for _, client in ipairs(clients) do
    joined = joined + (client.connected and 1 or 0)
    procedures = procedures + count(client.registration_map)
    topics = topics + count(client.subscription_map)
  end
  return ("%d of %d joined; %d procedures, %d topics"):format(joined, #clients, procedures, topics)
end

local function tell_status()
  local now = status()
  if now ~= said then core.notify("STATUS=" .. now) end
  said = now
end

-- It is the loop that says that it goes round.
local function watchdog(interval)
  while true do
    core.notify("WATCHDOG=1")
    core.sleep(interval)
  end
end

local function stopping()
  tasks.link_changed = function() end
  core.notify("STOPPING=1")
end

--- Everything is started.
function service.begin()
  begun = true
  service.ready()
  tasks.link_changed, tasks.ending = tell_status, stopping
  local interval = core.notify_interval()
  if interval > 0 then tasks.spawn(watchdog, interval) end
end

--- A reload begins.
function service.reloading()
  if begun then core.notify_reloading() end
end

--- A reload has come to its end.
function service.ready()
  if not begun then return end
  said = status()
  core.notify("READY=1\nSTATUS=" .. said)
end

-- ---- USR1 ---------------------------------------------------------------------------------------

local MAX_TASKS = 100 -- in one dump

local function info(fmt, ...)
  core.log("info", fmt:format(...))
end

local function dump_client(client)
  local requests, _, queued = client._core:stats()
  local calls, events = client._core:serving()
  info("%s: %s, realm %s; %d registered, %d subscribed; %d handlers of calls and %d of events run; "
    .. "%d requests under way, %d bytes queued", client.name,
    client.connected and "session " .. client.session.id or "not joined", client.realm,
    count(client.registration_map), count(client.subscription_map), calls, events, requests, queued)
end

-- The frames that say something, innermost first.
-- "" for a task of the host's own.
local function frames(trace)
  local list = {}
  for frame in trace:gmatch("\n(\t[^\n]+)") do
    if not frame:find("^\t%[C%]") and not frame:find("^\t[^:]*wampy/[%w_]+%.lua:") then
      list[#list + 1] = frame
    end
  end
  return table.concat(list, "\n")
end

local function dump_tasks()
  local list = core.task_list()
  local shown = {}
  for _, task in ipairs(list) do
    local text = frames(task.trace)
    if text ~= "" then
      shown[#shown + 1] = ("a task %s\n%s"):format(task.waits and "waits" or "is ready", text)
    end
  end
  info("%d tasks, %d of them the app's", #list, #shown)
  for i = 1, math.min(#shown, MAX_TASKS) do core.log("info", shown[i]) end
  if #shown > MAX_TASKS then info("%d more", #shown - MAX_TASKS) end
end

--- Writes sessions, queues, and tasks with their tracebacks into the log.
function service.dump()
  for _, client in ipairs(tasks.clients()) do dump_client(client) end
  if service.router then service.router:dump() end
  dump_tasks()
end

return service
