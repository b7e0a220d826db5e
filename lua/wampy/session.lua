-- session.lua - joining a realm: where the router is, what is asked of it, and the error when
-- nothing comes of it.

local announce = require "wampy.announce"
local auth = require "wampy.auth"
local core = require "wampy.core"
local errors = require "wampy.errors"

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

-- Where to: the in-memory link of an embedded router, or a URL.
local function target(self)
  local router = self.config.router
  if not router then return { url = self.url } end
  if router.server then return { server = router:server() } end
  return { url = router.url, cert_path = router.cert_path }
end

local GAVE_UP = "wamp.error.cannot_authenticate"

--- Answers a CHALLENGE, or gives up; then `join` raises why. The router is only told that.
function session.challenged(self, method, extra)
  local attempt = auth.attempt(self)
  local ok, signature, more = pcall(auth.answer, attempt, method, extra)
  if auth.attempt(self) ~= attempt then return end -- that session is over, another one joins
  if ok then
    ok, signature = pcall(self._core.authenticate, self._core, signature, more)
  end
  if ok then return end
  attempt.failure = signature
  self._core:abort(GAVE_UP, "the challenge was not answered")
end

-- A router that does not prove what it should gets nothing from us.
local function verify(self, attempt, welcome)
  local ok, e = pcall(auth.verify, attempt, welcome)
  if ok then return end
  self._core:abort(GAVE_UP, "the router has not proved itself")
  error(e, 0)
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
  options.roles = announce.roles(c.roles)
  local url = options.url and core.parse_url(options.url)
  options.hello = auth.begin(self, url)
  local attempt = auth.attempt(self)
  local welcome, class, reason, text, transport, code = self._core:connect(options)
  if not welcome then
    error(attempt.failure or session.end_error(class, reason, text, transport, code), 0)
  end
  verify(self, attempt, welcome)
  url = url or {}
  self.connected = true
  self.session = {
    id = welcome.session, realm = self.realm, roles = welcome.roles, host = url.host,
    port = url.port, details = welcome,
  }
  for _, name in ipairs { "authid", "authrole", "authmethod", "authprovider" } do
    if welcome[name] ~= core.null then self.session[name] = welcome[name] end
  end
end

return session
