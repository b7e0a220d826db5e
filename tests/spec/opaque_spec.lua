-- opaque_spec: payload with enc_algo, which only its two ends can read, at a Lua app: it comes as
-- one wampy.binary, and is sent by a message made by hand.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local messages, errors = wampy.messages, wampy.errors

local SEALED = wampy.binary("\0\1\255")

describe("an opaque payload", function()
  local p = pair.each(before_each, after_each)

  it("is the only argument of a handler, and of the result", function()
    p.server:register("f", function(details, ...)
      return select("#", ...), ... == SEALED, details.enc_algo, details.enc_key
    end)
    assert.same({ 1, true, "cryptobox", "k1" }, { p.client:make_rpc(messages.Call {
      procedure = "f", args = SEALED, options = { enc_algo = "cryptobox", enc_key = "k1" } }) })
  end)

  it("reaches a subscriber", function()
    local heard = wampy.queue()
    p.server:subscribe("com.t", function(details, payload)
      heard:put { details.enc_algo, payload == SEALED }
    end)
    p.client:send_message(messages.Publish { topic = "com.t", args = SEALED,
      options = { enc_algo = "x_own" } })
    assert.same({ "x_own", true }, (heard:get(pair.PATIENCE)))
  end)

  it("is refused without enc_algo, as enc_algo is without it", function()
    local function complaint(fields)
      fields.topic = "com.t"
      return pair.complaint(p.client.send_message, p.client, messages.Publish(fields))
    end
    assert.equal("PUBLISH: element 5 (arguments) must be a list", complaint { args = SEALED })
    assert.matches("PUBLISH: there is no enc_algo 'rot13'",
      complaint { args = SEALED, options = { enc_algo = "rot13" } })
    assert.matches("keyword arguments beside",
      complaint { args = SEALED, kwargs = { k = 1 }, options = { enc_algo = "mqtt" } })
    local e = pair.failure(p.client.publish, p.client, "com.t", SEALED,
      wampy.options { enc_algo = "mqtt" })
    assert.is_true(e:is(errors.WampyError))
    assert.matches("made by hand", e.message)
  end)
end)
