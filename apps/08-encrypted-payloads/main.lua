-- Payloads that no router can read: a MessageHandler seals arguments on their way out and opens
-- them on their way in, with AES-256-GCM. The app below it knows nothing of that.
-- The key is in WAMPY_PAYLOAD_KEY: 64 hexadecimal digits, the same for all peers.
local wampy = require "wampy"
local cipher = require "openssl.cipher"
local rand = require "openssl.rand"
local core = require "wampy.core" -- for JSON as exact as wampy's own

local IV, TAG = 12, 16 -- bytes

local Sealing = wampy.MessageHandler:extend("Sealing")

function Sealing:init(key)
  self.key = key
end

local function key_of(self)
  local hex = os.getenv("WAMPY_PAYLOAD_KEY") or ""
  if not self.key and not (#hex == 64 and hex:find("^%x+$")) then
    error("WAMPY_PAYLOAD_KEY: expected 64 hexadecimal digits", 0)
  end
  self.key = self.key or hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
  return self.key
end

-- What stands in a message in place of its arguments.
local function seal(self, args, kwargs)
  local text = core.json_encode { args or wampy.array {}, kwargs or {} }
  local iv = rand.bytes(IV)
  local sealer = cipher.new("aes-256-gcm"):encrypt(key_of(self), iv)
  local bytes = sealer:final(text)
  return { sealed = wampy.binary(iv .. sealer:getTag(TAG) .. bytes) }
end

local function open(self, kwargs)
  local bytes = kwargs and kwargs.sealed and tostring(kwargs.sealed) or ""
  if #bytes < IV + TAG then error("the payload is not sealed", 0) end
  local opener = cipher.new("aes-256-gcm"):decrypt(key_of(self), bytes:sub(1, IV))
  opener:setTag(bytes:sub(IV + 1, IV + TAG))
  local text = opener:final(bytes:sub(IV + TAG + 1))
  if not text then error("the payload was sealed with another key, or changed", 0) end
  return table.unpack(core.json_decode(text), 1, 2)
end

function Sealing:send_message(message)
  local name = message.name
  if name == "call" or name == "publish" or name == "error" then
    message.kwargs = seal(self, message.args, message.kwargs)
    message.args = nil
  elseif name == "yield" then
    message.result_kwargs = seal(self, message.result_args, message.result_kwargs)
    message.result_args = nil
  end
  Sealing.super.send_message(self, message)
end

function Sealing:handle_message(message)
  local name = message.name
  local from_router = name == "error" and not (message.kwargs and message.kwargs.sealed)
  if not from_router and (name == "invocation" or name == "result" or name == "event"
      or name == "error") then
    message.args, message.kwargs = open(self, message.kwargs)
  end
  Sealing.super.handle_message(self, message)
end

local Notes = wampy.Client:extend("Notes")

Notes.Sealing = Sealing
Notes.defaults = { message_handler = Sealing() }

Notes.add = wampy.callee "com.example.notes.add" (function(self, text)
  self.count = (self.count or 0) + 1
  self:publish("com.example.notes.added", self.count, text)
  return self.count
end)

return Notes
