-- A codec of payload passthru mode: AES-256-GCM, with keys that have names, so that they can be
-- replaced one peer after the other. The first key seals, all of them open.
local wampy = require "wampy"
local aead = wampy.aead

local sealing = {}

local VARIABLE = "WAMPY_PAYLOAD_KEYS"

-- "NAME=DIGITS NAME=DIGITS ..." as keys by name, and the name of the first.
local function read_keys(text)
  local keys, first = {}, nil
  for word in (text or ""):gmatch("%S+") do
    local name, digits = word:match("^([%w_-]+)=(%x+)$")
    if not name or #digits ~= 64 then first = nil break end
    keys[name], first = aead.key(digits), first or name
  end
  if not first then error(VARIABLE .. ": expected NAME=64 hexadecimal digits, once or more", 0) end
  return keys, first
end

-- What is sealed for one procedure or topic opens for no other, and a call is no result.
local function bound(about, name)
  return table.concat({ about.kind, about.uri, name }, "\0")
end

--- Makes the codec.
-- @param text the keys, or nil: those of the environment, read when the first one is needed
-- @return codec, for the field codecs of a client, or client:codec
function sealing.codec(text)
  local keys, first
  local function ready()
    if not keys then keys, first = read_keys(text or os.getenv(VARIABLE)) end
  end
  return {
    strict = true,
    encode = function(args, kwargs, _, about)
      ready()
      return aead.seal(keys[first], wampy.pack("cbor", args, kwargs), bound(about, first)),
        { ppt_serializer = "cbor", ppt_cipher = "aes256gcm", ppt_keyid = first }
    end,
    decode = function(bytes, options, about)
      ready()
      local name = options.ppt_keyid or ""
      if not keys[name] then error(("no key %q"):format(name), 0) end
      return wampy.unpack("cbor", aead.open(keys[name], bytes, bound(about, name)))
    end,
  }
end

return sealing
