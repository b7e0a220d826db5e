-- auth.lua - the authentication methods from the client's side: what HELLO offers, how each
-- CHALLENGE is answered, and what WELCOME must prove (WAMP: authentication methods).
--
-- One table, `methods`, has a row per method. The router is not trusted here: it may ask for a
-- method that was not offered, a derivation that takes hours, a signature for somebody else's
-- challenge. Whatever is wrong raises AuthenticationError; no message contains a secret. Where
-- secrets come from is in credentials.lua, the arithmetic in the core.

local core = require "wampy.core"
local credentials = require "wampy.credentials"
local errors = require "wampy.errors"

local auth = {}

local limits = core.auth_limits

local function fail(fmt, ...)
  errors.raise("AuthenticationError", fmt:format(...))
end

-- ---- reading a challenge ------------------------------------------------------------------------

local function absent(value)
  return value == nil or value == core.null
end

-- A member of CHALLENGE.Extra of this type; `default` when it is absent.
local function member(attempt, extra, name, want, default)
  local value = extra[name]
  if absent(value) then
    if default == nil then fail("%s: the challenge has no %s", attempt.method, name) end
    return default
  end
  local got = math.type(value) or type(value)
  if got ~= want then
    fail("%s: the challenge's %s is of type %s, not %s", attempt.method, name, got, want)
  end
  return value
end

-- A cost that the router chose: from `least` to `most`.
local function cost(attempt, extra, name, least, most, default)
  local n = member(attempt, extra, name, "integer", default)
  if n < least or n > most then
    fail("%s: the router asks for %s = %d, which is not in %d ... %d", attempt.method, name, n,
      least, most)
  end
  return n
end

local function unbase64(attempt, text, name)
  local bytes = core.auth_unbase64(text)
  if not bytes then fail("%s: the challenge's %s is not Base64", attempt.method, name) end
  return bytes
end

local function no_binding(attempt, extra)
  if not absent(extra.channel_binding) then
    fail("%s: the router binds to a channel, which was not asked for", attempt.method)
  end
end

-- ---- wampcra ------------------------------------------------------------------------------------

local function answer_cra(attempt, extra, secret)
  local challenge = member(attempt, extra, "challenge", "string")
  local salt, key = member(attempt, extra, "salt", "string", ""), secret
  if salt ~= "" then
    key = core.auth_cra_key(secret, salt,
      cost(attempt, extra, "iterations", 1, limits.iterations, 1000),
      cost(attempt, extra, "keylen", 1, limits.keylen, 32))
  end
  return core.auth_cra_sign(key, challenge), {}
end

-- ---- cryptosign ---------------------------------------------------------------------------------

local function hello_cryptosign(attempt, extra)
  local key = attempt.secrets.private_key
  if not key then
    fail("cryptosign needs a private key: give auth = { private_key = ... } or WAMPY_PRIVATE_KEY")
  end
  extra.pubkey = core.auth_hex(core.auth_public_key(key))
end

-- Exactly 32 bytes are signed: nothing that could mean something elsewhere.
local function answer_cryptosign(attempt, extra, key)
  no_binding(attempt, extra)
  local challenge = core.auth_unhex(member(attempt, extra, "challenge", "string"), 32)
  if not challenge then fail("cryptosign: the challenge is not 64 hex digits") end
  return core.auth_hex(core.auth_sign(key, challenge) .. challenge), {}
end

-- ---- SCRAM --------------------------------------------------------------------------------------
-- Two methods that differ in how they write things: `scram.spec` is WAMP's wamp-scram,
-- `scram.crossbar` the older "scram" of Crossbar.io and Autobahn.

local scram = {}

-- The salted password by PBKDF2, from the salt as the method wants it.
local function pbkdf2(attempt, extra, password, salt)
  return core.auth_pbkdf2(password, salt,
    cost(attempt, extra, "iterations", limits.scram_least, limits.iterations))
end

local function argon2id(attempt, extra, password, salt)
  if not core.auth_has_argon2 then
    fail("%s: the router asks for Argon2, which this build does not have", attempt.method)
  end
  local memory = cost(attempt, extra, "memory", 8, limits.memory)
  local iterations = cost(attempt, extra, "iterations", 1, limits.work // memory)
  local hash = core.auth_argon2id(password, salt, iterations, memory)
  if not hash then fail("%s: the challenge's salt is shorter than 8 bytes", attempt.method) end
  return hash
end

scram.spec = {
  binding = "biws", -- Base64 of "n,,": no channel is bound
  verifier = "verifier",
  kdfs = {
    pbkdf2 = function(attempt, extra, password)
      return pbkdf2(attempt, extra, password, unbase64(attempt, extra.salt, "salt"))
    end,
    argon2id13 = function(attempt, extra, password)
      return argon2id(attempt, extra, password, unbase64(attempt, extra.salt, "salt"))
    end,
  },
  begins = function(_, nonce, ours) return nonce:sub(1, #ours) == ours end,
  extra = function(nonce)
    return { nonce = nonce, channel_binding = core.null, cbind_data = core.null }
  end,
}

scram.crossbar = {
  binding = "",
  verifier = "scram_server_signature",
  kdfs = {
    pbkdf2 = function(attempt, extra, password)
      return pbkdf2(attempt, extra, password, extra.salt)
    end,
    ["argon2id-13"] = function(attempt, extra, password)
      local hash = argon2id(attempt, extra, password, unbase64(attempt, extra.salt, "salt"))
      return (core.auth_base64(hash):gsub("=", ""))
    end,
  },
  begins = function(attempt, nonce, ours) -- the bytes, not their Base64 texts
    ours = core.auth_unbase64(ours)
    return unbase64(attempt, nonce, "nonce"):sub(1, #ours) == ours
  end,
  extra = function() return {} end,
}

local function hello_scram(attempt, extra)
  if not attempt.authid then
    fail("SCRAM needs an authid: give auth = { authid = ... } or WAMPY_AUTHID")
  end
  extra.nonce = extra.nonce or core.auth_base64(core.auth_random(16))
  attempt.nonce = extra.nonce
end

local function check_prepared(attempt, password)
  for name, text in pairs { authid = attempt.authid, password = password } do
    if not core.auth_prepared(text) then
      fail("%s: the %s has a character that SASLprep does not allow", attempt.method, name)
    end
  end
  if attempt.method == "scram" and attempt.authid:find("[,=]") then
    fail('scram: an authid with "," or "=" has no spelling in it')
  end
end

local function answer_scram(how)
  return function(attempt, extra, password)
    check_prepared(attempt, password)
    no_binding(attempt, extra)
    local nonce, salt = member(attempt, extra, "nonce", "string"),
      member(attempt, extra, "salt", "string")
    if not how.begins(attempt, nonce, attempt.nonce) or #nonce <= #attempt.nonce then
      fail("%s: the challenge's nonce does not continue ours", attempt.method)
    end
    local kdf = member(attempt, extra, "kdf", "string")
    if not how.kdfs[kdf] then fail("%s: unknown kdf %q", attempt.method, kdf:sub(1, 40)) end
    local salted = how.kdfs[kdf](attempt, extra, password)
    local proof, verifier = core.auth_scram({ authid = attempt.authid, nonce = nonce,
      client_nonce = attempt.nonce, salt = salt, binding = how.binding,
      iterations = extra.iterations }, salted)
    attempt.verifier = verifier
    return proof, how.extra(nonce)
  end
end

-- Some routers write "v=" in front, as RFC 5802 does.
local function check_scram(how)
  return function(attempt, authextra)
    local verifier = authextra[how.verifier]
    if type(verifier) ~= "string" then
      fail("the router proves nothing: WELCOME has no %s", how.verifier)
    end
    if not core.auth_equal(verifier:gsub("^v=", "", 1), attempt.verifier) then
      fail("the router does not know the password: wrong %s in WELCOME", how.verifier)
    end
  end
end

-- ---- the methods --------------------------------------------------------------------------------
-- answers: the kinds of secret that serve it; offered: those for which it is offered unless the app
-- names its methods. hello(attempt, authextra); answer(attempt, extra, secret) -> signature,
-- extra; check(attempt, authextra): what WELCOME must prove. In order of preference.

local methods = {
  { name = "cryptosign", answers = { "private_key" }, offered = { "private_key" },
    hello = hello_cryptosign, answer = answer_cryptosign },
  { name = "wamp-scram", answers = { "password", "shared" }, offered = { "password" },
    hello = hello_scram, answer = answer_scram(scram.spec), check = check_scram(scram.spec) },
  { name = "wampcra", answers = { "secret", "password", "shared" },
    offered = { "secret", "password", "shared" }, answer = answer_cra },
  { name = "ticket", answers = { "ticket", "shared" }, offered = { "ticket" },
    answer = function(_, _, ticket) return ticket, {} end },
  { name = "scram", answers = { "password", "shared" }, offered = {},
    hello = hello_scram, answer = answer_scram(scram.crossbar),
    check = check_scram(scram.crossbar) },
  { name = "anonymous", answers = {}, offered = {} },
}

local rows = {}
for _, row in ipairs(methods) do rows[row.name] = row end

local function any(kinds, secrets)
  for _, kind in ipairs(kinds) do
    if secrets[kind] then return secrets[kind] end
  end
end

-- What is offered: what the app names, or what its secrets serve; nil for neither.
local function offer(settled)
  if settled.methods then return settled.methods end
  local list = {}
  for _, row in ipairs(methods) do
    if any(row.offered, settled.secrets) then list[#list + 1] = row.name end
  end
  return list[1] and list or nil
end

-- A secret of the app's own that none of the methods it names would use is a mistake.
local function check_served(settled, kind)
  if kind == "shared" or not settled.methods then return end
  for _, name in ipairs(settled.methods) do
    for _, served in ipairs(rows[name].answers) do
      if served == kind then return end
    end
  end
  errors.raise("WampyError", ("Client: field auth: a %s serves none of the methods %s"):format(kind,
    table.concat(settled.methods, ", ")))
end

--- Judges credentials when a client is made.
-- @param settled what credentials.settle returned; raises WampyError
function auth.check(settled)
  if settled.answer then
    if settled.methods then return end
    errors.raise("WampyError", "Client: field auth: a function needs roles.authmethods to say "
      .. "which methods it answers")
  end
  for _, name in ipairs(settled.methods or {}) do
    if not rows[name] then
      errors.raise("WampyError", ("Client: unknown authentication method %q (expected anonymous, "
        .. "ticket, wampcra, wamp-scram, scram or cryptosign)"):format(name))
    end
  end
  for kind in pairs(settled.secrets) do check_served(settled, kind) end
end

-- ---- one attempt --------------------------------------------------------------------------------

local attempts = setmetatable({}, { __mode = "k" }) -- client -> its latest attempt; has secrets

local function is_open(url)
  if not url or url.scheme ~= "ws" and url.scheme ~= "rs" then return false end
  return not (url.host == "localhost" or url.host == "::1" or url.host:find("^127%."))
end

-- WAMP sends a ticket as it is: whoever listens has it.
local function check_ticket(attempt, url)
  if attempt.offered.ticket and not attempt.allow_insecure and is_open(url) then
    fail("the ticket would travel unencrypted to %s: use wss://, or say auth = { allow_insecure "
      .. "= true }", url.host)
  end
end

--- Begins to join: what HELLO says about authentication.
-- @param client whose credentials count
-- @param url the router's, taken apart; nil for one in memory
-- @return dict of HELLO details; raises AuthenticationError for what must not be tried
function auth.begin(client, url)
  local settled = credentials.of(client)
  local attempt = { authid = settled.authid, secrets = settled.secrets, offered = {},
    own_answer = settled.answer, allow_insecure = settled.allow_insecure }
  local details = { authid = settled.authid, authmethods = offer(settled) }
  local extra = {}
  for _, name in ipairs(details.authmethods or {}) do
    local row = rows[name]
    attempt.offered[name] = row or true
    if row and row.hello and not attempt.own_answer then row.hello(attempt, extra) end
  end
  check_ticket(attempt, url)
  if next(extra) then details.authextra = extra end
  attempts[client] = attempt
  return details
end

--- The latest attempt of a client. Its `failure` is why a challenge was not answered.
function auth.attempt(client)
  return attempts[client]
end

local function ask_app(attempt, method, extra)
  local ok, signature, more = pcall(attempt.own_answer, method, extra)
  if not ok and errors.is_error(signature, errors.Canceled) then error(signature, 0) end
  if not ok then fail("%s: the function auth failed: %s", method, tostring(signature)) end
  if type(signature) ~= "string" then
    fail("%s: expected the function auth to return a signature, got %s", method, type(signature))
  end
  if more ~= nil and type(more) ~= "table" then
    fail("%s: expected the function auth to return a table of extra, got %s", method, type(more))
  end
  return signature, more
end

--- Answers a CHALLENGE.
-- @param attempt the attempt whose HELLO it answers
-- @param method and extra of CHALLENGE
-- @return signature and extra of AUTHENTICATE; raises AuthenticationError
function auth.answer(attempt, method, extra)
  local row = attempt.offered[method]
  if not row then fail("the router asks for %q, which was not offered", method:sub(1, 40)) end
  attempt.method = method
  if attempt.own_answer then return ask_app(attempt, method, extra) end
  local secret = any(row.answers, attempt.secrets)
  if not secret then
    fail("the router asks for %s, and there is no secret: give auth = { %s = ... } or WAMPYSECRET",
      method, row.answers[1] or "secret")
  end
  return row.answer(attempt, extra, secret)
end

-- Whether every method that was offered makes the router prove itself.
local function all_mutual(attempt)
  for _, row in pairs(attempt.offered) do
    if row == true or not row.check then return false end
  end
  return next(attempt.offered) ~= nil and not attempt.own_answer
end

--- Checks what WELCOME must prove.
-- @param attempt the attempt that it answers
-- @param welcome the details; raises AuthenticationError
function auth.verify(attempt, welcome)
  local row = attempt.method and not attempt.own_answer and attempt.offered[attempt.method]
  if row and row.check then
    row.check(attempt, type(welcome.authextra) == "table" and welcome.authextra or {})
  elseif not attempt.method and all_mutual(attempt) then
    fail("the router proves nothing: WELCOME without a challenge")
  end
end

return auth
