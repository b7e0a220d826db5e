-- process.lua - child processes: exec, which runs a command to its end, and spawn, which gives a
-- handle (lua-api: Tasks and time).
--
-- What waits here waits for one child; everything else goes on. A child is in a process group of
-- its own and gets TERM when the host dies. How a child is made is known to src/net/child.c alone.

local check = require "wampy.check"
local core = require "wampy.core"
local errors = require "wampy.errors"
local lines = require "wampy.lines"
local trial = require "wampy.trial"

local process = {
  MAX_OUTPUT = 16 * 1024 * 1024, -- bytes of stdout, and of stderr, that exec keeps: room for a file
  MAX_LINE = 64 * 1024,          -- bytes after which `lines` cuts a line
  GRACE = 5,                     -- seconds between TERM and KILL
}

-- A child process.
-- @object wampy.Process
-- @tfield integer pid
-- @tfield string[] command
-- @tfield integer? code once it is known to have ended
local Process = { __name = "wampy.Process" }
Process.__index = Process
process.Process = Process

-- ---- starting -------------------------------------------------------------------------------

local common = { true, cwd = "string", env = "table" }
local spawn_rules = {
  stdin = check.one_of("pipe", "null", "inherit"), kill_group = "boolean",
  stdout = check.one_of("pipe", "null", "inherit"),
  stderr = check.one_of("pipe", "null", "inherit", "stdout"),
}
local exec_rules = { stdin = "string", timeout = check.seconds }
for name, rule in pairs(common) do spawn_rules[name], exec_rules[name] = rule, rule end

local function bad(what, fmt, ...)
  errors.raise("WampyError", ("%s: %s"):format(what, fmt:format(...)))
end

local function word(what, name, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    bad(what, "%s: expected a string, got %s", name, type(value))
  end
  value = tostring(value)
  if value:find("\0", 1, true) then bad(what, "%s has a NUL byte", name) end
  return value
end

local function command_of(what, t)
  if t[1] == nil then bad(what, "no command was given: { \"cmd\", \"arg\", ... }") end
  local argv = {}
  for i = 1, #t do
    argv[i] = word(what, i == 1 and "the command" or ("argument %d"):format(i - 1), t[i])
  end
  return argv
end

-- Our environment with the given changes; false takes a name out.
local function environment(what, changes)
  local list = {}
  for _, entry in ipairs(core.environ()) do
    if changes[entry:match("^[^=]*")] == nil then list[#list + 1] = entry end
  end
  for name, value in pairs(changes) do
    if type(name) ~= "string" or not name:find("^[^=%z]+$") then
      bad(what, "field env: %q is no name of a variable", tostring(name))
    end
    if value then list[#list + 1] = name .. "=" .. word(what, "field env." .. name, value) end
  end
  return list
end

local function start(what, t, streams)
  local argv = command_of(what, t)
  if t.cwd then word(what, "field cwd", t.cwd) end
  streams.cwd, streams.env = t.cwd, t.env and environment(what, t.env)
  trial.forbid("starts processes")
  local child = core.process(argv, streams)
  return setmetatable({ command = argv[1], pid = child:pid(), _core = child }, Process)
end

--- Starts a command.
-- @param t { "cmd", "arg", ...; cwd = directory; env = { NAME = "value", or false to take it out },
-- added to ours; stdin = "null" (default), "pipe" or "inherit"; stdout and stderr = "pipe"
-- (default), "null" or "inherit", stderr also "stdout"; kill_group = true: what it leaves of its
-- process group is killed when it has ended }
-- @return Process with `pid`, `command`, and `code` once it is known to have ended; raises
-- WampyError when the command cannot be run
function process.spawn(t)
  check.fields("spawn", t, spawn_rules)
  local self = start("spawn", t, {
    stdin = t.stdin or "null", stdout = t.stdout or "pipe", stderr = t.stderr or "pipe",
  })
  self._kill_group = t.kill_group
  return self
end

-- ---- Process --------------------------------------------------------------------------------

local function ended(self)
  if not self.code then self.code = self._core:reap(self._kill_group) end
  return self.code ~= nil
end

local function left(limit)
  return limit and math.max(0, limit - core.now())
end

local function too_late(self, what, timeout)
  errors.raise("TimeoutError", ("%s: %q has not ended in %g s"):format(what, self.command, timeout))
end

-- Waits for the end until `limit`: whether it came.
local function await_end(self, limit)
  while not ended(self) do
    if not self._core:poll(left(limit), "exit") then return ended(self) end
  end
  return true
end

--- Whether it runs.
-- @return boolean
function Process:alive()
  return not ended(self)
end

--- Waits for its end, for a time.
-- @param timeout seconds
-- @return exit code as wait, or nil when it has not ended in time
function Process:try_wait(timeout)
  await_end(self, core.now() + timeout)
  return self.code
end

--- Waits for its end.
-- @param timeout seconds; for ever when nil
-- @return exit code, 128 + the number of the signal that ended it, or -1 when something else in
-- this process took the code; raises TimeoutError
function Process:wait(timeout)
  if not await_end(self, timeout and core.now() + timeout) then too_late(self, "wait", timeout) end
  return self.code
end

--- Sends it a signal, if it runs.
-- @param signal "TERM" (default), "KILL", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT", or
-- a number
function Process:kill(signal)
  if not ended(self) then self._core:kill(signal) end
end

--- Ends it: TERM, and KILL for it and its process group when it takes too long, or when the waiting
-- is canceled.
-- @param grace seconds between the two, default process.GRACE
-- @return exit code, as wait
function Process:stop(grace)
  self._kill_group = true
  if ended(self) then return self.code end
  self._core:kill("TERM")
  local ok, done = pcall(await_end, self, core.now() + (grace or process.GRACE))
  if not (ok and done) then self._core:close() end
  ended(self)
  if not ok then error(done, 0) end
  return self.code
end

-- Where nothing can wait it is killed at once.
function Process:__close()
  pcall(self.stop, self)
  self._core:close()
end

--- Reads what comes next of its output.
-- @param timeout seconds; for ever when nil
-- @param stream "stdout" (default) or "stderr"
-- @return text as it came; nil when it has closed the stream or has ended; raises TimeoutError
function Process:read(timeout, stream)
  stream = stream or "stdout"
  local limit = timeout and core.now() + timeout
  while true do
    local over = ended(self) -- asked first: what it wrote before its end is in the pipe then
    local text = self._core:read(stream)
    if text then return text end
    if text == false or over then return nil end
    if not self._core:poll(left(limit), stream, "exit") then
      errors.raise("TimeoutError", ("read: no output of %q in %g s"):format(self.command, timeout))
    end
  end
end

--- Iterates over the lines of its output as they come, without line ends. Lines longer than
-- process.MAX_LINE are cut.
-- @param stream "stdout" (default) or "stderr"
-- @return function, to be called for each line; nil at the end
function Process:lines(stream)
  return lines(function() return self:read(nil, stream) end, process.MAX_LINE)
end

--- Writes to its stdin, waiting until it is taken. Needs stdin = "pipe".
-- @param text string
-- @return true, or false when it reads no more
function Process:write(text)
  local from = 1
  while from <= #text do
    local n = not ended(self) and self._core:write(text, from)
    if not n then return false end
    from = from + n
    if from <= #text then self._core:poll(nil, "stdin", "exit") end
  end
  return true
end

--- Closes its stdin: it reads to the end.
function Process:close_stdin()
  self._core:shut()
end

-- ---- exec -----------------------------------------------------------------------------------

-- Reads one piece of a stream into `kept`: whether there was one.
local function take(self, stream, kept)
  local text = self._core:read(stream)
  if not text then return false end
  kept.size = kept.size + #text
  if kept.size > process.MAX_OUTPUT then
    errors.raise("WampyError", ("exec: %q wrote more than %d bytes to %s"):format(self.command,
      process.MAX_OUTPUT, stream))
  end
  kept[#kept + 1] = text
  return true
end

-- Gives it what it takes of the input, and then its end.
local function feed(self, input)
  if not input.text then return end
  local n = self._core:write(input.text, input.from)
  input.from = input.from + (n or 0)
  if not n or input.from > #input.text then
    self._core:shut()
    input.text = nil
  end
end

--- Runs a command to its end.
-- @param t { "cmd", "arg", ...; cwd = directory; env = { NAME = "value", or false to take it out },
-- added to ours; stdin = text; timeout = seconds }
-- @return exit code (128 + the number of the signal that ended it), stdout, stderr; raises
-- WampyError when it cannot be run or writes more than process.MAX_OUTPUT bytes, and TimeoutError
function process.exec(t)
  check.fields("exec", t, exec_rules)
  if core.wait_mode() == "never" then core.sleep(0) end -- raises before anything is started
  local limit = t.timeout and core.now() + t.timeout
  local out, err, input = { size = 0 }, { size = 0 }, { text = t.stdin, from = 1 }
  local self <close> = start("exec", t,
    { stdin = t.stdin and "pipe" or "null", stdout = "pipe", stderr = "pipe" })
  while true do
    local over = ended(self) -- asked first: what it wrote before its end is in the pipes then
    local got = take(self, "stdout", out)
    got = take(self, "stderr", err) or got
    if over and not got then return self.code, table.concat(out), table.concat(err) end
    feed(self, input)
    self._core:poll(left(limit), "stdout", "stderr", "exit", input.text and "stdin" or "exit")
    if limit and core.now() >= limit and not ended(self) then
      too_late(self, "exec", t.timeout)
    end
  end
end

return process
