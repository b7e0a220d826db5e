-- cli_test.lua - the verb test: busted inside this program, so that specs have the module wampy.

local codes = require "wampy.codes"
local core = require "wampy.core"

local cli_test = {}

local FAILED, SIGNALLED = 1, 128 -- exit codes

--- Declares the verb.
function cli_test.command(parser)
  local c = parser:command("test")
  c:handle_options(false)
  c:argument("word", "Whatever busted takes: files, folders, --filter, --tags, -o ..."):args("*")
    :argname("ARG")
  c:flag("--watch", "Run them again whenever a Lua file of this folder is saved.")
  c:epilog("Examples:\n  wampy-lua test\n  wampy-lua test spec/orders_spec.lua --filter 'adds up'\n"
    .. "Without files it takes what .busted says, or those of spec/ that end in _spec.lua.")
end

--- What the words come to.
function cli_test.plan(result, rest)
  local words = table.move(rest, 1, #rest, #result.word + 1, result.word)
  local plan = { verb = "test", module = "wampy.cli_test", words = {} }
  for _, word in ipairs(words) do
    if word == "--watch" then plan.watch = true else table.insert(plan.words, word) end
  end
  return plan
end

-- ---- again and again ----------------------------------------------------------------------------

-- The Lua files of the working folder and those below, but not in hidden ones.
local function files()
  local _, out = require("wampy.process").exec { "find", ".", "-name", ".?*", "-prune", "-o",
    "-name", "*.lua", "-print" }
  local list = {}
  for path in out:gmatch("[^\n]+") do list[#list + 1] = path end
  return list
end

-- Each run is a process of its own: specs, and what they test, are loaded anew.
local function run_child(words)
  local command = { "/proc/self/exe", "test", stdout = "inherit", stderr = "inherit" }
  table.move(words, 1, #words, 3, command)
  local child <close> = require("wampy.process").spawn(command)
  child:wait()
end

local function run_again_and_again(words)
  local watching = require("wampy.watching").new()
  watching.curious = true
  watching:watch(files())
  while true do
    run_child(words)
    core.log("info", "waiting for a change")
    watching:wait(files)
  end
end

-- Until a signal comes: only that, or what cannot be watched, ends it.
local function watch(words)
  core.watch_signals(true)
  local _, e = pcall(run_again_and_again, words)
  local signals, number = core.signals()
  if signals > 0 then return SIGNALLED + number end
  codes.complain("test: " .. tostring(e), e)
  return FAILED
end

--- Does it.
-- @return exit code
function cli_test.run(plan)
  if plan.watch then return watch(plan.words) end
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
