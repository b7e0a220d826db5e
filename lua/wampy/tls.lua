-- tls.lua - the TLS settings of clients and routers: what may be given, checked and put into the
-- form that the core takes: { cas = {path...}, cert, key, chain = {path...}, server_name,
-- insecure }.
-- The files themselves are read, and judged, by the core when it needs them.

local check = require "wampy.check"
local errors = require "wampy.errors"

local tls = {}

local router_rules = { ca_path = "string", cert = "string", key = "string" }
local client_rules = { ca_path = "string", cert = "string", key = "string", server_name = "string",
  insecure = "boolean" }

local function checked(t, rules, where)
  check.fields(where, t, rules)
  if (t.cert == nil) ~= (t.key == nil) then
    errors.raise("WampyError", ("%s: %s without %s; give both"):format(where,
      t.cert and "cert" or "key", t.cert and "key" or "cert"))
  end
  return t
end

--- Checks a client's field `tls`.
-- @param t { ca_path, cert, key, server_name, insecure }
-- @param where for messages
-- @return t; raises WampyError naming what is wrong
function tls.check_client(t, where)
  return checked(t, client_rules, where)
end

--- Checks the TLS settings of a router and puts them into the core's form.
-- @param t { cert, key, ca_path = CA of the clients, which must then have certificates }
-- @param where for messages
-- @return table for the core; raises WampyError naming what is wrong
function tls.server(t, where)
  checked(t, router_rules, where)
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
