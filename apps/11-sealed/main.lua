-- Notes that no router can read: arguments, results, errors and events are sealed by a codec, and
-- the app itself is written as any other. Keys are in WAMPY_PAYLOAD_KEYS.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local sealing = dofile(here .. "sealing.lua")
local wampy = require "wampy"
local callee = wampy.callee

local Vault = wampy.Client:extend("Vault")

Vault.sealing = sealing
Vault.defaults = { codecs = { x_sealed = sealing.codec() } }

local notes = wampy.state.notes or {}
wampy.state.notes = notes -- stays through a reload

-- What is not sealed, or by another key, is answered with wampy.error.payload.
Vault.put = callee { "com.example.vault.put", ppt_scheme = "x_sealed" } (function(self, name, text)
  notes[name] = text
  self:publish("com.example.vault.changed", name, wampy.options { ppt_scheme = "x_sealed" })
end)

Vault.get = callee { "com.example.vault.get", ppt_scheme = "x_sealed" } (function(_, name)
  if not notes[name] then error(wampy.error("com.example.vault.no_such_note", name)) end
  return notes[name]
end)

-- Each note as a part of the result, sealed as the result is.
Vault.all = callee { "com.example.vault.all", ppt_scheme = "x_sealed" } (function(_, details)
  local names = {}
  for name in pairs(notes) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do details:progress(name, notes[name]) end
  return #names
end)

return Vault
