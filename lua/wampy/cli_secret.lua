-- cli_secret.lua - what keygen and passwd share: entries of a router's section `auth`, and files
-- that only their owner can read.

local cli_value = require "wampy.cli_value"
local codes = require "wampy.codes"
local core = require "wampy.core"

local cli_secret = {}

local UNWRITTEN = 1 -- exit code

--- Declares what an entry is made of.
-- @param c command of argparse
-- @param authid text of the help of --authid; nil: there is no such flag
function cli_secret.flags(c, authid)
  if authid then c:option("--authid", authid):argname("NAME") end
  c:option("--role", "Role of the realm (default user)."):argname("NAME")
  c:option("--realm -r", "The only realm that the entry is for."):argname("NAME")
end

local lists = { wampcra = "users" }

--- The router's section `auth` with one entry, as a line of JSON.
-- @param plan { authid, role, realm }
-- @param section its name
-- @param names of the members, in the order in which they are written
-- @param members table
function cli_secret.entry(plan, section, names, members)
  members.role, members.realm = plan.role or "user", plan.realm
  local order = table.move(names, 1, #names, 1, {})
  table.move({ "role", "realm" }, 1, 2, #order + 1, order)
  return ('{%s:{"type":"static",%s:{%s:%s}}}'):format(core.json_encode(section),
    core.json_encode(lists[section] or "principals"), core.json_encode(plan.authid),
    cli_value.object(members, order))
end

--- Makes a file that only its owner can read.
-- @return 0, or the exit code after a line about what is wrong
function cli_secret.write(path, text)
  local ok, e = core.make_file(path, text, true)
  if ok then return 0 end
  codes.log(e, "W214")
  return UNWRITTEN
end

return cli_secret
