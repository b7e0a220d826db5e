-- cli_ls.lua - the verb ls: what there is at a router, by its meta API.

local cli_value = require "wampy.cli_value"
local core = require "wampy.core"

local cli_ls = {}

local TIMEOUT = 10 -- seconds for each answer, unless --connect-timeout says another time

--- Declares the verb.
function cli_ls.command(parser)
  local c = parser:command("ls")
  c:argument("what", "procedures (the default), topics or sessions."):args("?")
    :choices { "procedures", "topics", "sessions" }:argname("WHAT")
  c:argument("prefix", "Only what begins like this; sessions: whose authid does."):args("?")
    :argname("PREFIX")
  c:flag("--json", "A JSON object for each.")
  c:flag("--raw", "The URI, or the session, alone.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua ls\n  wampy-lua ls topics com.example.\n"
    .. "  wampy-lua ls sessions --json")
end

--- What the flags come to.
function cli_ls.plan(result)
  return cli_value.plan(result, "wampy.cli_ls", { what = result.what or "procedures",
    prefix = result.prefix or "" })
end

local kinds = {
  procedures = { list = "registrations", name = "uri", cells = { "uri", "match", "invoke",
    "count" } },
  topics = { list = "subscriptions", name = "uri", cells = { "uri", "match", "count" } },
  sessions = { list = "sessions", name = "authid", cells = { "session", "authid", "authrole",
    "authmethod" } },
}

local function row(each, cells)
  local words = {}
  for i, cell in ipairs(cells) do
    local value = each[cell]
    words[i] = (value == nil or value == core.null) and "-" or tostring(value):gsub("%c", "?")
  end
  words[1] = ("%-24s"):format(words[1])
  return table.concat(words, "  ")
end

local function line(plan, each, cells)
  if plan.json then return cli_value.object(each, cells) end
  return plan.raw and tostring(each[cells[1]]) or row(each, cells)
end

local refusals = {
  ["wamp.error.not_authorized"] = "may not ask the router for %s (%s); its configuration has to "
    .. "allow wamp.* to the role %s",
  ["wamp.error.no_such_procedure"] = "the router has no meta API that lists %s (%s)",
}

-- What there is; a router that does not tell ends the verb with a word about why.
local function ask(client, what, timeout)
  local errors = require "wampy.errors"
  local meta = require("wampy.meta").of(client, timeout or TIMEOUT)
  local ok, answer = pcall(meta[kinds[what].list], meta)
  if ok then return answer end
  local refusal = errors.is_error(answer, errors.RemoteError) and refusals[answer.uri]
  if not refusal then error(answer, 0) end
  require("wampy.verb").fail(6, refusal:format(what, answer.uri,
    client.session.authrole or "of this client"))
end

--- What there is, a line each.
-- @param client that has joined
-- @param form { json, raw } of the flags
-- @param what "procedures" (the default), "topics" or "sessions"
-- @param prefix of what is listed; all when nil
-- @param timeout seconds for each answer; 10 when nil
-- @return list of lines
function cli_ls.lines(client, form, what, prefix, timeout)
  local kind, list = kinds[what or "procedures"], {}
  if not kind then
    error(("ls: expected procedures, topics or sessions, got '%s'"):format(tostring(what)), 0)
  end
  for _, each in ipairs(ask(client, what or "procedures", timeout)) do
    if tostring(each[kind.name]):sub(1, #(prefix or "")) == (prefix or "") then
      list[#list + 1] = line(form, each, kind.cells)
    end
  end
  return list
end

--- Does it.
-- @return exit code
function cli_ls.run(plan)
  return require("wampy.verb").run(plan, function(client)
    local lines = cli_ls.lines(client, plan, plan.what, plan.prefix, plan.forced.connect_timeout)
    for _, each in ipairs(lines) do cli_value.say(each) end
  end)
end

return cli_ls
