-- config_auth.lua - the `auth` section of a Crossbar.io transport, and the field `auth` of the
-- embedded router, which has the same shape: who may join a router, and how he proves it.
--
-- A section of a method becomes principals, one a name: the form that core.router takes. Here
-- nothing is skipped with a warning: who mistypes a method or a role must not run an open router.
-- Values may be secrets, so that errors name places and what was expected, never what is there.

local core = require "wampy.core"
local checks = require "wampy.config_check"

local config_auth = {}

local check, wrong = checks.check, checks.wrong

-- ---- values -----------------------------------------------------------------------------------

local function only(t, known, path)
  check(t, "table", path)
  for _, name in ipairs(checks.sorted(t)) do
    if not known[name] then
      wrong(path, "unknown key %q, expected one of %s", name,
        table.concat(checks.sorted(known), ", "))
    end
  end
  return t
end

local function text(t, key, path)
  local value = check(t[key], "string", path .. "." .. key)
  if value == "" then wrong(path .. "." .. key, "expected a string that is not empty") end
  return value
end

-- A secret, or "$NAME", the environment variable that has it.
local function secret(t, key, path)
  local value = text(t, key, path)
  local name = value:match("^%$([%a_][%w_]*)$")
  if name then
    value = os.getenv(name)
    if not value or value == "" then
      wrong(path .. "." .. key, "the environment variable %s is not set", name)
    end
  end
  return value
end

-- An integer in a range; `default` when there is none.
local function count(t, key, path, range)
  local value = t[key]
  if value == nil then value = range.default end
  if math.type(value) ~= "integer" or value < range.least or value > range.most then
    wrong(path .. "." .. key, "expected an integer from %d to %d", range.least, range.most)
  end
  return value
end

-- Bytes written in hex: `n` of them, or as many as there are, 64 at most.
local function hex(value, path, n)
  local size = n or type(value) == "string" and #value // 2 or 0
  local bytes = size > 0 and size <= 64 and type(value) == "string" and core.auth_unhex(value, size)
  if not bytes then
    wrong(path, "expected %s hexadecimal digits", n and 2 * n or "2 to 128")
  end
  return bytes
end

-- ---- the methods ------------------------------------------------------------------------------

local function ticket(t, path)
  return { secret = secret(t, "ticket", path) }
end

-- As Crossbar.io 26 has it: `secret` is what the user knows, salted or not.
local function wampcra(t, path)
  local p = { secret = secret(t, "secret", path) }
  if t.salt ~= nil then
    p.salt = text(t, "salt", path)
    p.iterations = count(t, "iterations", path,
      { default = 1000, least = 1, most = core.auth_limits.iterations })
    p.keylen = count(t, "keylen", path, { default = 32, least = 1, most = core.auth_limits.keylen })
  elseif t.iterations ~= nil or t.keylen ~= nil then
    wrong(path, "iterations and keylen need a salt")
  end
  return p
end

local function cryptosign(t, path)
  local keys, bytes = t.authorized_keys, {}
  path = path .. ".authorized_keys"
  if type(keys) ~= "table" or #keys == 0 then wrong(path, "expected a list of public keys") end
  for i, key in ipairs(keys) do bytes[i] = hex(key, ("%s[%d]"):format(path, i - 1), 32) end
  return { secret = table.concat(bytes) }
end

local kdfs = { pbkdf2 = "pbkdf2", ["argon2id-13"] = "argon2id", argon2id13 = "argon2id" }

-- What a password costs; memory only for Argon2id.
local function scram_cost(t, path, limits)
  local kdf = t.kdf == nil and t.password and "pbkdf2" or kdfs[t.kdf]
  if not kdf then wrong(path .. ".kdf", "expected pbkdf2 or argon2id-13") end
  if kdf == "pbkdf2" then
    local least = limits.scram_least
    return count(t, "iterations", path,
      { default = t.password and least, least = least, most = limits.iterations })
  end
  local memory = count(t, "memory", path, { least = 8, most = limits.memory })
  return count(t, "iterations", path, { least = 1, most = limits.work // memory }), memory
end

local function scram_salt(t, path, memory)
  if t.salt == nil and t.password then return core.auth_random(16) end
  local salt = hex(t.salt, path .. ".salt")
  if memory and #salt < 8 then wrong(path .. ".salt", "expected 16 hexadecimal digits or more") end
  return salt
end

-- StoredKey and ServerKey of a password.
local function scram_keys(t, path, salt, iterations, memory)
  local password = secret(t, "password", path)
  path = path .. ".password"
  if t["stored-key"] or t["server-key"] then
    wrong(path, "give a password or its keys, not both")
  end
  if not core.auth_prepared(password) then
    wrong(path, "has a character that no password may have (RFC 4013)")
  end
  local salted = memory and core.auth_argon2id(password, salt, iterations, memory)
    or not memory and core.auth_pbkdf2(password, salt, iterations)
  if not salted then wrong(path, "this build has no Argon2id") end
  return core.auth_scram_keys(salted)
end

-- Crossbar.io's keys, or a password to make them of when the router starts.
local function scram(t, path)
  local iterations, memory = scram_cost(t, path, core.auth_limits)
  local salt = scram_salt(t, path, memory)
  return { salt = salt, iterations = iterations, memory = memory,
    secret = t.password and scram_keys(t, path, salt, iterations, memory)
      or hex(t["stored-key"], path .. ".stored-key", 32)
        .. hex(t["server-key"], path .. ".server-key", 32) }
end

-- By the name of the section: where its principals are, what a principal may have besides role and
-- realm, and its reader. The wire's name of the method is the section's unless there is another.
local methods = {
  ticket = { list = "principals", keys = { "ticket" }, read = ticket },
  wampcra = { list = "users", keys = { "secret", "salt", "iterations", "keylen" }, read = wampcra },
  cryptosign = { list = "principals", keys = { "authorized_keys" }, read = cryptosign },
  scram = { list = "principals", method = "wamp-scram", read = scram,
    keys = { "kdf", "iterations", "memory", "salt", "stored-key", "server-key", "password" } },
}

local sections = checks.set("anonymous", "ticket", "wampcra", "cryptosign", "scram")
local dynamic_keys = checks.set("type", "authenticator", "authenticator-realm",
  "authenticator-role")
local anonymous_keys = checks.set("type", "role", "realm", "authid")

-- ---- sections ---------------------------------------------------------------------------------

-- Whether somebody else says who somebody is: then what is in the section is read here.
-- `above` is who does when the section does not say, if anybody.
local function read_dynamic(section, name, path, above)
  check(section, "table", path)
  if section.type == nil or section.type == "static" then return nil end
  if section.type ~= "dynamic" then
    wrong(path .. ".type", "expected static or dynamic, got %s", tostring(section.type))
  end
  only(section, dynamic_keys, path)
  local authenticator = above
  if section.authenticator ~= nil or not above then
    authenticator = checks.procedure(section.authenticator, path .. ".authenticator")
  end
  local method = methods[name] and methods[name].method or name
  local role = section["authenticator-role"] -- of the session that asks: ours may do everything
  if role ~= nil then check(role, "string", path .. ".authenticator-role") end
  return { method = method, authenticator = authenticator, path = path,
    realm = section["authenticator-realm"] and text(section, "authenticator-realm", path) }
end

local function name_ok(name, path)
  check(name, "string", path)
  if #name == 0 or #name > 1024 or name:find("\0", 1, true) or not utf8.len(name) then
    wrong(path, "an authid has 1 to 1024 bytes of UTF-8 without NUL")
  end
  return name
end

local function read_principal(t, authid, method, path)
  only(t, checks.set("role", "realm", table.unpack(method.keys)), path)
  local p = method.read(t, path)
  p.authid, p.path = name_ok(authid, path), path
  p.role = text(t, "role", path)
  p.realm = t.realm and text(t, "realm", path)
  return p
end

local function read_section(section, name, path, result)
  local method = methods[name]
  only(section, checks.set("type", method.list), path)
  local where = path .. "." .. method.list
  local list = check(section[method.list], "table", where)
  for _, authid in ipairs(checks.sorted(list)) do
    if list[authid] == nil then wrong(where, "expected authids as keys, got %s", authid) end
    local p = read_principal(list[authid], authid, method, where .. "." .. authid)
    p.method = method.method or name
    result[#result + 1] = p
  end
end

local function read_anonymous(section, path, result)
  only(section, anonymous_keys, path)
  result[#result + 1] = { method = "anonymous", path = path,
    role = section.role and text(section, "role", path) or "anonymous",
    realm = section.realm and text(section, "realm", path),
    authid = section.authid and name_ok(section.authid, path .. ".authid") }
end

--- Reads the section.
-- @param auth { anonymous = {...}, ticket = {...}, ... } as Crossbar.io has it
-- @param path its place, for errors
-- @param above who decides about a dynamic section that does not say: a URI, or "" for the code
-- above the router; or nil
-- @return list of principals as core.router takes them, each with the `path` it came from
function config_auth.read(auth, path, above)
  local result = {}
  only(auth, sections, path)
  for _, name in ipairs(checks.sorted(auth)) do
    local at = path .. "." .. name
    local dynamic = read_dynamic(auth[name], name, at, above)
    if dynamic then
      result[#result + 1] = dynamic
    elseif name == "anonymous" then
      read_anonymous(auth[name], at, result)
    else
      read_section(auth[name], name, at, result)
    end
  end
  if not result[1] then wrong(path, "nobody may join: expected at least one principal") end
  return result
end

--- The sections of an authenticator that has none of its own: every method with a proof.
function config_auth.dynamic()
  local auth = {}
  for name in pairs(methods) do auth[name] = { type = "dynamic" } end
  return auth
end

-- ---- roles ------------------------------------------------------------------------------------

local function has_role(realm, role)
  if not realm.roles[1] then return role == "anonymous" end
  for _, r in ipairs(realm.roles) do
    if r.name == role then return true end
  end
  return false
end

--- Checks that what principals name is there.
-- @param principals from read
-- @param realms from config.read
function config_auth.check_roles(principals, realms)
  for _, p in ipairs(principals) do
    local known, found
    for _, realm in ipairs(realms) do
      if not p.realm or p.realm == realm.name then
        known = true
        found = found or p.authenticator or has_role(realm, p.role)
      end
    end
    if not known then
      wrong(p.path .. (p.authenticator and ".authenticator-realm" or ".realm"),
        "there is no realm %q", p.realm)
    end
    if not found then
      wrong(p.path .. ".role", "there is no role %q in %s", p.role,
        p.realm and ("realm %q"):format(p.realm) or "any realm")
    end
  end
end

--- Gives a realm that has no roles of its own those of its principals, each allowed everything.
-- @param realm { name, roles } as core.router takes it
-- @param principals from read
function config_auth.add_roles(realm, principals)
  local seen = {}
  for _, p in ipairs(principals) do
    if p.role and not seen[p.role] and (not p.realm or p.realm == realm.name) then
      seen[p.role] = true
      table.insert(realm.roles, config_auth.open_role(p.role))
    end
  end
end

--- A role that may do everything, unless an authorizer decides.
function config_auth.open_role(name)
  return { name = name, bare = true, permissions = { { uri = "", match = "prefix", call = true,
    register = true, publish = true, subscribe = true } } }
end

return config_auth
