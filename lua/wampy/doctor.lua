-- doctor.lua - the way to a session, stage by stage: name, TCP, TLS, HTTP, subprotocol, HELLO,
-- authentication, features. Each is said as soon as it is known; the first that fails ends it.
--
-- The name and the TCP connection are tried apart. The rest is one client that joins: which stages
-- it has passed follows from what it says, what it hears, and from its error.

local Client = require "wampy.client"
local MessageHandler = require "wampy.message_handler"
local cli_value = require "wampy.cli_value"
local codes = require "wampy.codes"
local connection = require "wampy.connection"
local core = require "wampy.core"
local cures = require "wampy.cures"
local errors = require "wampy.errors"
local verb = require "wampy.verb"

local doctor = {}

local USAGE, SIGNALLED = 2, 128 -- exit codes

-- ---- the report ---------------------------------------------------------------------------------

local Report = { __name = "wampy.doctor.report" }
Report.__index = Report

local function clean(text)
  return (text:gsub("%s+", " "):gsub("%c", "?"))
end

function Report:_say(result, stage, detail)
  self.stages[#self.stages + 1] = { stage = stage, result = result, detail = clean(detail) }
  if self.json then return end
  cli_value.say(("%-15s %-7s %s"):format(stage, result, clean(detail)):gsub("%s+$", ""))
end

-- Notes why it goes no further: the error is kept for the exit code.
function Report:_fail(stage, e)
  self.failure, self.cure = e, cures.of(stage, e)
  self:_say("failed", stage, codes.mark(e.message, e))
  if not self.json then cli_value.say(("%-15s %-7s %s"):format("", "try", self.cure)) end
end

local function milliseconds(since)
  return ("in %.1f ms"):format((core.clock() - since) * 1000)
end

-- ---- name and TCP -------------------------------------------------------------------------------

local function addresses_of(url)
  local list = {}
  for n = 1, math.huge do
    local address, why = core.address(url.url, n)
    if address == nil then return list end
    if not address then
      errors.raise("ConnectionError", why, { transport = "unknown_host" })
    end
    list[n] = address
  end
end

local function check_name(report, url)
  if url.scheme:find("unix", 1, true) then return report:_say("-", "dns", "a Unix socket") end
  local list = addresses_of(url)
  if list[1] == url.host then return report:_say("-", "dns", "an address is given") end
  report:_say("ok", "dns", ("%s is %s"):format(url.host, table.concat(list, ", ")))
end

local function refused(why)
  return why:find("refused", 1, true) and "refused" or "unreachable"
end

-- Each address in turn, as a client does it. Those that do not answer are said.
local function check_tcp(report, url, timeout)
  local since, missed = core.clock(), {}
  for n = 1, math.huge do
    local ok, why = core.dial(url.url, 0, n, timeout)
    local address = core.address(url.url, n) or url.path
    if ok then
      return report:_say("ok", "tcp", ("%s %s%s"):format(address, milliseconds(since),
        missed[1] and "; not " .. table.concat(missed, ", ") or ""))
    elseif ok == nil then
      local reason = missed.why or "the host has no address"
      errors.raise(reason == "no answer in time" and "TimeoutError" or "ConnectionError",
        ("%s: %s"):format(url.url, reason), { transport = refused(reason) })
    end
    missed[#missed + 1] = ("%s (%s)"):format(address, why)
    missed.why = why
  end
end

-- ---- the session --------------------------------------------------------------------------------

-- A message handler that notes what is said and heard.
local function listener(heard)
  local Listener = MessageHandler:extend("doctor")
  function Listener:send_message(message)
    heard[message.name] = message
    MessageHandler.send_message(self, message)
  end
  function Listener:handle_message(message)
    heard[message.name] = message
    MessageHandler.handle_message(self, message)
  end
  return Listener()
end

local function is_tls(url) return url.scheme:find("^wss") or url.scheme:find("^rss") end

-- The stages between TCP and HELLO, as far as they were passed: all of them when nothing failed.
local function upgrade_stages(url)
  if url.scheme:find("^rs") then return { "tls", "handshake" } end
  return { "tls", "http", "subprotocol" }
end

-- A link that is lost before HELLO may have been in TLS or behind it: the text tells.
local function in_tls(e, url)
  return e.transport == "tls" or is_tls(url) and e.message:find("TLS", 1, true) ~= nil
end

-- The stage that the error of a client is about.
local function stage_of(e, heard, url)
  if heard.hello then
    local auth = heard.challenge or e:is(errors.AuthenticationError)
    return auth and "authentication" or "hello"
  end
  if in_tls(e, url) then return "tls" end
  if url.scheme:find("^rs") then return "handshake" end
  return e.transport == "subprotocol" and "subprotocol" or "http"
end

local function say_upgrade(report, url, last)
  for _, stage in ipairs(upgrade_stages(url)) do
    if stage == last then return end
    if stage == "tls" and not is_tls(url) then
      report:_say("-", stage, ("%s:// has none"):format(url.scheme))
    else
      report:_say("ok", stage, "")
    end
  end
end

local function join(report, client, url, heard)
  local since = core.clock()
  local ok, e = pcall(client.start, client)
  if not ok and not errors.is_error(e) then error(e, 0) end
  local last = not ok and stage_of(e, heard, url)
  say_upgrade(report, url, last)
  if last and last ~= "authentication" then error(e, 0) end
  report:_say("ok", "hello", ("realm %s %s"):format(client.realm, milliseconds(since)))
  if not ok then error(e, 0) end
end

local function say_identity(report, session)
  local method = session.authmethod or "anonymous"
  report:_say("ok", "authentication", ("%s as %s, role %s"):format(method, session.authid or "?",
    session.authrole or "?"))
end

local partner = { caller = "dealer", callee = "dealer", publisher = "broker",
  subscriber = "broker" }

-- What we can do and the router did not announce.
local function missing_features(session)
  local list, seen = {}, {}
  for role, features in pairs(core.client_features) do
    local theirs = (session.roles[partner[role]] or {}).features or {}
    for name in pairs(features) do
      local text = partner[role] .. "." .. name
      if theirs[name] ~= true and not seen[text] then list[#list + 1] = text end
      seen[text] = true
    end
  end
  table.sort(list)
  return list
end

local function say_features(report, session)
  local list = missing_features(session)
  report:_say("ok", "features", list[1] and "the router does not have " .. table.concat(list, " ")
    or "the router has all that this program has")
end

-- ---- doing --------------------------------------------------------------------------------------

local function stages(report, client, heard)
  local url = core.parse_url(client.url)
  report.stage = "dns"
  check_name(report, url)
  report.stage = "tcp"
  check_tcp(report, url, client.config.connect_timeout)
  report.stage = nil
  join(report, client, url, heard)
  say_identity(report, client.session)
  say_features(report, client.session)
end

local function examine(report, plan)
  local heard = {}
  connection.apply(plan)
  local client <close> = Client { name = "wampy-lua", message_handler = listener(heard) }
  local ok, e = pcall(stages, report, client, heard)
  if ok then return end
  if not errors.is_error(e) or e:is(errors.Canceled) then error(e, 0) end
  report:_fail(report.stage or stage_of(e, heard, core.parse_url(client.url)), e)
end

local function as_json(report)
  local lines = {}
  for i, stage in ipairs(report.stages) do
    lines[i] = cli_value.object(stage, { "stage", "result", "detail" })
  end
  local cure = report.cure and ',"try":' .. core.json_encode(report.cure) or ""
  return ('{"ok":%s,"stages":[%s]%s}'):format(report.failure == nil, table.concat(lines, ","), cure)
end

--- Does it.
-- @param plan of the verb
-- @return exit code
function doctor.run(plan)
  local report = setmetatable({ stages = {}, json = plan.json }, Report)
  core.watch_signals(true)
  local ok, e = pcall(function()
    examine(report, plan)
    if plan.json then cli_value.say(as_json(report)) end
  end)
  local signals, number = core.signals()
  if signals > 0 then return SIGNALLED + number end
  if not ok then
    local text = verb.text(e)
    if text ~= "" then codes.complain(text, e) end
    return verb.exit_code(e)
  end
  return report.failure and (connection.exit_code(report.failure) or USAGE) or 0
end

return doctor
