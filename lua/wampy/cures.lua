-- cures.lua - what to do about a connection that does not come about, by the stage where it fails
-- and what the error says (wampy-lua doctor).

local errors = require "wampy.errors"

local cures = {}

local by_transport = {
  unknown_host = "check the spelling of the host in --url; does `getent hosts NAME` find it?",
  refused = "start the router there, or give its port in --url; wampy-lua router starts one here",
  unreachable = "is there a route to it, or a firewall in between?",
  http_5xx = "the router, or a proxy in front of it, is not up; try again, and look at its log",
  subprotocol = "the path of --url leads to something else than WAMP, or the router has none of "
    .. "the formats: try --serializer json",
  protocol = "something else than a router answers at this port; check host and port of --url",
  lost = "something hangs up: a proxy that knows no WebSockets, or wss:// where ws:// is given",
  closed = "the router closed the connection: look at its log",
}

local by_status = {
  [401] = "a proxy in front of the router wants credentials: --header 'Authorization: ...'",
  [403] = "the router refuses where we come from: look at its allowed origins, or a proxy's rules",
  [404] = "the path of --url is wrong: Crossbar.io often has its WebSocket at /ws",
  [426] = "the path of --url leads to something that wants another protocol",
}

local by_uri = {
  ["wamp.error.no_such_realm"] = "give the realm by --realm; `wampy-lua router --config FILE "
    .. "--check` lists those of a configuration",
  ["wamp.error.no_matching_auth_method"] = "the router takes other methods: see its "
    .. "configuration, and `wampy-lua help auth`",
  ["wamp.error.not_authorized"] = "this name may not join this realm: see its role in the "
    .. "router's configuration",
  ["wamp.close.system_shutdown"] = "the router is going down: try again",
}

local TLS = "give the CA's file by --ca, or the certificate's name by --server-name; is it wss:// "
  .. "that is spoken at this port?"
local AUTH = "check --authid and the secret (--secret-file, --ticket-file, --key); `wampy-lua help "
  .. "auth` has the methods"
local LATE = { dns = "the name server does not answer", tcp = "a firewall drops what is sent, or "
  .. "the host is down", hello = "something else than a router answers, or it is overloaded" }

--- What to do.
-- @param stage where it failed
-- @param e the error
-- @return one line
function cures.of(stage, e)
  if e:is(errors.TimeoutError) then
    return (LATE[stage] or "nobody answers") .. "; more time: --connect-timeout 30s"
  elseif e.uri and by_uri[e.uri] then
    return by_uri[e.uri]
  elseif stage == "authentication" then
    return AUTH
  elseif stage == "tls" then
    return TLS
  elseif e.transport == "http_status" then
    return by_status[e.code] or "the path of --url does not lead to a router's WebSocket"
  end
  return by_transport[e.transport] or "look at the router's log"
end

return cures
