-- bench.lua - the measuring of the verb bench: clients that ask again as soon as they have their
-- answer.
--
-- What was begun in the warm-up is not counted. Of publications without acknowledgement nobody
-- knows how long they take; the last one of each client asks for one, so that all have been read.

local Client = require "wampy.client"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local histogram = require "wampy.histogram"
local tasks = require "wampy.tasks"
local values = require "wampy.values"
local verb = require "wampy.verb"

local bench = {}

local QUANTILES = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } }
local AT_ONCE = 64 -- publications without acknowledgement before others may run

-- ---- asking -------------------------------------------------------------------------------------

-- function(client) that asks once, and returns when the answer is there.
local function asker(plan, acknowledge)
  local arguments = { plan.size > 0 and ("x"):rep(plan.size) or nil }
  arguments[#arguments + 1] = values.options { timeout = plan.timeout,
    acknowledge = plan.what == "publish" and acknowledge or nil }
  if plan.what == "call" then
    return function(client) client:call(plan.uri, table.unpack(arguments)) end
  end
  return function(client) client:publish(plan.uri, table.unpack(arguments)) end
end

-- Whether one more may be begun now; it is counted when the warm-up is over.
local function may_begin(run, now)
  if run.failure or run.to and now >= run.to then return false end
  if now < run.from or not run.left then return true end
  run.left = run.left - 1
  return run.left >= 0
end

local function ask_on(run, client)
  local asked = 0
  while true do
    local since = core.clock()
    if not may_begin(run, since) then return end
    run.ask(client)
    run.last = core.clock()
    if since >= run.from then run.times:add(run.last - since) end
    asked = asked + 1
    if run.plan.no_ack and asked % AT_ONCE == 0 then tasks.sleep(0) end
  end
end

-- The first failure ends it for all.
local function worker(run, client)
  local ok, e = pcall(ask_on, run, client)
  if not ok then run.failure = run.failure or { error = e } end
end

local function wait_for(list)
  for _, task in ipairs(list) do task:wait() end
end

-- All of what was sent has been read.
local function settle(run, clients)
  local ask = asker(run.plan, true)
  for _, client in ipairs(clients) do ask(client) end
  run.last = core.clock()
end

-- ---- the report ---------------------------------------------------------------------------------

local function report_json(run, seconds)
  local plan, latency = run.plan, nil
  if not plan.no_ack then
    latency = { max = run.times.most }
    for _, q in ipairs(QUANTILES) do latency[q[1]] = run.times:quantile(q[2]) end
  end
  cli_value.say(cli_value.object({ what = plan.what, uri = plan.uri, count = run.times.count,
    seconds = seconds, rate = run.times.count / seconds, clients = plan.clients,
    parallel = plan.parallel, size = plan.size, latency = latency },
    { "what", "uri", "count", "seconds", "rate", "latency" }))
end

local function report_text(run, seconds)
  local plan, words = run.plan, {}
  cli_value.say(("%s %s: %d in %.2f s, %.0f/s  (clients %d, parallel %d, %d bytes)"):format(
    plan.what, plan.uri, run.times.count, seconds, run.times.count / seconds, plan.clients,
    plan.parallel, plan.size))
  if plan.no_ack then return end
  for i, q in ipairs(QUANTILES) do
    words[i] = ("%s %.2f"):format(q[1], run.times:quantile(q[2]) * 1000)
  end
  cli_value.say(("%s  max %.2f ms"):format(table.concat(words, "  "), run.times.most * 1000))
end

-- ---- doing --------------------------------------------------------------------------------------

local function connect(first, plan)
  local clients, joining = { first }, {}
  for i = 2, plan.clients do
    clients[i] = Client { name = "wampy-lua" }
    joining[i - 1] = tasks.spawn(function() clients[i]:start() end)
  end
  wait_for(joining)
  return clients
end

local function measure(first, plan)
  local clients, workers = connect(first, plan), {}
  local from = core.clock() + plan.warmup
  local run = { plan = plan, times = histogram.new(), ask = asker(plan, not plan.no_ack),
    from = from, to = plan.duration and from + plan.duration, left = plan.count, last = from }
  for _, client in ipairs(clients) do
    for _ = 1, plan.parallel do workers[#workers + 1] = tasks.spawn(worker, run, client) end
  end
  wait_for(workers)
  if run.failure then error(run.failure.error, 0) end
  if plan.no_ack then settle(run, clients) end
  local report = plan.json and report_json or report_text
  report(run, math.max(run.last - from, 1e-6))
end

--- Does it.
-- @param plan of the verb
-- @return exit code
function bench.run(plan)
  return verb.run(plan, function(client) measure(client, plan) end)
end

return bench
