-- cli_ls.lua - the verb ls: what there is at a router, by its meta API.

local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local directory = require "wampy.directory"
local verb = require "wampy.verb"

local cli_ls = {}

--- Declares the verb.
function cli_ls.command(parser)
  local c = parser:command("ls", "List procedures, topics or sessions.")
  c:argument("what", "procedures (the default), topics or sessions."):args("?")
    :choices { "procedures", "topics", "sessions" }:argname("WHAT")
  c:argument("prefix", "Only what begins like this; sessions: whose authid does."):args("?")
    :argname("PREFIX")
  c:flag("--json", "A JSON object for each.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua ls\n  wampy-lua ls topics com.example.\n"
    .. "  wampy-lua ls sessions --json")
end

--- What the flags come to.
function cli_ls.plan(result)
  return cli_value.plan(result, "wampy.cli_ls", { what = result.what or "procedures",
    prefix = result.prefix })
end

local kinds = {
  procedures = { list = directory.registrations, name = "uri", cells = { "uri", "match", "invoke",
    "count" } },
  topics = { list = directory.subscriptions, name = "uri", cells = { "uri", "match", "count" } },
  sessions = { list = directory.sessions, name = "authid", cells = { "session", "authid",
    "authrole", "authmethod" } },
}

local function row(each, cells)
  local words = {}
  for i, cell in ipairs(cells) do words[i] = tostring(each[cell] == nil and "-" or each[cell]) end
  words[1] = ("%-24s"):format(words[1])
  return (table.concat(words, "  "):gsub("%s+$", ""))
end

--- Does it.
-- @return exit code
function cli_ls.run(plan)
  return verb.run(plan, function(client)
    local kind = kinds[plan.what]
    for _, each in ipairs(kind.list(client)) do
      if not plan.prefix or tostring(each[kind.name]):sub(1, #plan.prefix) == plan.prefix then
        cli_value.say(plan.json and core.json_encode(each) or row(each, kind.cells))
      end
    end
  end)
end

return cli_ls
