-- sealed.lua: payload passthru between ours and wampy.js, each as caller, callee, publisher and
-- subscriber: in the formats that both have, as values (native), and encrypted at both ends.
-- usage: wampy-lua sealed.lua URL ROUTER          prints TAP, as the other peers of rpc/ do
local wampy = require "wampy"
local aead, kwargs, options = wampy.aead, wampy.kwargs, wampy.options

local url = arg[1]
local HERE = arg[0]:match("^(.*)/") or "."
local THEIRS, OURS = "interop.sealed.wampy_js.", "interop.sealed.lua."
local KEY = ("k"):rep(32)
local other, client

local FORMATS = { "cbor", "msgpack", "native", "gcm" }

local codec = {
  encode = function(args, kw, keys)
    if keys.ppt_serializer == "gcm" then return aead.seal(KEY, wampy.pack("json", args, kw)) end
    return wampy.pack(keys.ppt_serializer, args, kw)
  end,
  decode = function(payload, keys)
    if keys.ppt_serializer == "gcm" then return wampy.unpack("json", aead.open(KEY, payload)) end
    return wampy.unpack(keys.ppt_serializer, payload)
  end,
}

local function equal(got, wanted)
  if got ~= wanted then error(("%s, not %s"):format(tostring(got), tostring(wanted)), 2) end
end

local function sealed(format)
  return options { ppt_scheme = "x_both", ppt_serializer = format }
end

local tests = {
  { "joins", function()
    other = wampy.process.spawn { "node", HERE .. "/wampy_sealed.js", url, stdout = "pipe" }
    for line in other:lines() do
      if line == "ready" then break end
    end
    client = wampy.Client { url = url, call_timeout = 20, codecs = { x_both = codec } }:start()
    client:register(OURS .. "join", function(a, b, sep, details)
      return ("%s%s%s by %s"):format(a, sep, b, details.ppt_serializer), kwargs { n = #a + #b }
    end)
  end },
  { "its caller, in JSON, which it sends as text", function()
    client:register(OURS .. "json", function(a) return a .. "!" end, {
      ppt_scheme = "x_both", ppt_serializer = "cbor" })
    equal(client:call(THEIRS .. "ask", OURS .. "json", "json", { "täxt" }), "täxt!")
  end },
}

local function add(name, fn)
  for _, format in ipairs(FORMATS) do
    tests[#tests + 1] = { name .. ", " .. format, function() fn(format) end }
  end
end

add("our caller asks its callee", function(format)
  local text, kw = client:call(THEIRS .. "join", "a", "ß", kwargs { sep = "-" }, sealed(format))
  equal(text, "a-ß by " .. format)
  equal(kw.n, 2)
end)

add("its caller asks our callee", function(format)
  equal(client:call(THEIRS .. "ask", OURS .. "join", format, { "a", "ß" }, { sep = "+" }),
    "a+ß by " .. format)
end)

add("its events, and ours", function(format)
  local heard = wampy.queue()
  local held = client:subscribe(OURS .. "news", function(text, details)
    heard:put(text .. " by " .. details.ppt_serializer)
  end)
  client:publish(THEIRS .. "news", "round", sealed(format)) -- it publishes what it hears
  equal(heard:get(20), "round by " .. format)
  held:unsubscribe()
end)

tests[#tests + 1] = { "leaves", function()
  client:stop()
  other:stop()
end }

for _, test in ipairs(tests) do
  local ok, e = xpcall(test[2], function(e) return debug.traceback(tostring(e), 2) end)
  print(ok and "ok - " .. test[1] or ("not ok - %s # %s"):format(test[1], e:gsub("\n", "\\n")))
end
