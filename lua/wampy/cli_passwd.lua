-- cli_passwd.lua - the verb passwd: a router's entry for somebody who joins with a secret. The
-- secret is typed at the terminal, or comes on stdin; never as an argument.

local cli_flags = require "wampy.cli_flags"
local cli_secret = require "wampy.cli_secret"
local codes = require "wampy.codes"
local core = require "wampy.core"

local cli_passwd = {}

local USAGE = 2            -- exit code
local LONGEST = 1024       -- bytes of a secret
local SALT = 16            -- bytes
local CRA = { iterations = 1000, keylen = 32 } -- what routers assume

local function count(least, most)
  return function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= least and n <= most then return n end
    return nil, ("expected a number from %d to %d, got '%s'"):format(least, most, text)
  end
end

--- Declares the verb.
function cli_passwd.command(parser)
  local limits = core.auth_limits
  local c = parser:command("passwd")
  c:argument("authid", "Who joins with it."):argname("AUTHID")
  c:option("-m --method", "scram (the default), wampcra or ticket.")
    :choices { "scram", "wampcra", "ticket" }:argname("METHOD")
  cli_secret.flags(c)
  c:option("--kdf", "scram: pbkdf2 (the default) or argon2id-13."):argname("KDF")
    :choices { "pbkdf2", "argon2id-13" }
  c:option("--iterations", "scram, wampcra: what a guess costs."):argname("N")
    :convert(count(1, limits.iterations))
  c:option("--memory", "argon2id-13: KiB of memory that a guess costs (default 65536).")
    :argname("KIB"):convert(count(8, limits.memory))
  c:option("-o --output", "Write it into FILE, which only its owner can read.")
    :argname("FILE")
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua passwd joe --role user\n"
    .. "  wampy-lua passwd joe -m wampcra < secret\n"
    .. "  wampy-lua passwd joe --kdf argon2id-13 -o joe.json\n"
    .. "The line is a section `auth` of a transport in the router's configuration.")
end

local ITERATIONS = { pbkdf2 = 4096, ["argon2id-13"] = 4 }

local function settle_scram(result)
  local kdf, limits = result.kdf or "pbkdf2", core.auth_limits
  local iterations = result.iterations or ITERATIONS[kdf]
  if kdf == "pbkdf2" then
    if result.memory then return nil, "--memory: only with --kdf argon2id-13" end
    if iterations < limits.scram_least then
      return nil, ("--iterations: scram wants %d at least"):format(limits.scram_least)
    end
    return { kdf = kdf, iterations = iterations }
  end
  if not core.auth_has_argon2 then return nil, "--kdf: this build has no Argon2id" end
  local memory = result.memory or 65536
  if iterations > limits.work // memory then
    return nil, ("--iterations: %d at most with so much memory"):format(limits.work // memory)
  end
  return { kdf = kdf, iterations = iterations, memory = memory }
end

local function settle_cost(result)
  local method = result.method or "scram"
  if method == "scram" then return settle_scram(result) end
  if result.kdf or result.memory then
    return nil, ("--kdf and --memory: not with %s"):format(method)
  elseif method == "ticket" and result.iterations then
    return nil, "--iterations: not with ticket"
  end
  return { iterations = result.iterations or CRA.iterations }
end

--- What the flags come to.
function cli_passwd.plan(result)
  local cost, fault = settle_cost(result)
  if result.authid == "" or not utf8.len(result.authid) then fault = "AUTHID: expected a name" end
  if fault then return cli_flags.usage(fault) end
  return { verb = "passwd", module = "wampy.cli_passwd", method = result.method or "scram",
    authid = result.authid, role = result.role, realm = result.realm, cost = cost,
    output = result.output }
end

-- ---- the secret ---------------------------------------------------------------------------------

local function typed(authid)
  local first = core.ask_secret(("secret of %s: "):format(authid))
  if not first then return nil, "there is no terminal to ask at" end
  local second = core.ask_secret("again: ")
  if first ~= second then return nil, "the two are not the same" end
  return first
end

local function read_secret(authid)
  local text, e
  if core.is_terminal(0) then
    text, e = typed(authid)
  else
    text = io.stdin:read(LONGEST + 2)
    text = text and text:gsub("\r?\n.*$", "") or ""
  end
  if not text then return nil, e end
  if text == "" then return nil, "the secret is empty" end
  if #text > LONGEST or text:find("\0", 1, true) or not utf8.len(text) then
    return nil, ("the secret is no text of at most %d bytes"):format(LONGEST)
  end
  return text
end

-- ---- entries ------------------------------------------------------------------------------------

-- By method: the members of an entry, and those names that are written first, in their order.
local entries = {}

-- A ticket is kept as it is.
function entries.ticket(_, secret)
  return { "ticket" }, { ticket = secret }
end

-- The router has to know the secret itself; the salt makes guesses from what is on the wire dear.
function entries.wampcra(plan, secret)
  return { "secret", "salt", "iterations", "keylen" }, { secret = secret,
    salt = core.auth_hex(core.auth_random(SALT)), iterations = plan.cost.iterations,
    keylen = CRA.keylen }
end

-- Of a password only what it takes to check it.
function entries.scram(plan, secret)
  local cost, salt = plan.cost, core.auth_random(SALT)
  if not core.auth_prepared(secret) then
    return nil, "the secret has a character that no password may have (RFC 4013)"
  end
  local keys = core.auth_scram_keys(cost.memory
    and core.auth_argon2id(secret, salt, cost.iterations, cost.memory)
    or core.auth_pbkdf2(secret, salt, cost.iterations))
  return { "kdf", "iterations", "memory", "salt" }, { kdf = cost.kdf,
    iterations = cost.iterations, memory = cost.memory, salt = core.auth_hex(salt),
    ["stored-key"] = core.auth_hex(keys:sub(1, 32)),
    ["server-key"] = core.auth_hex(keys:sub(33)) }
end

-- A secret that begins with $ would be read as the name of a variable.
local function make(plan)
  local secret, fault = read_secret(plan.authid)
  if not secret then return nil, fault end
  if plan.method ~= "scram" and secret:find("^%$[%a_][%w_]*$") then
    return nil, "a router takes a secret like $NAME for the name of a variable"
  end
  local names, members = entries[plan.method](plan, secret)
  if not names then return nil, members end
  return cli_secret.entry(plan, plan.method, names, members)
end

--- Does it.
-- @return exit code
function cli_passwd.run(plan)
  local line, fault = make(plan)
  if not line then
    codes.log("passwd: " .. fault, "W215")
    return USAGE
  end
  if plan.output then return cli_secret.write(plan.output, line .. "\n") end
  io.stdout:write(line, "\n")
  return 0
end

return cli_passwd
