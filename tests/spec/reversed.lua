-- reversed.lua: a codec whose bytes are turned round, so that a look at them shows that they were
-- sealed, and one that was not told of it cannot read them.
local wampy = require "wampy"

return function(format)
  return {
    encode = function(args, kw) return wampy.pack(format, args, kw):reverse() end,
    decode = function(bytes) return wampy.unpack(format, bytes:reverse()) end,
  }
end
