-- router.lua - wampy.routers.Router: where a router is, and what the other router classes are made
-- with (lua-api: Routers).
--
-- A Router runs nothing: it is an address, and the CA file that belongs to it.

local check = require "wampy.check"
local constants = require "wampy.constants"
local core = require "wampy.core"
local errors = require "wampy.errors"

local router = {}

--- Makes a class: called with a table of fields it gives `class.new(fields)`.
-- @param name for messages
-- @param parent class whose methods it inherits, or nil
function router.class(name, parent)
  local c = { __name = name }
  c.__index = c
  return setmetatable(c, { __index = parent,
    __call = function(self, t) return self.new(t or {}) end })
end

-- Where a router is.
-- @object wampy.routers.Router
-- @tfield string url
-- @tfield string scheme
-- @tfield string host
-- @tfield integer port
-- @tfield string path
-- @tfield integer ipv
-- @tfield string? cert_path
local Router = router.class("wampy.routers.Router")
router.Router = Router

--- The fields of every class that has an address.
router.rules = { url = "string", cert_path = "string", ipv = { "4 or 6", function(value)
  return value == 4 or value == 6
end } }

--- Gives an object its address: `url` and its parts, `ipv`, `cert_path`.
-- @param self object of a class that inherits from Router
-- @param t the fields that its constructor was given
-- @param url the address
-- @return self; raises WampyError
function router.locate(self, t, url)
  local parts, e = core.parse_url(url)
  if not parts then errors.raise("WampyError", e) end
  for name, value in pairs(parts) do self[name] = value end
  self._ipv = t.ipv or 0
  self.ipv = t.ipv or (parts.host:find(":", 1, true) and 6 or 4)
  self.cert_path = t.cert_path
  return self
end

--- Where a router is.
-- @param t { url = "ws://..."; cert_path = CA file; ipv = 4 or 6: the addresses that try_connection
-- uses of a host that has both }
-- @return Router with `url`, `scheme`, `host`, `port`, `path`, `ipv`, `cert_path`
function Router.new(t)
  check.fields("Router", t, router.rules)
  return router.locate(setmetatable({}, Router), t, t.url or constants.DEFAULT_URL)
end

--- Whether its URL asks for TLS.
-- @return boolean
function Router:can_use_tls()
  return self.scheme:find("^wss") ~= nil or self.scheme:find("^rss") ~= nil
end

--- Whether something accepts connections at its address (TCP or Unix socket; nothing is sent).
-- Waits as a call does; only a name that has to be looked up holds others up.
-- @param timeout seconds, default 5
-- @return true, or false and why not
function Router:try_connection(timeout)
  local limit, reason = core.now() + (timeout or 5), nil
  for n = 1, math.huge do
    local ok, why = core.dial(self.url, self._ipv, n, math.max(0, limit - core.now()))
    if ok == nil then return false, reason or "the host has no address" end
    if ok then return true end
    reason = why
  end
end

return router
