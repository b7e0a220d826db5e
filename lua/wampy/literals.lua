-- literals.lua - the URIs that a file writes out where it calls, publishes, registers or
-- subscribes by `self` or something called a client: those that no router takes.
--
-- It reads lines, not Lua: what is built at run time, or spread over lines, is not seen.

local core = require "wampy.core"

local literals = {}

local methods = { call = true, call_async = true, publish = true, try_publish = true,
  register = true, subscribe = true }

-- The match policy that is written behind a pattern, so that "com." may be one.
local function match_of(rest)
  return rest:match("match%s*=%s*[\"'](%l+)[\"']") or "exact"
end

local function bad_uris(line, found)
  local code = line:gsub("^%s*%-%-.*", "")
  for who, method, quote, rest in code:gmatch("([%w_]+)[:.]([%l_]+)%s*%(?%s*([\"'])(.*)") do
    local uri = rest:match("^(.-)" .. quote)
    local ours = methods[method] and (who == "self" or who:lower():find("client", 1, true))
    if ours and uri and not uri:find("\\", 1, true) and not core.uri_ok(uri, match_of(rest)) then
      found(("%s: invalid URI %q"):format(method, uri))
    end
  end
end

--- Finds them.
-- @param path the file
-- @return list of { where = "file:line", text }
function literals.bad(path)
  local list, number = {}, 0
  for line in io.lines(path) do
    number = number + 1
    bad_uris(line, function(text)
      list[#list + 1] = { where = ("%s:%d"):format(path, number), text = text }
    end)
  end
  return list
end

return literals
