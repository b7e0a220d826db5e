-- router_crossbar.lua - wampy.routers.Crossbar: a Crossbar.io node as a child process.
--
-- One that was not started is only an address. One that was is watched by a task of its own
-- (`keep`), which reads its output, so that no full pipe holds it up, and says when it died.

local check = require "wampy.check"
local codes = require "wampy.codes"
local core = require "wampy.core"
local crossbar_config = require "wampy.crossbar_config"
local errors = require "wampy.errors"
local process = require "wampy.process"
local router = require "wampy.router"
local tasks = require "wampy.tasks"

local crossbar = {
  TAIL = 10,          -- lines of its output that an error shows
  START_TIMEOUT = 30, -- seconds; it takes about five
  STOP_GRACE = 10,    -- seconds that it may take to end its workers
}

-- A Crossbar.io process.
-- @object wampy.routers.Crossbar : wampy.routers.Router
local Crossbar = router.class("wampy.routers.Crossbar", router.Router)
crossbar.Crossbar = Crossbar

local STEP = 0.05 -- seconds between two looks at the port

local function bad(class, fmt, ...)
  errors.raise(class, "Crossbar: " .. fmt:format(...))
end

-- ---- construction ---------------------------------------------------------------------------

local rules = { config_path = "string", crossbar_directory = "string", command = "string",
  start_timeout = check.seconds }
for name, rule in pairs(router.rules) do rules[name] = rule end

--- A Crossbar.io node.
-- @param t { config_path = "./crossbar/config.json" (or YAML); crossbar_directory = its node
-- directory, default that of config_path; command = the program, default $WAMPY_CROSSBAR or
-- "crossbar"; start_timeout = seconds; url, default where the configuration's first WebSocket
-- transport listens; cert_path, ipv as Router }
-- @return Crossbar, not started; raises WampyError
function Crossbar.new(t)
  check.fields("Crossbar", t, rules)
  local self = setmetatable({}, Crossbar)
  self.config_path = t.config_path or "./crossbar/config.json"
  self.crossbar_directory = t.crossbar_directory or self.config_path:match("^(.*/)[^/]*$") or "."
  self.command = t.command or os.getenv("WAMPY_CROSSBAR") or "crossbar"
  self.start_timeout = t.start_timeout or crossbar.START_TIMEOUT
  self._tail = {}
  local url = t.url or crossbar_config.url(crossbar_config.decode(self.config_path),
    self.config_path)
  return router.locate(self, t, url)
end

-- ---- starting -------------------------------------------------------------------------------

local function contents(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- The process that runs in the node directory; numbers are used again, so its name counts, too.
local function running_node(directory)
  local note = core.json_decode(contents(directory .. "/node.pid") or "")
  local pid = type(note) == "table" and math.tointeger(note.pid)
  local name = pid and contents(("/proc/%d/cmdline"):format(pid))
  return name and name:find("crossbar", 1, true) and pid
end

-- Nobody else may be there. What is left of a node of ours that died has a moment to go.
local function refuse_others(self, directory)
  local pid = running_node(directory)
  if pid then bad("WampyError", "already running as process %d in %s", pid, directory) end
  local limit = core.now() + (self._process and 2 or 0)
  while self:try_connection(1) do
    if core.now() >= limit then
      bad("WampyError", "something listens at %s already: it is running, or the port is taken",
        self.url)
    end
    tasks.sleep(STEP)
  end
end

local function spawn(self, directory)
  local config = core.real_path(self.config_path)
  local ok, p = pcall(process.spawn, { self.command, "start", "--cbdir", directory, "--config",
    config, stderr = "stdout", kill_group = true })
  if ok then return p end
  bad("WampyError", "%s; the program is the field command, else $WAMPY_CROSSBAR, else crossbar in "
    .. "PATH", p.message or tostring(p))
end

-- Reads its output to the end, keeps the last lines, and says so when it ends unasked.
local function keep(self, p)
  for line in p:lines() do
    core.log("debug", "crossbar: " .. line)
    table.insert(self._tail, line)
    if #self._tail > crossbar.TAIL then table.remove(self._tail, 1) end
  end
  local code = p:wait()
  if self._process == p and self._up then
    codes.log(("Crossbar.io at %s (process %d) has died with code %d"):format(self.url,
      p.pid, code), "W907")
  end
end

-- Waits until it accepts connections; otherwise the class and text of what went wrong.
local function await_up(self, p)
  local limit = core.now() + self.start_timeout
  repeat
    local up, reason = self:try_connection(1)
    local code = p:try_wait(up and 0 or STEP)
    if code then return "WampyError", ("ended with code %d at its start"):format(code) end
    if up then return nil end
    if core.now() >= limit then
      return "TimeoutError", ("does not listen at %s after %g s (%s)"):format(self.url,
        self.start_timeout, reason)
    end
  until false
end

local function with_tail(text, tail)
  if not tail[1] then return text .. "; it printed nothing" end
  return text .. "; its last lines:\n  " .. table.concat(tail, "\n  ")
end

local function bring_up(self)
  crossbar_config.decode(self.config_path) -- raises when there is none
  local directory = core.real_path(self.crossbar_directory)
  if not directory then
    bad("WampyError", "crossbar_directory %q: no such directory", self.crossbar_directory)
  end
  refuse_others(self, directory)
  local p = spawn(self, directory)
  self._process, self._tail = p, {}
  self._keeper = tasks.spawn(keep, self, p)
  local ok, class, text = pcall(await_up, self, p)
  self._up = ok and not class
  if self._up then return end
  self:stop()
  if not ok then error(class, 0) end
  bad(class, "%s", with_tail(text, self._tail))
end

--- Starts it, and waits until it accepts connections.
-- @return self; raises WampyError when it runs already, cannot be run, or ends at once, and
-- TimeoutError when it does not listen in time, both with the last lines of its output
function Crossbar:start()
  if self._starting or self:alive() then bad("WampyError", "Router already started") end
  self._starting = true
  local ok, e = pcall(bring_up, self)
  self._starting = false
  if not ok then error(e, 0) end
  return self
end

-- ---- life -----------------------------------------------------------------------------------

--- Whether it was started and still runs.
-- @return boolean
function Crossbar:alive()
  return self._process ~= nil and self._process:alive()
end

--- Stops it: TERM, and KILL for it and its workers when it takes too long. Harmless when it does
-- not run.
function Crossbar:stop()
  local p = self._process
  if not p then return end
  self._process, self._up = nil, false
  p:stop(crossbar.STOP_GRACE)
  self._keeper:wait()
end

Crossbar.__close = function(self) self:stop() end

return crossbar
