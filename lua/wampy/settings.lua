-- settings.lua - what is said of clients in words, by flags, by variables of the environment, and
-- by profiles: how each setting is read, and which field of a client it is.
--
-- Who a client is, and what proves it, is in credentials.lua.

local errors = require "wampy.errors"
local serializers = require "wampy.serializers"

local settings = {}

-- ---- reading ----------------------------------------------------------------------------------
-- Each returns the value; or nil and what was expected.

--- A time: "5", "5s", "500ms", "2m".
-- @return seconds; or nil and what was expected
function settings.duration(text)
  local n, unit = text:match("^([%d.]+)(%a*)$")
  local factor = ({ [""] = 1, s = 1, ms = 0.001, m = 60, h = 3600 })[unit or ""]
  if not tonumber(n) or not factor then
    return nil, ("expected a time such as 5s or 500ms, got '%s'"):format(text)
  end
  return tonumber(n) * factor
end

--- How often to try again: a number, or "inf".
function settings.retries(text)
  if text == "inf" then return math.huge end
  local n = math.tointeger(tonumber(text))
  if not n or n < 0 then return nil, ("expected a number or inf, got '%s'"):format(text) end
  return n
end

--- Whether a text can be a header of an HTTP request, "Name: value".
function settings.is_header(text)
  return type(text) == "string" and text:find("^[%w!#$%%&'*+.^_`|~-]+:[^%c]*$") ~= nil
end

--- A header of the upgrade request.
function settings.header(text)
  if settings.is_header(text) then return text end
  return nil, ("expected 'Name: value', got '%s'"):format(text)
end

-- Several of them, a line each.
local function headers(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local header, fault = settings.header(line)
    if fault then return nil, fault end
    list[#list + 1] = header
  end
  return list
end

local truths = { ["1"] = true, ["true"] = true, yes = true, ["0"] = false, ["false"] = false,
  no = false }

local function truth(text)
  if truths[text] == nil then return nil, ("expected 1 or 0, got '%s'"):format(text) end
  return truths[text]
end

-- ---- which there are --------------------------------------------------------------------------

-- `field` is the client's, when it is not called as the setting is; `tls` one of its field tls.
local list = {
  { name = "url", variable = "WAMPY_URL" },
  { name = "realm", variable = "WAMPY_REALM" },
  { name = "serializer", variable = "WAMPY_SERIALIZER", field = "serializers",
    read = serializers.parse },
  { name = "header", variable = "WAMPY_HEADER", field = "headers", read = headers },
  { name = "connect_timeout", variable = "WAMPY_CONNECT_TIMEOUT", read = settings.duration },
  { name = "call_timeout", variable = "WAMPY_CALL_TIMEOUT", read = settings.duration },
  { name = "ping", variable = "WAMPY_PING", field = "ping_interval", read = settings.duration },
  { name = "ca", variable = "WAMPY_CA", field = "cert_path" },
  { name = "cert", variable = "WAMPY_CERT", tls = "cert" },
  { name = "cert_key", variable = "WAMPY_CERT_KEY", tls = "key" },
  { name = "server_name", variable = "WAMPY_SERVER_NAME", tls = "server_name" },
  { name = "insecure", variable = "WAMPY_INSECURE", tls = "insecure", read = truth },
}

--- The fields of a client that some source gives.
-- @param get function(setting's name, its variable) -> text or nil, and what messages call it
-- @return table of fields, and `given`, which has for each what messages call it; raises WampyError
-- for what cannot be read
function settings.fields(get)
  local fields = { tls = {}, given = {} }
  for _, setting in ipairs(list) do
    local text, where = get(setting.name, setting.variable)
    if text and text ~= "" then
      local value, fault = text, nil
      if setting.read then value, fault = setting.read(text) end
      if fault then errors.raise("WampyError", where .. ": " .. fault) end
      local into = setting.tls and fields.tls or fields
      into[setting.tls or setting.field or setting.name] = value
      if not setting.tls then fields.given[setting.field or setting.name] = where end
    end
  end
  return fields
end

--- Whether there is a setting of this name.
function settings.known(name)
  for _, setting in ipairs(list) do
    if setting.name == name then return true end
  end
  return false
end

return settings
