-- proxy.lua - the HTTP proxy that a client goes through: the field `proxy`, else the environment
-- as other programs read it (http_proxy, https_proxy, no_proxy).
--
-- What a URL is secured by decides on the variable: https_proxy is for wss and rss, http_proxy for
-- ws and rs. Unix sockets need none, and by the environment neither does this machine itself.

local errors = require "wampy.errors"

local proxy = {}

local EXPECTED = "http://[user:password@]host[:port]"

-- A secret must not get into a message.
local function shown(text)
  return (text:gsub("//[^/]*@", "//***@"))
end

local function decode(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- host and port of "host:port" or "[::1]:port"; nothing when it is neither.
local function split_address(address)
  local host, port = address:match("^%[([%x:.]+)%]:?(%d*)$")
  if not host then host, port = address:match("^([%w._-]+):?(%d*)$") end
  port = port == "" and 80 or tonumber(port)
  if host and port and port >= 1 and port <= 65535 then return host, math.tointeger(port) end
end

--- Reads a proxy's URL.
-- @param text http://[user:password@]host[:port]; "http://" may be missing
-- @return { host, port, user = "user:password" or nil }; or nil and what is wrong with it
function proxy.parse(text)
  local scheme, rest = text:match("^(%a[%w+.-]*)://(.*)$")
  if scheme and scheme:lower() ~= "http" then
    return nil, ("a proxy is spoken to by http, not %s (expected %s)"):format(scheme, EXPECTED)
  end
  rest = (rest or text):gsub("/$", "")
  local user, address = rest:match("^(.*)@([^@]*)$")
  local host, port = split_address(address or rest)
  if not host then return nil, ("invalid proxy %q (expected %s)"):format(shown(text), EXPECTED) end
  if user and #user > 500 then return nil, "the proxy's user and password are too long" end
  if user and not user:find(":", 1, true) then user = user .. ":" end
  return { host = host, port = port, user = user and decode(user) }
end

-- ---- the environment --------------------------------------------------------------------------

-- The capitals of http_proxy are what a web server makes of a request's header "Proxy".
local variables = {
  ws = { "http_proxy" }, rs = { "http_proxy" },
  wss = { "https_proxy", "HTTPS_PROXY" }, rss = { "https_proxy", "HTTPS_PROXY" },
}

local function first_set(names)
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then return value, name end
  end
end

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("^127%.") ~= nil
end

-- One entry of no_proxy: "*", a host with all below it, either with ":port".
local function covers(entry, url)
  local name, port = entry:match("^%[?([^%]]-)%]?:(%d+)$")
  if not name or name:find(":", 1, true) and not entry:find("^%[") then name, port = entry, nil end
  if port and tonumber(port) ~= url.port then return false end
  name = name:gsub("^%*?%.", ""):lower()
  local host = url.host:lower()
  return name == "*" or host == name or host:sub(-#name - 1) == "." .. name
end

local function is_exempt(url)
  for entry in (first_set { "no_proxy", "NO_PROXY" } or ""):gmatch("[^,%s]+") do
    if covers(entry, url) then return true end
  end
  return is_loopback(url.host)
end

--- The proxy for a connection.
-- @param url as core.parse_url has it
-- @param given the client's field: a URL, false for none, nil for what the environment says
-- @return as parse, or nil for none; raises WampyError for a proxy that cannot be one
function proxy.of(url, given)
  local names = variables[url.scheme]
  if not names or given == false then return nil end
  local text, name = given, "Client: field proxy"
  if text == nil then text, name = first_set(names) end
  if not text or given == nil and is_exempt(url) then return nil end
  local result, fault = proxy.parse(text)
  if not result then errors.raise("WampyError", ("%s: %s"):format(name, fault)) end
  return result
end

return proxy
