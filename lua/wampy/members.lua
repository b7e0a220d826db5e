-- members.lua - the names that can be typed: what a path like "client.rpc" stands for, and what may
-- come behind it. Nothing is called for that, but tables that compute their members (__index
-- functions) are not asked.

local members = {}

local DEEP = 8 -- __index of __index

--- Goes through the tables that a value's members are looked up in: itself, and what is behind it.
-- What has a function there is an object of the class that is its metatable.
-- @param v any
-- @param found function(table), called once for each
function members.each_table(v, found)
  local current, known = v, {}
  for _ = 1, DEEP do
    if known[current] then return end
    known[current] = true
    if type(current) == "table" then found(current) end
    local mt = debug.getmetatable(current)
    local behind = mt and rawget(mt, "__index")
    if type(behind) == "function" then behind = mt end
    if type(behind) ~= "table" then return end
    current = behind
  end
end

local function member(v, name)
  local value
  members.each_table(v, function(t)
    if value == nil then value = rawget(t, name) end
  end)
  return value
end

--- What a path stands for.
-- @param env the globals
-- @param path names with "." or ":" between them
-- @return the value; nil when there is none, or it is computed
function members.resolve(env, path)
  local value = env
  for name in path:gmatch("[^.:]+") do
    value = member(value, name)
    if value == nil then return nil end
  end
  return value
end

--- The names of a value's members that can be written behind a dot, sorted; private ones only when
-- what is written so far begins so.
-- @param value any
-- @param prefix what they begin with
-- @return list
function members.names(value, prefix)
  local list, seen = {}, {}
  members.each_table(value, function(t)
    for key in next, t do
      local fits = type(key) == "string" and key:find("^[%a_][%w_]*$")
        and key:sub(1, #prefix) == prefix and (not key:find("^_") or prefix:find("^_"))
      if fits and not seen[key] then
        seen[key] = true
        list[#list + 1] = key
      end
    end
  end)
  table.sort(list)
  return list
end

return members
