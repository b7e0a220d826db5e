-- tester.lua: the tests of the scenario by a Lua script, against any peer's service.
-- usage: wampy-lua tester.lua URL PREFIX [js|wampy]
-- The last word says what the service is: JavaScript has no 64-bit integers; Python wampy gives
-- one result, keyword events and errors of its own. js/scenario.js explains the rest.
local wampy = require "wampy"

local url, prefix, flavour = table.unpack(arg)
local is_wampy, is_js = flavour == "wampy", flavour == "js"
local TEXT = 'Grüße, мир, 世界, 🎉, "quoted" \\ and\na line'
local LONG = ("x"):rep(50000) .. ("é"):rep(25000)
local BIG, LOW = 1 << 53, math.mininteger
local KWARGS = getmetatable(wampy.kwargs {})
local news = is_wampy and {} or { 1, "two" } -- positional arguments of an event

local a, b

local function uri(name)
  return prefix .. "." .. name
end

local function show(v)
  if type(v) ~= "table" then return type(v) .. " " .. tostring(v):sub(1, 80) end
  local parts = {}
  for k, e in pairs(v) do parts[#parts + 1] = tostring(k) .. " = " .. show(e) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function same(x, y)
  if type(x) ~= "table" or type(y) ~= "table" then
    return x == y and (is_js or math.type(x) == math.type(y))
  end
  for k, v in pairs(x) do
    if not same(v, y[k]) then return false end
  end
  for k in pairs(y) do
    if x[k] == nil then return false end
  end
  return true
end

local function equal(got, expected)
  if not same(got, expected) then error(show(got) .. ", not " .. show(expected), 2) end
end

local function split(...) -- results and their keywords
  local args = table.pack(...)
  local kwargs = {}
  if args.n > 0 and getmetatable(args[args.n]) == KWARGS then
    kwargs, args[args.n] = args[args.n], nil
  end
  args.n = nil
  return args, wampy.dict(kwargs)
end

local function error_of(client, ...)
  local ok, e = pcall(client.call, client, ...)
  if ok then error("no error but " .. show(e), 2) end
  if not wampy.is_error(e, wampy.errors.RemoteError) then error(e, 0) end
  return e
end

local function until_true(condition)
  local limit = wampy.now() + 10
  while not condition() do
    if wampy.now() > limit then error("nothing within 10 s", 2) end
    wampy.sleep(0.005)
  end
end

local function echo(...)
  equal(a:call(uri "echo", ...), { args = { ... }, kwargs = {} })
end

local function heard(mark)
  local events
  until_true(function()
    events = a:call(uri "heard", mark)
    return #events > 0
  end)
  equal(events, { { args = news, kwargs = { mark = mark } } })
end

local function publish(mark, acknowledge)
  local args = table.pack(table.unpack(news))
  args[args.n + 1] = wampy.kwargs { mark = mark }
  args[args.n + 2] = wampy.options { acknowledge = acknowledge }
  return a:publish(uri "news", table.unpack(args, 1, args.n + 2))
end

local function say(topic, mark)
  a:call(uri "say", topic, wampy.array { table.unpack(news) }, { mark = mark })
end

local tests = {
  { "joins", function()
    a = wampy.Client { url = url, call_timeout = 10 }:start()
    b = wampy.Client { url = url, call_timeout = 10 }:start()
  end },
  { "call with args and kwargs", function()
    local got = a:call(uri "echo", 1, "two", { 3.5, wampy.null },
      wampy.kwargs { four = { five = true } })
    equal(got, { args = { 1, "two", { 3.5, wampy.null } }, kwargs = { four = { five = true } } })
  end },
  not is_wampy and { "result with args and kwargs", function()
    local args, kwargs = split(a:call(uri "mirror", 1, wampy.array {}, wampy.kwargs { two = {} }))
    equal({ args, kwargs }, { { 1, {} }, { two = {} } })
    equal(getmetatable(args[2]), wampy.array_mt)
    equal(getmetatable(kwargs.two), nil)
  end },
  { "error with args and kwargs", function()
    local e = error_of(a, uri "fail", 1, "why", wampy.kwargs { code = 7 })
    if is_wampy then
      equal({ e.uri, e.exc_type, e.message }, { uri "fail", "ValueError", "refused" })
    else
      equal({ e.uri, e.args, wampy.dict(e.kwargs) },
        { "interop.error.refused", { 1, "why" }, { code = 7 } })
    end
  end },
  { "call of nothing", function()
    equal(error_of(a, uri "nothing").uri, "wamp.error.no_such_procedure")
  end },
  { "ten calls at once", function()
    local futures = {}
    for i = 1, 10 do futures[i] = a:call_async(uri "echo", i) end
    for i = 1, 10 do equal(futures[i]:wait(), { args = { i }, kwargs = {} }) end
  end },
  not is_wampy and { "a result in parts", function()
    local parts = {}
    local stream = a:stream(uri "count", 3)
    for i, part in stream do parts[i] = part end
    equal({ parts, stream:result() }, { { 1, 2, 3 }, "done" })
    equal(a:call(uri "count", 0), "done")
  end },
  { "2^53 and -2^63", function()
    echo(BIG, LOW, -BIG, not is_js and math.maxinteger or nil)
  end },
  { "non-ASCII text", function() echo(TEXT) end },
  { "100 kB", function() echo(LONG) end },
  { "publish, acknowledged", function()
    equal(math.type(publish("acknowledged", true)), "integer")
    heard("acknowledged")
  end },
  { "publish, not acknowledged", function()
    publish("silent", false)
    heard("silent")
  end },
  { "subscribe", function()
    local got
    a:subscribe(uri "out", function(kwargs, ...) got = { { ... }, wampy.dict(kwargs) } end)
    say(uri "out", "mine")
    until_true(function() return got end)
    equal(got, { news, { mark = "mine" } })
  end },
  { "unsubscribe", function()
    local got = {}
    local gone = a:subscribe(uri "gone", function() got[#got + 1] = "gone" end)
    a:subscribe(uri "stays", function() got[#got + 1] = "stays" end)
    gone:unsubscribe()
    say(uri "gone", "x")
    say(uri "stays", "x")
    until_true(function() return #got > 0 end)
    equal(got, { "stays" })
  end },
  { "register and unregister", function()
    local mine = a:register(uri "mine", function(kwargs, ...)
      return select("#", ...), wampy.kwargs(kwargs)
    end)
    local args, kwargs = split(b:call(uri "mine", 1, 2, wampy.kwargs { three = 3 }))
    equal({ args, kwargs }, { { 2 }, { three = 3 } })
    mine:unregister()
    equal(error_of(b, uri "mine").uri, "wamp.error.no_such_procedure")
  end },
  not is_wampy and { "a caller that leaves in mid-call", function()
    local before = a:call(uri "hung")
    local hanging = b:call_async(uri "hang")
    until_true(function() return a:call(uri "hung") > before end)
    b:stop()
    equal(pcall(hanging.wait, hanging), false)
    echo("still there")
  end },
  { "a callee that leaves in mid-call", function()
    equal(error_of(a, uri "leave").uri == "wamp.error.no_such_procedure", false)
  end },
  { "leaves", function() a:stop() end },
}

for _, test in ipairs(tests) do
  if test then
    local ok, e = xpcall(test[2], function(e) return debug.traceback(tostring(e), 2) end)
    print(ok and "ok - " .. test[1] or ("not ok - %s # %s"):format(test[1], e:gsub("\n", "\\n")))
  end
end
