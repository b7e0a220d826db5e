-- roles.lua - the decorators callee, subscriber and timer, and collecting what a class declares.
--
-- A decorator returns a Role: numbered (so that registration follows the order of declaration) and
-- callable like the function in it. A class keeps its Roles among its fields; collect walks the
-- classes, parents first.

local core = require "wampy.core"
local errors = require "wampy.errors"
local nearest = require "wampy.nearest"

local roles = {}

-- What a decorator returns: a function of a class that is registered, subscribed or timed.
-- @object wampy.Role
-- @overload fun(...: any): ...any
local Role = { __name = "wampy.Role" }
Role.__index = Role
Role.__call = function(role, ...) return role.fn(...) end
roles.Role = Role

local count = 0

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

local function role(kind, options, fn)
  if type(fn) ~= "function" then
    bad("%s: expected a function, got %s", kind, type(fn))
  end
  count = count + 1
  local info = debug.getinfo(fn, "S")
  return setmetatable({
    kind = kind, options = options, fn = fn, number = count,
    where = ("%s:%d"):format(info.short_src, info.linedefined),
  }, Role)
end

-- What is checked of an option: its type, or the values it may have.
local option_types = {
  callee = {
    invoke = { single = true, roundrobin = true, random = true, first = true, last = true },
    match = { exact = true, prefix = true, wildcard = true },
    concurrency = "number", force_reregister = "boolean", disclose_caller = "boolean",
    forward_timeout = "boolean", params = "table", buffer = "number", ppt_scheme = "string",
    ppt_serializer = "string", ppt_cipher = "string", ppt_keyid = "string",
  },
  subscriber = {
    topic = true, match = { exact = true, prefix = true, wildcard = true },
    get_retained = "boolean", params = "table", ppt_scheme = "string",
  },
  timer = { interval = "number" },
}

local function check_option(kind, name, value)
  local want = option_types[kind][name]
  if not want then
    if type(name) == "string" and name:find("^_") then return end
    bad("%s: unknown option %q%s", kind, tostring(name), nearest.hint(name, option_types[kind]))
  end
  if type(want) == "string" and type(value) ~= want then
    bad("%s: option %s must be a %s, got %s", kind, name, want, type(value))
  elseif type(want) == "table" and not want[value] then
    local names = {}
    for k in pairs(want) do names[#names + 1] = k end
    table.sort(names)
    bad("%s: option %s must be one of %s, got %s%s", kind, name, table.concat(names, ", "),
      tostring(value), nearest.hint(value, want))
  end
end

-- Splits { "uri", "uri", option = value } into URIs and options.
local function split(kind, t, uri_field)
  local uris, options = {}, {}
  for name, value in pairs(t) do
    if math.type(name) == "integer" then
      uris[name] = value
    elseif name == uri_field then
      for i, uri in ipairs(type(value) == "table" and value or { value }) do uris[i] = uri end
    else
      check_option(kind, name, value)
      options[name] = value
    end
  end
  for i, uri in ipairs(uris) do
    if type(uri) ~= "string" or not core.uri_ok(uri, options.match or "exact") then
      bad("%s: invalid URI %q", kind, tostring(uris[i]))
    end
  end
  return uris, options
end

local unfinished = setmetatable({}, { __mode = "k" }) -- what waits for its function

local function declare(kind, uris, options)
  local function take(fn)
    local r = role(kind, options, fn)
    r.uris = uris
    return r
  end
  unfinished[take] = { where = errors.app_line(), written = ("%s %s (function(self, ...) ... end)")
    :format(kind, uris and ("%q"):format(uris[1]) or "{ ... }") }
  return take
end

--- Lets a function stand for what a decorator gave.
-- @param take the function
-- @param given what the decorator gave, which waits for its function
-- @return take
function roles.stand_in(take, given)
  unfinished[take] = unfinished[given]
  return take
end

--- Declares a procedure.
-- @tparam function|string|table what a function (its field's name becomes the URI), a URI, or
-- { URI..., option = ... } with invoke, match, concurrency, force_reregister, disclose_caller,
-- params, buffer, ppt_scheme ...
-- @return a Role, or a function that takes the function and returns one
function roles.callee(what)
  if type(what) == "function" then return role("callee", {}, what) end
  if type(what) == "string" then what = { what } end
  if type(what) ~= "table" then bad("callee: expected a function, a URI or a table of options") end
  local uris, options = split("callee", what, "uri")
  return declare("callee", uris[1] and uris, options)
end

--- Declares a subscription.
-- @tparam string|table what a topic, or { topic = URI or list of URIs, match =, get_retained =,
-- params =, ppt_scheme = }
-- @return a function that takes the function and returns a Role
function roles.subscriber(what)
  if type(what) == "string" then what = { topic = what } end
  if type(what) ~= "table" then bad("subscriber: expected a topic or { topic = ... }") end
  local uris, options = split("subscriber", what, "topic")
  if not uris[1] then bad("subscriber: needs a topic") end
  return declare("subscriber", uris, options)
end

--- Declares a function that is called again and again while the client is joined.
-- @param what { interval = seconds }
-- @return a function that takes the function and returns a Role
function roles.timer(what)
  if type(what) ~= "table" or type(what.interval) ~= "number" or what.interval <= 0 then
    bad("timer: expected { interval = seconds > 0 }")
  end
  return declare("timer", nil, { interval = what.interval })
end

-- The function goes behind, and not into the same brackets, where it would be lost.
for _, name in ipairs { "callee", "subscriber", "timer" } do
  local decorate = roles[name]
  roles[name] = function(what, ...)
    if select("#", ...) > 0 then
      bad("%s: expected one argument, got %d; the function goes behind: %s ... "
        .. "(function(self, ...) ... end)", name, select("#", ...) + 1, name)
    end
    return decorate(what)
  end
end

local function lineage(class)
  local list = {}
  while class do
    table.insert(list, 1, class)
    class = rawget(class, "super")
  end
  return list
end

-- The names of its own members, in an order that is the same each time.
local function names_of(class)
  local names = {}
  for name in next, class do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Puts what one class declares over what its parents did.
local function overlay(found, class, reserved, fault)
  for _, name in ipairs(names_of(class)) do
    local value = rawget(class, name)
    if getmetatable(value) == Role then
      if reserved[name] ~= nil or reserved._taken[name] then
        fault("%s: a role cannot be named %q, which is a member of Client", value.where, name)
      end
      found[name] = { name = name, role = value, fn = value.fn, number = value.number,
        uris = value.uris or { name }, options = value.options, kind = value.kind }
    elseif unfinished[value] then
      fault("%s: %s.%s has no function: write %s", unfinished[value].where or "?", class.__name,
        name, unfinished[value].written)
    elseif found[name] and type(value) == "function" then
      local parent = found[name]
      found[name] = setmetatable({ fn = value }, { __index = parent })
    elseif found[name] and value == false then
      found[name] = nil
    end
  end
end

--- What a class declares, in order of declaration, parents first.
-- @param class a class made by extend
-- @param reserved the base class, whose members cannot be roles
-- @param fault function(fmt, ...) that is told what is wrong; nil: that raises
-- @return list of { name, kind, uris, options, fn, role }
function roles.collect(class, reserved, fault)
  local found, list, seen = {}, {}, {}
  fault = fault or bad
  for _, c in ipairs(lineage(class)) do
    if c ~= reserved then overlay(found, c, reserved, fault) end
  end
  for _, entry in pairs(found) do list[#list + 1] = entry end
  table.sort(list, function(a, b) return a.number < b.number end)
  for _, entry in ipairs(list) do
    for _, uri in ipairs(entry.kind == "callee" and entry.uris or {}) do
      if seen[uri] then
        fault("%s: procedure %q is declared twice (also at %s)", entry.role.where, uri,
          seen[uri].role.where)
      end
      seen[uri] = entry
    end
  end
  return list
end

return roles
