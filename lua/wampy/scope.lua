-- scope.lua - "did you mean" for a name that a Lua error says is nil: the nearest one among what
-- the failing line could have meant. That is, for `slef` the names of locals, upvalues and globals;
-- for `client:pubilsh` and `wampy.clinet` the keys of the tables that these variables hold, and of
-- their classes.
--
-- It looks at the stack, so it is asked by message handlers, before the stack is gone.

local nearest = require "wampy.nearest"

local scope = {}

local DEEPEST = 40 -- frames that are looked at
local CLASSES = 8 -- of one object, each the parent of the one before
local ENOUGH = 4000 -- names that are compared

-- What the function at a level (1 is our caller) can name without a dot: list of { name, value }.
local function variables(level)
  local list, fn = {}, debug.getinfo(level + 1, "f").func
  local function add(name, value)
    if name and name:find("^[%a_]") then list[#list + 1] = { name = name, value = value } end
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

-- Calls f(key) for each key of a table and of its classes.
local function each_key(value, f)
  local seen = {}
  for _ = 1, CLASSES do
    if type(value) ~= "table" or seen[value] then return end
    seen[value] = true
    for key in next, value do
      if is_public(key) then f(key) end
    end
    local mt = getmetatable(value)
    local parent = type(mt) == "table" and rawget(mt, "__index")
    value = type(parent) == "table" and parent or mt -- a function __index: the class is the mt
  end
end

local Words = {}
Words.__index = Words

-- Adds a word, and how it is written where it is meant. What is nearer comes first.
function Words:add(word, written)
  if self.written[word] or #self >= ENOUGH then return end
  self.written[word] = written
  self[#self + 1] = word
end

local function members(words, name, value, mark)
  if type(value) == "string" then value = string end
  each_key(value, function(key) words:add(key, name .. mark .. key) end)
end

-- By what Lua says of the name: who adds the words that could be meant.
local kinds = {}

-- A variable, or a global.
function kinds.global(words, list)
  for _, v in ipairs(list) do words:add(v.name, v.name) end
  for key in next, _G do
    if is_public(key) then words:add(key, key) end
  end
end

-- A member of what a variable holds.
function kinds.method(words, list)
  for _, v in ipairs(list) do members(words, v.name, v.value, ":") end
end

-- The same, of globals too: wampy.x, string.x.
function kinds.field(words, list)
  for _, v in ipairs(list) do members(words, v.name, v.value, ".") end
  for name, value in next, _G do
    if value ~= _G and is_public(name) then members(words, name, value, ".") end
  end
end

local function meant(message, kind, word)
  local list = kinds[kind] and in_scope(message)
  if not list then return nil end
  if kind == "global" and type(package.loaded[word]) == "table" then
    return ('local %s = require "%s"'):format(word, word)
  end
  local words = setmetatable({ written = {} }, Words)
  kinds[kind](words, list)
  return words.written[nearest.of(word, words)]
end

--- What may have been meant by the name that an error says is nil.
-- @param e what was raised; the stack is still there
-- @return "client:publish", or nil
function scope.meant(e)
  local kind, word
  if type(e) == "string" then kind, word = e:match("a nil value %((%a+) '([%w_]+)'%)") end
  return kind and meant(e, kind, word)
end

return scope
