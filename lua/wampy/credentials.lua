-- credentials.lua - who a client says it is and what it proves it with: the field `auth`, the
-- environment, flags and profiles.
--
-- Secrets are kept in one table of this file, by client, and nowhere else: an app that prints its
-- client or its config prints none of them. Messages name fields, never values. What the methods
-- do with a secret is in auth.lua.

local core = require "wampy.core"
local errors = require "wampy.errors"

local credentials = {}

local kept = setmetatable({}, { __mode = "k" }) -- client -> credentials
local forced = {}   -- by flags
local fallback = {} -- by a profile

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- secrets ----------------------------------------------------------------------------------

-- What proves an identity. One layer gives one of them; the environment may hold several, of
-- which the methods choose.
local kinds = { "ticket", "secret", "password", "private_key" }

local KEY = "expected 64 hex digits, or a file with them or with a line private-key-ed25519:"

-- The key in a text: bare digits, or a Crossbar.io key file.
local function parse_key(text, name)
  local digits = text:match("private%-key%-ed25519:%s*(%x+)") or text:match("^%s*(%x+)%s*$")
  local key = digits and core.auth_unhex(digits, 32)
  if not key then bad("%s: %s", name, KEY) end
  local public = text:match("public%-key%-ed25519:%s*(%x+)")
  if public and public:lower() ~= core.auth_hex(core.auth_public_key(key)) then
    bad("%s: the file's private and public keys do not belong together", name)
  end
  return key
end

-- The text of a small file, without the newline at its end. Its name is not told: whoever takes the
-- flag for that of the secret has written the secret there.
local function read_file(path, name)
  local file, why = io.open(path, "rb")
  if not file then bad("%s: cannot read the file: %s", name, why:sub(#path + 3)) end
  local text, e = file:read(65536)
  file:close()
  if e then bad("%s: cannot read the file: %s", name, e) end
  return ((text or ""):gsub("\r?\n$", ""))
end

-- A private key is given as digits, as a key file's text, or as its path. A path is not repeated
-- in messages: it may be a mistyped key.
local function read_key(value, name)
  if value:find("private-key-ed25519:", 1, true) or value:find("^%s*%x+%s*$") then
    return parse_key(value, name)
  end
  local file = io.open(value, "rb")
  if not file then bad("%s: %s", name, KEY) end
  file:close()
  return parse_key(read_file(value, name), name)
end

local function check_text(value, name)
  if type(value) ~= "string" then bad("%s: expected a string, got %s", name, type(value)) end
  if value == "" or not utf8.len(value) then bad("%s: expected a text that is not empty", name) end
  return value
end

local function secret(kind, value, name)
  check_text(value, name)
  return kind == "private_key" and read_key(value, name) or value
end

-- ---- layers -----------------------------------------------------------------------------------
-- Each is { authid, methods, allow_insecure, secrets = { kind = value }, answer = function }.

local function methods_of(list, name)
  if type(list) ~= "table" or not list[1] then
    bad("%s: expected a list of methods, got %s", name, type(list) == "table" and "an empty one"
      or type(list))
  end
  for i, method in ipairs(list) do check_text(method, ("%s[%d]"):format(name, i)) end
  return list
end

local auth_fields = { authid = true, methods = true, allow_insecure = true }
for _, kind in ipairs(kinds) do auth_fields[kind] = true end

local function read_secrets(auth)
  local secrets = {}
  for _, kind in ipairs(kinds) do
    if auth[kind] ~= nil then
      local other = next(secrets)
      if other then
        bad("Client: field auth: give one of %s; %s and %s were given",
          table.concat(kinds, ", "), other, kind)
      end
      secrets[kind] = secret(kind, auth[kind], "Client: field auth." .. kind)
    end
  end
  return secrets
end

local function from_auth(auth)
  if type(auth) == "function" then return { answer = auth, secrets = {} } end
  if auth == nil then return { secrets = {} } end
  if type(auth) ~= "table" then
    bad("Client: field auth: expected a table or a function, got %s", type(auth))
  end
  for name in pairs(auth) do
    if not auth_fields[name] then
      bad("Client: field auth: unknown field %q (expected authid, methods, allow_insecure, and "
        .. "one of %s)", tostring(name), table.concat(kinds, ", "))
    end
  end
  if auth.allow_insecure ~= nil and type(auth.allow_insecure) ~= "boolean" then
    bad("Client: field auth.allow_insecure: expected a boolean, got %s", type(auth.allow_insecure))
  end
  return {
    authid = auth.authid and check_text(auth.authid, "Client: field auth.authid"),
    methods = auth.methods and methods_of(auth.methods, "Client: field auth.methods"),
    allow_insecure = auth.allow_insecure, secrets = read_secrets(auth),
  }
end

-- The fields `auth` and `roles` of a constructor or a class. wampy's roles carry authid and
-- authmethods.
local function from_fields(t)
  local layer, roles = from_auth(t.auth), t.roles or {}
  if roles.authid ~= nil then
    if layer.authid then bad("Client: give roles.authid or auth.authid, not both") end
    layer.authid = check_text(roles.authid, "Client: field roles.authid")
  end
  if roles.authmethods ~= nil then
    if layer.methods then bad("Client: give roles.authmethods or auth.methods, not both") end
    layer.methods = methods_of(roles.authmethods, "Client: field roles.authmethods")
  end
  return layer
end

-- A list "a,b" as flags and environment have it.
local function split(text)
  local list = {}
  for word in (text or ""):gmatch("[^,%s]+") do list[#list + 1] = word end
  return list[1] and list or nil
end

local variables = { ticket = "WAMPY_TICKET", private_key = "WAMPY_PRIVATE_KEY",
  shared = "WAMPYSECRET" }

local function set_variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function from_environment()
  local secrets = {}
  for kind, name in pairs(variables) do
    local value = set_variable(name)
    if value then secrets[kind] = secret(kind, value, name) end
  end
  return { authid = set_variable("WAMPY_AUTHID"), secrets = secrets,
    methods = split(os.getenv("WAMPY_AUTHMETHOD")) }
end

-- A layer of paths, as flags and profiles have them.
local function from_files(t, prefix)
  local function file(field)
    local name = prefix .. field:gsub("_", "-")
    return t[field] and read_file(t[field], name), name
  end
  local function text(kind, field)
    local value, name = file(field)
    return value and secret(kind, value, name)
  end
  local key, name = file("key")
  return { authid = t.authid, methods = split(t.authmethod), secrets = {
    ticket = text("ticket", "ticket_file"), private_key = key and parse_key(key, name),
    shared = t.secret or text("shared", "secret_file"),
  } }
end

--- Takes what the command line says.
-- @param flags { authid, authmethod = "a,b", secret (text), secret_file, ticket_file, key (paths)
-- }, each may be nil; they win over everything
-- @param profile the same, or nil; it loses to everything. Raises WampyError naming a flag whose
-- file cannot be read or is wrong
function credentials.force(flags, profile)
  forced = from_files(flags, "--")
  fallback = from_files(profile or {}, "profile: ")
end

-- ---- settling -----------------------------------------------------------------------------------

local function first(layers, name)
  for _, layer in ipairs(layers) do
    if layer[name] ~= nil then return layer[name] end
  end
end

-- Whose secret counts: the first layer that has one. A secret of the environment alone, which no
-- authid and no method goes with, is none of this client's.
local function settle_secrets(layers, environment, settled)
  for _, layer in ipairs(layers) do
    if layer.answer or layer.secrets and next(layer.secrets) then
      settled.answer, settled.secrets = layer.answer, layer.secrets
      if layer == environment and not settled.authid and not settled.methods then
        settled.secrets = { private_key = layer.secrets.private_key, ticket = layer.secrets.ticket }
      end
      return
    end
  end
  settled.secrets = {}
end

--- Settles a client's credentials from flags, constructor, class, environment and profile, in this
-- order.
-- @param client the object that they are kept for
-- @param class its class
-- @param given the constructor's table
-- @return credentials { authid, methods, allow_insecure, secrets, answer }, which must not be
-- stored where an app would print it; raises WampyError naming a wrong field
function credentials.settle(client, class, given)
  local environment = from_environment()
  local layers = { forced, from_fields(given), from_fields(class.defaults or {}), environment,
    fallback }
  local settled = { authid = first(layers, "authid"), methods = first(layers, "methods"),
    allow_insecure = first(layers, "allow_insecure") }
  settle_secrets(layers, environment, settled)
  kept[client] = settled
  return settled
end

--- The credentials of a client.
function credentials.of(client)
  return kept[client]
end

return credentials
