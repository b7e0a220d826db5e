-- session.lua - joining a realm: where the router is, what is asked of it, and the error when
-- nothing comes of it.

local core = require "wampy.core"
local errors = require "wampy.errors"
local tls = require "wampy.tls"

local session = {}

local refusals = {
  ["wamp.error.not_authorized"] = true, ["wamp.error.authentication_failed"] = true,
  ["wamp.error.authentication_denied"] = true, ["wamp.error.authentication_required"] = true,
  ["wamp.error.no_matching_auth_method"] = true, ["wamp.error.no_auth_method"] = true,
  ["wamp.error.no_such_principal"] = true, ["wamp.error.cannot_authenticate"] = true,
  ["wamp.error.authorization_failed"] = true,
}

-- The error for a session that did not come about, or has ended. Its fields say what
-- `wampy-lua run` needs: `uri` when the router refused, `transport` and `code` when the link did.
function session.end_error(class, reason, text, transport, code)
  if reason == "wamp.close.transport_lost" or class == "TimeoutError" then
    reason = nil -- our own word, not the router's
  end
  if transport == "http_status" and code >= 500 and code < 600 then transport = "http_5xx" end
  local fields_of = { uri = reason, transport = transport, code = code }
  if transport == "truncated" then fields_of.required_bytes = code end
  if class == "left" then class = "ConnectionError" end
  if refusals[reason] then class = "AuthenticationError" end
  local message = text or reason or "the session ended"
  if reason and not message:find(reason, 1, true) then
    message = ("%s (%s)"):format(message, reason)
  end
  return errors.make(class, message, fields_of)
end

-- Where to: the in-memory link of an embedded router, or a URL and how to trust what is there.
local function target(self)
  local c = self.config
  local router = c.router or {}
  if router.server then return { server = router:server() } end
  return { url = router.url or self.url, tls = tls.client(c.cert_path or router.cert_path, c.tls) }
end

--- Connects a client and joins its realm.
-- @param self the client; gets `session` and `connected`
function session.join(self)
  local c = self.config
  local options = target(self)
  for _, name in ipairs { "realm", "connect_timeout", "call_timeout", "ping_interval",
    "ping_timeout", "max_message_size", "headers" } do
    options[name] = c[name]
  end
  options.agent = core.agent or "wampy-lua " .. core.version
  local welcome, class, reason, text, transport, code = self._core:connect(options)
  if not welcome then error(session.end_error(class, reason, text, transport, code), 0) end
  local url = options.url and core.parse_url(options.url) or {}
  self.connected = true
  self.session = {
    id = welcome.session, realm = self.realm, roles = welcome.roles, host = url.host,
    port = url.port, authid = welcome.authid, authrole = welcome.authrole,
    authmethod = welcome.authmethod, details = welcome,
  }
end

return session
