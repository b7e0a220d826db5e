-- tasks.lua - tasks and time for apps: spawn, sleep, timers, locks, and running until the end.
--
-- All of it stands on a few primitives of the core: spawn, park, wake, cancel. Who may wait, and
-- what happens where nobody may, is one rule of the core (docs/BLOCKING.md). Times are seconds.

local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local trial = require "wampy.trial"

local tasks = {}

-- Clients that are started; they live until they are stopped.
local started = {}
tasks.started = started

-- ---- waiting lists ------------------------------------------------------------------------

local function wake_one(list)
  local first = table.remove(list, 1)
  if first then core.wake(first[1]) end
end

-- Parks the caller in `list` until he is woken, or until `timeout` seconds are over (false).
-- One who was woken, but is canceled before he runs, passes that on.
local function wait_in(list, timeout)
  local me = { core.current() }
  list[#list + 1] = me
  local woken <close> = setmetatable({}, { __close = function(_, canceled)
    for i = #list, 1, -1 do
      if list[i] == me then
        table.remove(list, i)
        return
      end
    end
    if canceled then wake_one(list) end
  end })
  return core.park(timeout), woken
end

local function wake_all(list)
  while list[1] do wake_one(list) end
end

-- ---- Task ---------------------------------------------------------------------------------

-- A function that runs by itself, as spawn has started it.
-- @object wampy.Task
-- @tfield boolean done whether it has ended
local Task = { __name = "wampy.Task" }
Task.__index = Task

-- Raises, where the caller of our caller stands, when what should be called is no function.
local function must_call(what, fn)
  local mt = debug.getmetatable(fn)
  if type(fn) ~= "function" and not (mt and mt.__call) then
    error(("%s: expected a function, got %s"):format(what, type(fn)), 3)
  end
end

--- Runs a function in a task of its own, from the loop.
-- @param fn function
-- @param ... its arguments
-- @return Task
function tasks.spawn(fn, ...)
  trial.forbid("starts tasks")
  must_call("spawn", fn)
  local task = setmetatable({ done = false, waiters = {} }, Task)
  task.handle = core.spawn(function(...)
    local trace
    local r = table.pack(xpcall(fn, function(e)
      trace = errors.trace(e)
      return e
    end, ...))
    task.done, task.results = true, r
    if not r[1] and #task.waiters == 0 and not errors.is_error(r[2], errors.Canceled) then
      codes.log("in a spawned task: " .. errors.told(r[2], trace), "W900")
    end
    wake_all(task.waiters)
  end, ...)
  return task
end

--- Waits for the end of the task.
-- @param timeout seconds; for ever when nil
-- @return what its function returned; raises its error, or TimeoutError
function Task:wait(timeout)
  local limit = timeout and core.now() + timeout
  while not self.done do
    if not wait_in(self.waiters, limit and math.max(0, limit - core.now())) and not self.done then
      errors.raise("TimeoutError", "the task has not ended in time")
    end
  end
  if not self.results[1] then error(self.results[2], 0) end
  return table.unpack(self.results, 2, self.results.n)
end

--- Cancels the task: its wait, this or the next, raises Canceled, and its <close> variables run.
function Task:cancel()
  core.cancel(self.handle)
end

-- ---- time ---------------------------------------------------------------------------------

--- Waits; other tasks go on.
-- @param seconds 0 lets others run
function tasks.sleep(seconds)
  core.sleep(seconds)
end

--- Seconds on a monotonic clock.
-- @return number
function tasks.now()
  return core.now()
end

-- What after and every return.
-- @object wampy.Timer
local Timer = { __name = "wampy.Timer" }
Timer.__index = Timer

--- Stops the timer: its function is not called any more.
function Timer:stop()
  self.stopped = true
  if self.task then self.task:cancel() end
end

--- As stop, but a call that runs already goes on to its end.
function Timer:finish()
  self.stopped = true
  if self.task and not self.calling then self.task:cancel() end
end

local function call_timer(timer, fn)
  timer.calling = true
  local ok, text = xpcall(fn, function(e) return errors.told(e, errors.trace(e)) end)
  timer.calling = false
  if not ok and not timer.stopped then codes.log("in a timer: " .. text, "W902") end
end

--- Calls a function once, later.
-- @param seconds from now
-- @param fn function, run in a task
-- @return Timer
function tasks.after(seconds, fn)
  if type(seconds) ~= "number" then
    error("after: expected seconds, got " .. type(seconds), 2)
  end
  must_call("after", fn)
  local timer = setmetatable({ stopped = false }, Timer)
  timer.task = tasks.spawn(function()
    core.sleep(seconds)
    timer.task = nil
    if not timer.stopped then call_timer(timer, fn) end
  end)
  return timer
end

--- Calls a function again and again; a call that takes longer than the interval delays the next.
-- @param seconds interval, > 0; the first call comes after one interval
-- @param fn function, run in a task
-- @return Timer
function tasks.every(seconds, fn)
  if type(seconds) ~= "number" or seconds <= 0 then
    error("every: expected an interval > 0, got " .. tostring(seconds), 2)
  end
  must_call("every", fn)
  local timer = setmetatable({ stopped = false }, Timer)
  timer.task = tasks.spawn(function()
    local due = core.now()
    while not timer.stopped do
      due = math.max(due + seconds, core.now())
      core.sleep(due - core.now())
      if not timer.stopped then call_timer(timer, fn) end
    end
  end)
  return timer
end

-- ---- order --------------------------------------------------------------------------------

-- A lock for tasks.
-- @object wampy.Mutex
local Mutex = { __name = "wampy.mutex" }
Mutex.__index = Mutex

--- A lock for tasks: `local _ <close> = mutex:lock()`, or lock and unlock.
-- @return Mutex
function tasks.mutex()
  return setmetatable({ waiters = {} }, Mutex)
end

--- Waits until the lock is free, and takes it.
-- @return a value whose __close unlocks
function Mutex:lock()
  while self.locked do wait_in(self.waiters) end
  self.locked = true
  return setmetatable({}, { __close = function() self:unlock() end })
end

--- Frees the lock; harmless when it is free.
function Mutex:unlock()
  self.locked = false
  wake_one(self.waiters)
end

-- A queue between tasks.
-- @object wampy.Queue
local Queue = { __name = "wampy.queue" }
Queue.__index = Queue

--- A queue between tasks.
-- @param n how many values fit; put waits when it is full. No limit when nil
-- @return Queue
function tasks.queue(n)
  return setmetatable({ limit = n or math.huge, first = 1, last = 0, getters = {}, putters = {} },
    Queue)
end

function Queue:__len()
  return self.last - self.first + 1
end

--- Adds a value (not nil), waiting for room.
function Queue:put(value)
  if value == nil then error("queue: nil cannot be put", 2) end
  while #self >= self.limit do wait_in(self.putters) end
  self.last = self.last + 1
  self[self.last] = value
  wake_one(self.getters)
end

--- Takes the oldest value, waiting for one.
-- @param timeout seconds; for ever when nil
-- @return the value; nil, "timeout" when none came in time
function Queue:get(timeout)
  local limit = timeout and core.now() + timeout
  while #self == 0 do
    if not wait_in(self.getters, limit and math.max(0, limit - core.now())) and #self == 0 then
      return nil, "timeout"
    end
  end
  local value = self[self.first]
  self[self.first] = nil
  self.first = self.first + 1
  wake_one(self.putters)
  return value
end

-- A flag that tasks wait for.
-- @object wampy.Event
local Event = { __name = "wampy.event" }
Event.__index = Event

--- A flag that tasks wait for.
-- @return Event
function tasks.event()
  return setmetatable({ waiters = {}, is_set = false }, Event)
end

--- Sets the flag and wakes everybody who waits.
function Event:set()
  self.is_set = true
  wake_all(self.waiters)
end

--- Clears the flag.
function Event:clear()
  self.is_set = false
end

--- Waits until the flag is set.
-- @param timeout seconds; for ever when nil
-- @return true, or false when it was not set in time
function Event:wait(timeout)
  local limit = timeout and core.now() + timeout
  while not self.is_set do
    if not wait_in(self.waiters, limit and math.max(0, limit - core.now())) and not self.is_set then
      return false
    end
  end
  return true
end

--- Waits for several futures or tasks.
-- @param ... futures or tasks
-- @return the first result of each, in order; raises the first error in that order
function tasks.gather(...)
  local n = select("#", ...)
  local results = {}
  for i = 1, n do
    results[i] = (select(i, ...)):wait()
  end
  return table.unpack(results, 1, n)
end

--- Waits until a descriptor can be read.
-- @param fd number
-- @param timeout seconds; for ever when nil
-- @return true, or false when it could not in time
function tasks.readable(fd, timeout)
  return core.readable(fd, timeout)
end

--- Waits until a descriptor can be written. See readable.
-- @return true, or false when it could not in time
function tasks.writable(fd, timeout)
  return core.writable(fd, timeout)
end

--- Sends a progressive result of the call that this task's handler works on, waiting while the
-- link's own queue is full.
-- @param ... values, and a kwargs{} at the end
-- @return true, or false where the caller asked for none
tasks.progress = core.progress

-- ---- coroutines whose waits pass through ----------------------------------------------------

--- A coroutine in which the app's own yields work as ever and waits of the API pass on to the task.
-- Resume it with the function that wampy.wrap returns, or with resume of what this returns.
-- @param fn function
-- @return thread
function tasks.create(fn)
  local co = coroutine.create(fn)
  core.pass(co)
  return co
end

local function step(co, ok, ...)
  if ok and ... == core.token and coroutine.status(co) == "suspended" then
    coroutine.yield(core.token)
    return step(co, coroutine.resume(co))
  end
  return ok, ...
end

local function unwrap(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

--- As coroutine.wrap, for a coroutine whose waits pass through.
-- @return function that resumes it
function tasks.wrap(fn)
  local co = tasks.create(fn)
  return function(...)
    return unwrap(step(co, coroutine.resume(co, ...)))
  end
end

-- ---- who watches ------------------------------------------------------------------------------

--- Called when a client has joined or its session has ended. Who wants to know puts his own here.
function tasks.link_changed() end

--- Called when run has clients to wait for; likewise.
function tasks.running() end

--- Called when run begins to stop all clients; likewise.
function tasks.ending() end

-- ---- running ------------------------------------------------------------------------------

local stopping -- set by stop: { code = n }
local failure  -- the error of a client whose link is lost for good

--- Notes that a client has ended for good with an error: wampy.run raises it.
function tasks.lost(e, client)
  failure = failure or { error = e, client = client }
end

--- Notes that a client was started again after its link was lost: there is nothing to raise.
-- @param client any of them when nil
function tasks.regained(client)
  if failure and (not client or failure.client == client) then failure = nil end
end

--- Stops every started client, each with its GOODBYE. Never raises.
function tasks.stop_all()
  for _, client in ipairs(tasks.clients()) do
    local ok, e = pcall(client.stop, client)
    if not ok then core.log("debug", "while stopping: " .. tostring(e)) end
    started[client] = nil
  end
end

--- The started clients, in the order in which they were started.
function tasks.clients()
  local list = {}
  for client in pairs(started) do list[#list + 1] = client end
  table.sort(list, function(a, b) return started[a] < started[b] end)
  return list
end

--- Lets wampy.run return.
-- @param code exit code of `wampy-lua run`, default 0
function tasks.stop(code)
  stopping = { code = code or 0 }
end

--- Runs the loop until all clients have stopped, stop was called, or INT or TERM came (then all
-- clients are stopped).
-- @return exit code given to stop, or 0; raises ConnectionError when a link is lost for good
function tasks.run()
  trial.forbid("runs the loop")
  if core.wait_mode() ~= "pump" then error("run: only from the main chunk", 2) end
  core.watch_signals(true)
  local seen = core.signals()
  if next(started) then tasks.running() end
  while next(started) and not stopping and not failure and core.signals() == seen do
    core.turn()
  end
  core.clear_signals()
  tasks.ending()
  tasks.stop_all()
  core.watch_signals(false)
  local code, e = stopping and stopping.code or 0, failure and failure.error
  stopping, failure = nil, nil
  if e then error(e, 0) end
  return code
end

--- Starts a client, calls a function with it, and stops it whatever happens.
-- @param client a Client
-- @param fn function(client)
-- @return what fn returns; raises what it raises
function tasks.with(client, fn)
  local c <close> = client:start()
  return fn(c)
end

-- ---- the end ------------------------------------------------------------------------------

local GRACE = 5 -- seconds that tasks get at the end, to run their <close> variables

--- Cancels the tasks that still wait, and gives their <close> variables some seconds.
-- @param seconds
function tasks.wind_down(seconds)
  local limit = core.now() + seconds
  core.turn(0) -- what was spawned and never ran yet can be cancelled only when it waits
  core.cancel_all()
  while core.tasks() > 0 and core.now() < limit and core.signals() < 2 do core.turn(0.05) end
end

--- Ends everything: winds the tasks down, and stops every client. Never raises.
function tasks.finish()
  if core.wait_mode() ~= "pump" then return end -- nothing can be waited for any more
  tasks.wind_down(GRACE)
  tasks.stop_all()
end

--- For os.exit: ends everything from the main chunk; elsewhere nothing but clients can be ended.
function tasks.leave()
  tasks.finish()
  tasks.stop_all()
end

-- When the universe closes, finalizers run in the reverse order of being set. The one that ends
-- everything must come before those of what it ends, so there is a new one for each of them.
local guard
local guard_mt = { __gc = function(self)
  if self == guard then pcall(tasks.finish) end
end }

--- Notes that there is something anew that wants ending when the universe closes.
function tasks.guard()
  guard = setmetatable({}, guard_mt)
end

tasks.guard()

return tasks
