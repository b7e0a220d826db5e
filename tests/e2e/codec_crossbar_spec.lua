-- Payload passthru and a real Crossbar.io, which does not have it: what is sealed is refused before
-- it is sent, and what is not passes a client with codecs as ever.
local node = dofile "tests/e2e/node.lua"
local wampy = require "wampy"

local PATIENCE = 30

describe("codecs and Crossbar.io", function()
  local url

  setup(function()
    url = node.start()
  end)

  teardown(node.stop)

  it("are refused by name, and the session goes on", function()
    local codec = {
      strict = true,
      encode = function(args, kw) return wampy.pack("json", args, kw) end,
      decode = function(bytes) return wampy.unpack("json", bytes) end,
    }
    local client <close> = wampy.Client { url = url, call_timeout = PATIENCE,
      codecs = { x_c = codec } }:start()
    local sealed = wampy.options { ppt_scheme = "x_c" }
    client:register("com.plain", function(x) return x end)
    for _, verb in ipairs { "call", "call_async", "publish" } do
      local ok, e = pcall(client[verb], client, "com.plain", 1, sealed)
      assert.is_false(ok)
      assert.equal("the router did not announce payload_passthru_mode (needed by ppt_scheme)",
        e.message)
    end
    client:register("com.sealed", function(x) return x end, { ppt_scheme = "x_c" })
    local ok, e = pcall(client.call, client, "com.sealed", 1)
    assert.is_false(ok)
    assert.equal("wampy.error.payload", e.uri)
    assert.equal(7, client:call("com.plain", 7))
  end)
end)
