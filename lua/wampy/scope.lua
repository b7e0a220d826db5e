-- scope.lua - "did you mean" for a name that a Lua error says is nil: the nearest one among what
-- the failing line could have meant. That is, for `slef` the names of locals, upvalues and globals;
-- for `client:pubilsh` and `wampy.clinet` the keys of the tables that these variables hold, and of
-- their classes.
--
-- It looks at the stack, so it is asked by message handlers, before the stack is gone.

local members = require "wampy.members"
local nearest = require "wampy.nearest"

local scope = {}

local DEEPEST = 40 -- frames that are looked at
local ENOUGH = 2000 -- names that are looked at
local KEPT = 100 -- answers

-- What the function at a level (1 is our caller) can name without a dot: list of { name, value };
-- its field `globals` is the table of globals.
local function variables(level)
  local list, fn = { globals = _G }, debug.getinfo(level + 1, "f").func
  local function add(name, value)
    if name == "_ENV" then
      if type(value) == "table" then list.globals = value end
    elseif name and name:find("^[%a_]") then
      list[#list + 1] = { name = name, value = value }
    end
    return name
  end
  local i = 1
  while add(debug.getlocal(level + 1, i)) do i = i + 1 end
  i = 1
  while add(debug.getupvalue(fn, i)) do i = i + 1 end
  return list
end

-- The variables where the error was raised; nil when its line is not on the stack.
local function in_scope(message)
  for level = 2, DEEPEST do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    local place = ("%s:%d: "):format(info.short_src, info.currentline)
    if message:sub(1, #place) == place then
      local list = variables(level) -- no tail call: it counts our frame
      return list
    end
  end
end

local function is_public(key)
  return type(key) == "string" and key:find("^%a[%w_]*$") ~= nil
end

local Words = {}
Words.__index = Words

-- Adds a word, and how it is written where it is meant. What is nearer comes first.
function Words:add(word, written)
  if self.written[word] then return end
  self.written[word] = written
  self[#self + 1] = word
end

-- Adds the keys of a table, of which an app may keep a million.
function Words:add_keys(t, prefix)
  for key in next, t do
    self.seen = self.seen + 1
    if self.seen > ENOUGH then return end
    if is_public(key) then self:add(key, prefix .. key) end
  end
end

-- Adds the members of a variable: those of its table, and of the classes of that.
local function add_members(words, name, value, mark)
  members.each_table(value, function(t) words:add_keys(t, name .. mark) end)
end

-- By what Lua says of the name: who adds the words that could be meant.
local kinds = {}

-- A variable, or a global.
function kinds.global(words, list)
  for _, v in ipairs(list) do words:add(v.name, v.name) end
  words:add_keys(list.globals, "")
  words:add_keys(_G, "")
end

-- Whether a global may have been meant: not the table of globals, and a method is an object's.
local function can_have(name, value, globals, mark)
  return value ~= _G and value ~= globals and is_public(name)
    and (mark == "." or type(value) == "table" and debug.getmetatable(value) ~= nil)
end

-- A member of what a variable holds, or a global: wampy.x, string.x, client:x.
local function add_all_members(words, list, mark)
  for _, v in ipairs(list) do add_members(words, v.name, v.value, mark) end
  for name, value in next, list.globals do
    if can_have(name, value, list.globals, mark) then add_members(words, name, value, mark) end
  end
end

-- A member behind a colon.
function kinds.method(words, list) add_all_members(words, list, ":") end

-- A member behind a dot.
function kinds.field(words, list)
  add_all_members(words, list, ".")
  if list.globals ~= _G then add_all_members(words, { globals = _G }, ".") end
end

local function meant(message, kind, word)
  local list = kinds[kind] and in_scope(message)
  if not list then return nil end
  if kind == "global" and type(package.loaded[word]) == "table" then
    return ('local %s = require "%s"'):format(word, word)
  end
  local words = setmetatable({ written = {}, seen = 0 }, Words)
  kinds[kind](words, list)
  return words.written[nearest.of(word, words)]
end

-- A handler that fails at each call asks for the same again and again.
local kept, count = {}, 0

local function keep(message, found)
  if count >= KEPT then kept, count = {}, 0 end
  kept[message], count = found or false, count + 1
  return found
end

--- What may have been meant by the name that an error says is nil.
-- @param e what was raised; the stack is still there
-- @return "client:publish", or nil
function scope.meant(e)
  local kind, word
  if type(e) == "string" then kind, word = e:match("a nil value %((%a+) '([%w_]+)'%)") end
  if not kind then return nil end
  if kept[e] == nil then return keep(e, meant(e, kind, word)) end
  return kept[e] or nil
end

return scope
