local pair = dofile "tests/spec/pair.lua"
local testing = require "wampy.testing"
local wampy = require "wampy"
local options = wampy.options

local SEALED = options { ppt_scheme = "x_sealed" }

local function key(name, digit)
  return ("%s=%s"):format(name, digit:rep(64))
end

describe("apps/11-sealed", function()
  local Vault, net

  -- A client with these keys, or a stranger without any.
  local function client(keys)
    return net:client { codecs = keys and { x_sealed = Vault.sealing.codec(keys) } }
  end

  before_each(function()
    wampy.state.notes = nil
    Vault = dofile "apps/11-sealed/main.lua"
    net = testing.network()
    net:start(Vault, { codecs = { x_sealed = Vault.sealing.codec(key("k1", "a")) } })
  end)

  local function refusal(from, uri, ...)
    return pair.failure(from.call, from, uri, ...)
  end

  it("keeps notes for who has the key", function()
    local ours, heard = client(key("k1", "a")), wampy.queue()
    ours:subscribe("com.example.vault.changed", function(name) heard:put(name) end,
      { ppt_scheme = "x_sealed" })
    ours:call("com.example.vault.put", "b", "bread", SEALED)
    ours:call("com.example.vault.put", "a", wampy.kwargs { text = "äpples" }, SEALED)
    assert.same({ "b", "a" }, { heard:get(10), heard:get(10) })
    assert.equal("bread", ours:call("com.example.vault.get", "b", SEALED))
    local seen = {}
    for i, name, text in ours:stream("com.example.vault.all", SEALED) do
      seen[i] = name .. " " .. text
    end
    assert.same({ "a äpples", "b bread" }, seen)
    local e = refusal(ours, "com.example.vault.get", "c", SEALED)
    assert.equal("com.example.vault.no_such_note", e.uri)
    assert.same({ "c" }, e.args)
  end)

  it("shows others bytes, and the name of the key", function()
    local stranger, heard = client(), wampy.queue()
    stranger:subscribe("com.example.vault.changed", function(payload, details)
      heard:put { tostring(payload), details.ppt_keyid, details.ppt_cipher }
    end)
    client(key("k1", "a")):call("com.example.vault.put", "my secret", "x", SEALED)
    local seen = heard:get(10)
    assert.is_nil(seen[1]:find("secret", 1, true))
    assert.same({ "k1", "aes256gcm" }, { seen[2], seen[3] })
  end)

  it("answers nobody else", function()
    pair.logged(function()
      assert.equal("wampy.error.payload", refusal(client(), "com.example.vault.get", "a").uri)
      for _, keys in ipairs { key("k1", "b"), key("k2", "a") } do
        assert.equal("wampy.error.payload",
          refusal(client(keys), "com.example.vault.get", "a", SEALED).uri)
      end
    end)
  end)

  it("opens nothing that was sealed for another procedure", function()
    local stranger, ours, caught = client(), client(key("k1", "a")), wampy.queue()
    stranger:register("com.example.trap", function(payload) caught:put(payload) end)
    refusal(ours, "com.example.trap", "a", SEALED) -- the trap's answer is not sealed
    local replayed = options { ppt_scheme = "x_sealed", ppt_keyid = "k1" }
    pair.logged(function()
      assert.equal("wampy.error.payload",
        refusal(stranger, "com.example.vault.get", caught:get(10), replayed).uri)
    end)
  end)

  it("takes a new key while the old one is still about", function()
    local both, old = client(key("k2", "b") .. " " .. key("k1", "a")), client(key("k1", "a"))
    both:register("com.example.both", function(x) return x end)
    assert.equal("to k1", both:call("com.example.both", "to k1", SEALED))
    local e = refusal(old, "com.example.both", "from k1", SEALED)
    assert.matches('no key "k2"', e.message)
    old:codec("x_sealed", Vault.sealing.codec(key("k1", "a") .. " " .. key("k2", "b")))
    assert.equal("from k1", old:call("com.example.both", "from k1", SEALED))
  end)

  it("says which variable has no good keys", function()
    for _, text in ipairs { "", "k1", "k1=abc", key("k1", "a") .. " k2=" .. ("g"):rep(64) } do
      local from = client(text)
      assert.matches("WAMPY_PAYLOAD_KEYS: expected NAME=64 hexadecimal digits",
        refusal(from, "com.example.vault.get", "a", SEALED).message)
    end
  end)
end)
