-- tls.lua - the TLS settings of clients and routers: what may be given, checked and put into the
-- form that the core takes: { cas = {path...}, cert, key, chain = {path...}, server_name, insecure }.
-- The files themselves are read, and judged, by the core when it needs them.

local errors = require "wampy.errors"

local tls = {}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

local client_keys = { ca_path = "string", cert = "string", key = "string", server_name = "string",
  insecure = "boolean" }
local server_keys = { ca_path = "string", cert = "string", key = "string" }

local function check(t, known, where)
  for name, value in pairs(t) do
    local want = known[name]
    if not want then bad("%s: unknown field %q", where, tostring(name)) end
    if type(value) ~= want then
      bad("%s.%s: expected a %s, got %s", where, name, want, type(value))
    end
  end
  if not t.cert ~= not t.key then
    bad("%s: %s without %s; give both", where, t.cert and "cert" or "key", t.cert and "key" or "cert")
  end
  return t
end

--- Checks a client's field `tls`.
-- @param t { ca_path, cert, key, server_name, insecure }
-- @param where for messages
-- @return t; raises WampyError naming what is wrong
function tls.check_client(t, where)
  return check(t, client_keys, where)
end

--- Checks the TLS settings of a router and puts them into the core's form.
-- @param t { cert, key, ca_path = CA of the clients, which must then have certificates }
-- @param where for messages
-- @return table for the core; raises WampyError naming what is wrong
function tls.server(t, where)
  check(t, server_keys, where)
  return { cert = t.cert, key = t.key, cas = { t.ca_path } }
end

--- A client's settings in the core's form.
-- @param cert_path a CA file, or nil
-- @param t as check_client takes it, or nil
-- @return table for the core
function tls.client(cert_path, t)
  t = t or {}
  local cas = { cert_path }
  cas[#cas + 1] = t.ca_path
  return { cas = cas, cert = t.cert, key = t.key, server_name = t.server_name,
    insecure = t.insecure }
end

return tls
