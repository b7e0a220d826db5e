-- testing_busted.lua - the border of the testing kit to busted: before, after and around each test.
--
-- * What a test opened is closed when its own after_each has run; what a setup opened, with its
--   describe block.
-- * What is left then makes an error of the test, which names it (testing_scope.lua). A test that
--   failed has said enough.
-- * Ids and math.random are seeded for each test, from the seed of the run and the test's name, so
--   that one test alone repeats what it did among others. --seed or WAMPY_TEST_SEED gives the
--   run's; it is shown when something failed.
-- * A test that takes longer than TEST_TIMEOUT seconds (30; 0: no limit) is interrupted.
--
-- busted takes functions to run around every test from its root element, and tells what happens by
-- events; both last longer than the modules of one spec file, which are loaded anew for the next.
-- So what is attached here for a file is let go at its end.

local core = require "wampy.core"
local scope = require "wampy.testing_scope"
local tasks = require "wampy.tasks"

local border = {}

local LIMIT = tonumber(os.getenv("TEST_TIMEOUT")) or 30
local INTERRUPTS = 3 -- how often a test is told before the run is ended

local function upvalue(fn, wanted)
  for i = 1, 20 do
    local name, value = debug.getupvalue(fn, i)
    if not name then return nil end
    if name == wanted then return value end
  end
end

-- busted's module shows only what specs need; what `it` closes over is the whole.
local busted = package.loaded.busted
local inner = busted and busted.it and upvalue(busted.it, "busted")
border.present = inner ~= nil

-- ---- which scope ------------------------------------------------------------------------------

local of_test = { it = true, before_each = true, after_each = true, finally = true }
local of_parent = { strict_setup = true, lazy_setup = true, strict_teardown = true,
  lazy_teardown = true, setup = true, teardown = true }

local function pick()
  local element = inner.context.get()
  if of_test[element.descriptor] then return "test" end
  if of_parent[element.descriptor] then return inner.context.parent(element) end
  return element
end

-- ---- seeds ------------------------------------------------------------------------------------

local run_seed = math.tointeger(tonumber(os.getenv("WAMPY_TEST_SEED")))
  or inner and math.tointeger(tonumber(inner.randomseed)) or os.time()

local function full_name(element)
  local names = {}
  while element and element.descriptor ~= "file" and element.descriptor ~= "suite" do
    table.insert(names, 1, tostring(element.name or element.descriptor))
    element = inner.context.parent(element)
  end
  return table.concat(names, " ")
end

-- FNV-1a over the name.
local function seed_of(name)
  local hash = 0xcbf29ce484222325
  for i = 1, #name do hash = (hash ~ name:byte(i)) * 0x100000001b3 end
  return hash ~ run_seed
end

local function plant(element)
  local seed = seed_of(full_name(element))
  core.test.seed(seed)
  math.randomseed(seed)
end

-- ---- around a test ----------------------------------------------------------------------------

local before   -- snapshot of what there was before the test
local left     -- calls without an answer, noted at its end
local now      -- the test: { element, parent, status }
local watchdog -- task
local failed = false

local function complain(what)
  busted.publish({ "error", "it" }, now.element, now.parent, what, {})
end

local function interrupt(main)
  local limit = scope.real_now() + LIMIT
  for i = 1, INTERRUPTS do
    while scope.real_now() < limit do tasks.sleep(limit - scope.real_now()) end
    io.stderr:write(("%s: still running after %g s\n"):format(
      now and full_name(now.element) or "before a test", LIMIT * i))
    core.cancel(main)
    limit = limit + LIMIT
  end
  os.exit(1)
end

local function open_test()
  now, left = nil, {}
  watchdog = LIMIT > 0 and tasks.spawn(interrupt, core.current())
  scope.settle() -- the watchdog stands, and counts as there before
  before = scope.snapshot()
end

-- Each text once, with how many there are: a loop leaves the same thing a hundred times.
local function counted(texts)
  local times, result = {}, {}
  for _, text in ipairs(texts) do
    if not times[text] then result[#result + 1] = text end
    times[text] = (times[text] or 0) + 1
  end
  for i, text in ipairs(result) do
    if times[text] > 1 then result[i] = ("%d x %s"):format(times[text], text) end
  end
  return table.concat(result, "; ")
end

local function close_test()
  local strays = scope.strays(before)
  local wrong = scope.close("test")
  local found = scope.leftovers(before)
  if found[1] then scope.sweep(before) end
  tasks.regained() -- a link that this test has lost is no news to the next one
  if watchdog then watchdog:cancel() end
  watchdog = nil
  if not now or now.status ~= "success" then return end
  for _, list in ipairs { left, strays, found } do
    for _, what in ipairs(list) do table.insert(wrong, what) end
  end
  if wrong[1] then complain("left behind by the test: " .. counted(wrong)) end
end

local function test_started(element, parent)
  now = { element = element, parent = parent }
  plant(element)
end

local function test_ended(_, _, status)
  if not now or not before then return end
  now.status = status
  if status == "success" then left = scope.open_calls(before) end
end

-- ---- attaching --------------------------------------------------------------------------------

local function root()
  local element = inner.context.get()
  while inner.context.parent(element) do element = inner.context.parent(element) end
  return element
end

-- Lets busted run `fn` around every test from now on: what lets it go again.
local function around(descriptor, fn, first)
  local element = { descriptor = descriptor, attributes = {}, run = fn }
  local list = root()[descriptor] or {}
  root()[descriptor] = list
  inner.context.attach(element)
  table.insert(list, first and 1 or #list + 1, element)
  return function()
    for i, each in ipairs(list) do
      if each == element then table.remove(list, i) break end
    end
  end
end

local attached = true

-- Listens to an event of busted, for as long as this is attached.
local function on(channel, fn)
  busted.subscribe(channel, function(...)
    if attached then fn(...) end
    return nil, true
  end)
end

local function show_seed()
  if not failed then return end
  failed = false
  local text = "seed of this run: %d (WAMPY_TEST_SEED=%d or --seed %d repeats its ids)\n"
  io.stderr:write(text:format(run_seed, run_seed, run_seed))
end

--- Attaches the kit to the run of busted that this is.
-- @param closing function, called when nothing of the kit is needed any more
function border.attach(closing)
  local element = inner.context.get()
  local for_file = element.descriptor ~= "suite"
  local let_go = { around("before_each", open_test, true), around("after_each", close_test) }
  scope.pick = pick
  on({ "test", "start" }, test_started)
  on({ "test", "end" }, test_ended)
  on({ "failure" }, function() failed = true end)
  on({ "error" }, function() failed = true end)
  local function over()
    for _, fn in ipairs(let_go) do fn() end
    attached = false
    show_seed()
    closing()
  end
  on({ "describe", "end" }, function(e) scope.close(e) end)
  on({ "file", "end" }, function(e)
    scope.close(e)
    if for_file then over() end
  end)
  on({ "suite", "end" }, function(e)
    scope.close(e)
    show_seed()
  end)
  on({ "exit" }, over)
end

return border
