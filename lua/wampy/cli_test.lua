-- cli_test.lua - the verb test: busted inside this program, so that specs have the module wampy.

local codes = require "wampy.codes"

local cli_test = {}

local FAILED = 1 -- exit code

--- Declares the verb.
function cli_test.command(parser)
  local c = parser:command("test")
  c:handle_options(false)
  c:argument("word", "Whatever busted takes: files, folders, --filter, --tags, -o ..."):args("*")
    :argname("ARG")
  c:epilog("Examples:\n  wampy-lua test\n  wampy-lua test spec/orders_spec.lua --filter 'adds up'\n"
    .. "Without files it takes what .busted says, or those of spec/ that end in _spec.lua.")
end

--- What the words come to.
function cli_test.plan(result, rest)
  local words = table.move(rest, 1, #rest, #result.word + 1, result.word)
  return { verb = "test", module = "wampy.cli_test", words = words }
end

--- Does it.
-- @return exit code
function cli_test.run(plan)
  local found, runner = pcall(require, "busted.runner")
  if not found then
    codes.log("test: busted is not installed for Lua 5.4 (luarocks install busted; "
      .. "Debian: lua-busted)", "W216")
    return FAILED
  end
  _G.arg = table.move(plan.words, 1, #plan.words, 2, { [0] = "busted", "--ignore-lua" })
  runner { standalone = false } -- leaves by os.exit when something fails
  return 0
end

return cli_test
