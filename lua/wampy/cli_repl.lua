-- cli_repl.lua - the verb repl: a prompt for Lua with a client that has joined; and the prompt of
-- -i, which has none.

local cli_connect = require "wampy.cli_connect"
local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local codes = require "wampy.codes"
local core = require "wampy.core"

local cli_repl = {}

local SIGNALLED = 128 -- exit code

--- Declares the verb.
function cli_repl.command(parser)
  local c = parser:command("repl")
  c:flag("--json", "Values as JSON, as call prints them, always the whole object.")
  c:flag("--raw", "Values as JSON, but strings and bytes bare.")
  cli_connect.flags(c, "0, and for a link that is lost no limit")
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua repl\n  wampy-lua repl --url wss://example.com/ws --realm app\n"
    .. "  echo 'call(\"com.example.add\", 1, 2)' | wampy-lua repl\n"
    .. ".help at the prompt says what there is. Without a terminal there is no prompt, and the "
    .. "first line that fails ends it.")
end

--- What the flags come to.
function cli_repl.plan(result)
  return cli_value.plan(result, "wampy.cli_repl", {})
end

local function greet(client)
  if core.log_level() == "error" then return end
  print(("wampy-lua %s  %s  %s  session %d; .help says what there is"):format(core.version,
    client.url, client.realm, client.session.id))
end

-- Lines of a pipe or file: the first that fails ends the verb.
local function piped(self)
  local verb = require "wampy.verb"
  local e, line = self:piped()
  if e == nil then return 0 end
  local text = self:fault(e)
  if not text:find("^stdin:%d") then text = ("stdin:%d: %s"):format(line, text) end
  return verb.fail(verb.exit_code(e, true), text)
end

local function typed(terminal, self, realm)
  local prompt = realm:gsub("%c", "?") .. "> "
  terminal:run(self, prompt, (" "):rep(#prompt - 3) .. ">> ")
end

local function new(client, plan, terminal)
  return require("wampy.repl").new { env = _G, client = client, form = plan,
    limits = terminal and terminal.limits,
    say = terminal and function(text) terminal:say(text) end }
end

--- Does it.
-- @return exit code
function cli_repl.run(plan)
  local terminal = require "wampy.repl_terminal"
  local at_terminal = terminal.there_is()
  plan.rejoin = at_terminal
  return require("wampy.verb").run(plan, function(client)
    if not at_terminal then return piped(new(client, plan)) end
    local t = terminal.open()
    greet(client)
    typed(t, new(client, plan, t), client.realm)
  end)
end

--- The prompt behind a script (-i): the loop runs while one types.
-- @return exit code
function cli_repl.console()
  local terminal = require "wampy.repl_terminal"
  core.watch_signals(true)
  if not terminal.there_is() then
    local self = new(nil, {})
    local e = self:piped()
    if e ~= nil then codes.complain(self:fault(e)) end
    return e == nil and 0 or 1
  end
  local t = terminal.open()
  local ok, e = pcall(t.run, t, new(nil, {}, t), "> ", ">> ")
  t:close()
  local signals, number = core.signals()
  core.watch_signals(false)
  if not ok and signals == 0 then error(e, 0) end
  return signals > 0 and SIGNALLED + number or 0
end

return cli_repl
