-- cli_keygen.lua - the verb keygen: an Ed25519 key pair for the method cryptosign, in a file as
-- Crossbar.io writes them. The public key, which a router is told, goes to stdout.

local cli_flags = require "wampy.cli_flags"
local cli_secret = require "wampy.cli_secret"
local core = require "wampy.core"

local cli_keygen = {}

local SEED = 32 -- bytes

--- Declares the verb.
function cli_keygen.command(parser)
  local c = parser:command("keygen")
  c:argument("file", "Where the private key goes (default wampy.key); it must not be there yet.")
    :args("?"):argname("FILE")
  cli_secret.flags(c, "Print the router's entry of this name in place of the public key.")
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua keygen joe.key\n"
    .. "  wampy-lua keygen joe.key --authid joe --role user\n"
    .. "  wampy-lua call com.example.add 1 2 --key joe.key --authid joe\n"
    .. "Only its owner can read the file.")
end

--- What the flags come to.
function cli_keygen.plan(result)
  if (result.role or result.realm) and not result.authid then
    return cli_flags.usage("--role and --realm are of an entry: give --authid, too")
  end
  return { verb = "keygen", module = "wampy.cli_keygen", file = result.file or "wampy.key",
    authid = result.authid, role = result.role, realm = result.realm }
end

local function text_of(seed, public)
  return ("Keys of a WAMP client. Who has this file can join as that client.\n\n"
    .. "public-key-ed25519: %s\nprivate-key-ed25519: %s\n"):format(public, core.auth_hex(seed))
end

--- Does it.
-- @return exit code
function cli_keygen.run(plan)
  local seed = core.auth_random(SEED)
  local public = core.auth_hex(core.auth_public_key(seed))
  local code = cli_secret.write(plan.file, text_of(seed, public))
  if code ~= 0 then return code end
  if plan.authid then
    public = cli_secret.entry(plan, "cryptosign", { "authorized_keys" },
      { authorized_keys = { public } })
  end
  io.stdout:write(public, "\n")
  return 0
end

return cli_keygen
