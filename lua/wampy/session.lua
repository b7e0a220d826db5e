-- session.lua - joining a realm: where the router is, what is asked of it, the error when nothing
-- comes of it, and the Session object when something does (lua-api: Session).
--
-- A client has one Session object, which describes its latest session: `client.session` is that
-- object while joined, else nil. Starting and stopping are the client's.

local announce = require "wampy.announce"
local auth = require "wampy.auth"
local cookies = require "wampy.cookies"
local core = require "wampy.core"
local errors = require "wampy.errors"
local message_handler = require "wampy.message_handler"
local proxy = require "wampy.proxy"
local tls = require "wampy.tls"

local session = {}

-- The latest session of a client.
-- @object wampy.Session
-- @tfield integer id
-- @tfield string realm
-- @tfield string host
-- @tfield integer port
-- @tfield table roles what the router announced
-- @tfield table details all that the router said
-- @tfield string? authid
-- @tfield string? authrole
-- @tfield string? authmethod
-- @tfield string? authprovider
local Session = { __name = "wampy.Session" }
Session.__index = Session

--- Sends a message made by hand; see Client:send_message.
-- @return the id of a request, or nil
function Session:send_message(message)
  return self._client:send_message(message)
end

--- The next message that came for one sent by hand; see Client:recv_message.
-- @return object of wampy.messages | nil, "timeout"
function Session:recv_message(timeout)
  return self._client:recv_message(timeout)
end

--- Joins the realm again, if the session has ended: the client's start, with its roles.
-- @return self, with the new id; raises as start does, after connect_timeout at the latest
function Session:begin()
  self._client:start()
  return self
end

--- Says GOODBYE and ends the session: the client's stop. `begin`, or start, may follow.
function Session:finish()
  self._client:stop()
end

Session["end"] = Session.finish

function Session.__tostring(self)
  return ("session %s of realm %s"):format(self.id, self.realm)
end

-- The client's Session object, describing the session that began with this WELCOME.
local function describe(client, welcome, url)
  local self = client._session or setmetatable({ _client = client }, Session)
  client._session = self
  self.id, self.realm, self.roles = welcome.session, client.realm, welcome.roles
  self.host, self.port, self.details = url.host, url.port, welcome
  for _, name in ipairs { "authid", "authrole", "authmethod", "authprovider" } do
    local value = welcome[name]
    self[name] = value ~= core.null and value or nil -- some routers write null
  end
  return self
end

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

-- Those of the upgrade: the client's own, and the cookies that the router has set before.
local function headers(self, url)
  local c = self.config
  self._cookies = self._cookies or {}
  local again = url and c.cookies and cookies.header(self._cookies, url)
  local lines = table.move(c.headers, 1, #c.headers, 1, {})
  lines[#lines + 1] = again or nil
  return lines
end

--- Connects a client and joins its realm.
-- @param self the client; gets `session` and `connected`
function session.join(self)
  local c = self.config
  local options = target(self)
  for _, name in ipairs { "realm", "connect_timeout", "call_timeout", "ping_interval",
    "ping_timeout", "max_message_size", "serializers", "compress" } do
    options[name] = c[name]
  end
  options.tap_in, options.tap_out = message_handler.overrides(self.message_handler)
  options.agent = core.agent or "wampy-lua " .. core.version
  options.roles = announce.roles(c.roles)
  local url = options.url and core.parse_url(options.url)
  if url then options.proxy = proxy.of(url, c.proxy) end
  options.headers = headers(self, url)
  options.hello = auth.begin(self, url)
  local attempt = auth.attempt(self)
  local welcome, class, reason, text, transport, code = self._core:connect(options)
  if not welcome then
    error(attempt.failure or session.end_error(class, reason, text, transport, code), 0)
  end
  verify(self, attempt, welcome)
  if url and c.cookies then cookies.keep(self._cookies, url, self._core:cookies()) end
  url = url or {}
  self.connected = true
  self.session = describe(self, welcome, url)
end

return session
