-- check.lua - checking the table of named fields that a constructor is given.
--
-- What is wrong is one error that names the constructor, the field, and what was expected.

local errors = require "wampy.errors"
local nearest = require "wampy.nearest"

local check = {}

local function expected(want)
  return type(want) == "table" and want[1] or "a " .. want
end

-- A rule is a type's name, { text of what is expected, function(value) -> boolean }, or true.
local function fits(value, want)
  if want == true then return true end
  if type(want) == "table" then return want[2](value) end
  return type(value) == want
end

-- What was given, as a word: values that read well are shown.
local function shown(value)
  local kind = type(value)
  if kind == "number" or kind == "boolean" then return tostring(value) end
  if kind == "string" then return ("%q"):format(value) end
  return kind
end

--- Checks the named fields of a table.
-- @param what the constructor's name, for messages
-- @param t what it was given
-- @param rules field -> its type's name, { "text of what is expected", function(value) }, or true
-- for anything; [1] = true lets list entries pass
-- @return t; raises WampyError
function check.fields(what, t, rules)
  if type(t) ~= "table" then
    errors.raise("WampyError", ("%s: expected a table of fields, got %s"):format(what, type(t)))
  end
  for name, value in pairs(t) do
    local want = rules[name]
    if not want and not (rules[1] and math.type(name) == "integer") then
      errors.raise("WampyError", ("%s: unknown field %q%s"):format(what, tostring(name),
        nearest.hint(name, rules)))
    elseif want and not fits(value, want) then
      errors.raise("WampyError", ("%s: field %s: expected %s, got %s"):format(what, name,
        expected(want), shown(value)))
    end
  end
  return t
end

--- A rule: one of some words.
-- @param ... the words
function check.one_of(...)
  local words, list = {}, { ... }
  for _, word in ipairs(list) do words[word] = true end
  return { table.concat(list, ", "), function(value) return words[value] == true end }
end

local LONGEST = 1e9 -- seconds: thirty years, which no clock here overflows with

--- A rule: seconds.
check.seconds = { "a number of seconds from 0 to 1e9", function(value)
  return type(value) == "number" and value >= 0 and value <= LONGEST
end }

return check
