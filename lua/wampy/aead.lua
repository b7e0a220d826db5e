-- aead.lua - bytes that only who has the key can read, or make: AES in Galois/Counter Mode.
--
-- What is sealed begins with its nonce, which is drawn anew each time, and ends with its tag.

local core = require "wampy.core"
local errors = require "wampy.errors"

local aead = {}

local NONCE, TAG = 12, 16 -- bytes
local KEYS = { [16] = true, [24] = true, [32] = true } -- AES-128, -192, -256

local function check(verb, name, value)
  if type(value) ~= "string" then
    errors.raise("WampyError", ("aead.%s: %s: expected a string, got %s"):format(verb, name,
      type(value)))
  end
  return value
end

local function check_key(verb, key)
  if not KEYS[#check(verb, "key", key)] then
    errors.raise("WampyError", ("aead.%s: key: expected 16, 24 or 32 bytes, got %d"):format(verb,
      #key))
  end
end

--- Reads a key as people write it, and `openssl rand -hex 32` does.
-- @tparam string hex 32, 48 or 64 hexadecimal digits
-- @return the key, 16, 24 or 32 bytes
function aead.key(hex)
  local length = type(hex) == "string" and #hex // 2
  local key = KEYS[length] and core.auth_unhex(hex, length)
  if not key then
    errors.raise("WampyError", "aead.key: expected 32, 48 or 64 hexadecimal digits")
  end
  return key
end

--- Seals bytes.
-- @tparam string key 16, 24 or 32 bytes
-- @param text string
-- @param about string that is not sealed, but must be the same when it is opened; "" when nil
-- @tparam string nonce 12 bytes that are never used again with this key; drawn by chance when nil
-- @return string: nonce, sealed text, tag: 28 bytes longer than the text
function aead.seal(key, text, about, nonce)
  check_key("seal", key)
  nonce = check("seal", "nonce", nonce or core.auth_random(NONCE))
  if #nonce ~= NONCE then
    errors.raise("WampyError", ("aead.seal: nonce: expected 12 bytes, got %d"):format(#nonce))
  end
  return nonce .. core.aead_seal(key, nonce, check("seal", "about", about or ""),
    check("seal", "text", text))
end

--- Opens what was sealed.
-- @tparam string key as it was sealed with
-- @tparam string about as it was sealed with
-- @param sealed string of aead.seal
-- @return the text; raises PayloadError when it is not genuine
function aead.open(key, sealed, about)
  check_key("open", key)
  local text = #check("open", "sealed", sealed) >= NONCE + TAG
    and core.aead_open(key, sealed:sub(1, NONCE), check("open", "about", about or ""),
      sealed:sub(NONCE + 1))
  if not text then
    errors.raise("PayloadError", "sealed with another key, for something else, or changed")
  end
  return text
end

return aead
