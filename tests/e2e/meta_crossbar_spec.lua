-- One scenario of the meta API on the embedded router and on a real Crossbar.io: what it says must
-- be the same, field by field. Ids, times and authids are replaced by names first. Where the two
-- differ on purpose is in docs/PROTOCOL.md, and left out here by `told`.
local node = dofile "tests/e2e/node.lua"
local wampy = require "wampy"

local PATIENCE = 10
local TOPICS = { "session.on_join", "session.on_leave", "registration.on_create",
  "registration.on_register", "registration.on_unregister", "registration.on_delete",
  "subscription.on_create", "subscription.on_subscribe", "subscription.on_unsubscribe",
  "subscription.on_delete" }
local OF_SESSION = { session = true, authid = true, authrole = true, authmethod = true,
  authprovider = true }

-- What both tell: of a session its five details, of one that left its id.
local function told(topic, args)
  if topic == "session.on_leave" then return { args[1] } end
  return args
end

-- A copy in which `names` stand for what is random. Crossbar.io's lists of ids have no order:
-- with `sort`, neither have ours.
local function named(value, names, sort)
  if names[value] then return names[value] end
  if type(value) == "string" and value:find "^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$" then
    return "a time"
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do
    if not value.session or OF_SESSION[key] then copy[key] = named(item, names, sort) end
  end
  if sort and math.type(value[1]) then table.sort(copy) end
  return copy
end

-- The scenario on the router at `url`: a list of what was asked and answered, and one of events.
local function play(url)
  local names, answers, events = {}, {}, {}

  local function client(name)
    local c = wampy.Client { url = url, call_timeout = PATIENCE }:start()
    names[c.session.id], names[c.session.authid] = name, "authid of " .. name
    return c
  end

  local function nothing() end

  local watch, over = client "watch", wampy.event()
  watch:subscribe("com.over", function() over:set() end)
  for _, topic in ipairs(TOPICS) do
    watch:subscribe("wamp." .. topic, function(...)
      events[#events + 1] = { topic, told(topic, { ... }) }
    end)
  end
  local a, b = client "a", client "b"

  local function ask(procedure, ...)
    local ok, got = pcall(a.call, a, "wamp." .. procedure, ...)
    if ok and procedure:find "count" then got = "number " .. got end -- which is no id
    answers[#answers + 1] = { procedure, { ... }, ok and got or not ok and got.uri or nil }
  end

  local one = a:register("com.one", nothing, { invoke = "roundrobin" })
  b:register("com.one", nothing, { invoke = "roundrobin" })
  local prefix = a:register("com.", nothing, { match = "prefix" })
  local wild = b:register("com..x", nothing, { match = "wildcard" })
  local news = a:subscribe("com.news", nothing)
  b:subscribe("com.news", nothing)
  local all = b:subscribe("com.n", nothing, { match = "prefix" })
  local over_id = a:call("wamp.subscription.lookup", "com.over")
  names[one.id], names[prefix.id], names[wild.id] = "one", "prefix", "wild"
  names[news.id], names[all.id], names[over_id] = "news", "all", "over"

  for _, what in ipairs { "registration", "subscription" } do
    ask(what .. ".list")
    for _, uri in ipairs { "com.one", "com.news", "com.nobody", "org.x", "com.any.x",
      "wamp.session.on_join", "wamp.session.count" } do
      ask(what .. ".lookup", uri)
      ask(what .. ".match", uri)
    end
    ask(what .. ".lookup", "com.", { match = "prefix" })
    ask(what .. ".lookup", "com.n", { match = "prefix" })
    ask(what .. ".lookup", "com..x", { match = "wildcard" })
    ask(what .. ".get", 99)
  end
  for _, id in ipairs { one.id, prefix.id, wild.id, 99 } do
    ask("registration.get", id)
    ask("registration.list_callees", id)
    ask("registration.count_callees", id)
  end
  for _, id in ipairs { news.id, all.id, 99 } do
    ask("subscription.get", id)
    ask("subscription.list_subscribers", id)
    ask("subscription.count_subscribers", id)
  end
  ask "session.count"
  ask("session.count", { "anonymous" })
  ask("session.count", { "nobody" })
  ask "session.list"
  ask("session.list", { "nobody" })
  ask("session.get", b.session.id)
  ask("session.get", 99)
  ask "session.no_such_procedure"

  one:unregister()
  prefix:unregister()
  news:unsubscribe()
  all:unsubscribe()
  client("c"):stop()
  a:call "wamp.session.count"
  a:publish "com.over"
  assert(over:wait(PATIENCE), "the last event did not arrive")
  watch:stop() -- before it hears of the others' end
  a:stop()
  b:stop()
  return named(answers, names, true), named(events, names)
end

describe("the meta API and Crossbar.io's", function()
  local url
  local ours, theirs = {}, {}

  setup(function()
    url = node.start()
    theirs.answers, theirs.events = play(url)
    local router <close> = wampy.routers.Embedded():start()
    ours.answers, ours.events = play(router.url)
  end)

  teardown(node.stop)

  it("answer the same", function()
    assert.is_true(#ours.answers > 60)
    for i, answer in ipairs(theirs.answers) do assert.same(answer, ours.answers[i]) end
    assert.equal(#theirs.answers, #ours.answers)
  end)

  it("publish the same, in the same order", function()
    assert.is_true(#ours.events > 15)
    assert.same(theirs.events, ours.events)
  end)
end)
