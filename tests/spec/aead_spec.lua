-- aead_spec: wampy.aead seals and opens bytes; the sums are checked in tests/unit/test_aead.c.
local pair = dofile "tests/spec/pair.lua"
local wampy = require "wampy"
local aead = require "wampy.aead"

local KEY = ("k"):rep(32)

local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

describe("wampy.aead", function()
  it("opens what it has sealed, of any length, with each length of key", function()
    for _, length in ipairs { 16, 24, 32 } do
      local key = ("k"):rep(length)
      for _, n in ipairs { 0, 1, 15, 16, 17, 1000, 100000 } do
        local text = ("\0x\255"):rep(n):sub(1, n)
        local sealed = aead.seal(key, text, "for this")
        assert.equal(n + 28, #sealed)
        assert.equal(text, aead.open(key, sealed, "for this"))
      end
    end
  end)

  it("seals as NIST's test case 16 does (the nonce in front)", function()
    local key = aead.key "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    local function bytes(text)
      return (text:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
    end
    local sealed = aead.seal(key,
      bytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        .. "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
      bytes "feedfacedeadbeeffeedfacedeadbeefabaddad2", bytes "cafebabefacedbaddecaf888")
    assert.equal("cafebabefacedbaddecaf888"
      .. "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      .. "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
      .. "76fc6ece0f4e1768cddf8853bb2d551b", hex(sealed))
  end)

  it("never seals the same twice", function()
    assert.not_equal(aead.seal(KEY, "text"), aead.seal(KEY, "text"))
  end)

  it("opens nothing that is not genuine", function()
    local sealed = aead.seal(KEY, "text", "about")
    local function refused(...)
      local e = pair.failure(aead.open, ...)
      assert.is_true(e:is(wampy.errors.PayloadError))
      assert.matches("another key, for something else, or changed", e.message)
    end
    refused(("K"):rep(32), sealed, "about")
    refused(KEY, sealed, "something else")
    refused(KEY, sealed)
    for i = 1, #sealed do
      local changed = string.char(sealed:byte(i) ~ 1)
      refused(KEY, sealed:sub(1, i - 1) .. changed .. sealed:sub(i + 1), "about")
    end
    for n = 0, #sealed - 1 do refused(KEY, sealed:sub(1, n), "about") end
  end)

  it("names what is wrong with its arguments", function()
    assert.matches("aead.seal: key: expected 16, 24 or 32 bytes, got 5",
      pair.complaint(aead.seal, "short", "text"))
    assert.matches("aead.open: key: expected a string, got nil", pair.complaint(aead.open))
    assert.matches("aead.seal: text: expected a string, got nil", pair.complaint(aead.seal, KEY))
    assert.matches("aead.seal: about: expected a string, got table",
      pair.complaint(aead.seal, KEY, "", {}))
    assert.matches("aead.seal: nonce: expected 12 bytes, got 3",
      pair.complaint(aead.seal, KEY, "", "", "abc"))
    assert.matches("aead.open: sealed: expected a string, got number",
      pair.complaint(aead.open, KEY, 7))
    for _, text in ipairs { "", "00", "g" .. ("0"):rep(63), ("0"):rep(63), ("0"):rep(66) } do
      assert.matches("aead.key: expected 32, 48 or 64 hexadecimal digits",
        pair.complaint(aead.key, text))
    end
    assert.matches("aead.key", pair.complaint(aead.key))
    assert.equal(16, #aead.key(("aF"):rep(16)))
  end)
end)
