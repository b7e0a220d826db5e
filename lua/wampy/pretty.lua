-- pretty.lua - the one printer of values at the prompt: as Lua writes them, so that what is shown
-- can be typed back where that is possible.
--
-- Marks are shown by the words that make them: array {}, binary "...", kwargs {}, options {}, null.
-- What fits is one line; else a table has a line for each entry. Nothing in a string speaks to the
-- terminal: control characters and bytes that are no UTF-8 are escapes. Objects are <what they say
-- of themselves>, or their name and what of them is no table. Nothing of an object's is called but
-- its __tostring.

local core = require "wampy.core"

local pretty = {}

local DEPTH = 16 -- tables within tables; deeper ones are {...}

local marks = { [core.array_mt] = "array ", [core.kwargs_mt] = "kwargs ",
  [core.options_mt] = "options " }

local words = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch("%l+") do
  words[word] = true
end

-- ---- what is no table ---------------------------------------------------------------------------

local named = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escape(byte)
  return named[byte] or ("\\x%02X"):format(byte:byte())
end

-- Text between quotes; U+0080 to U+009F are controls, too.
local function quoted_text(s)
  local text = s:gsub('[%c\\"]', escape):gsub("\xC2([\x80-\x9F])", function(last)
    return ("\\u{%X}"):format(last:byte())
  end)
  return '"' .. text .. '"'
end

local function quoted_bytes(s)
  return '"' .. s:gsub('[^\x20-\x7E]', escape):gsub('["]', '\\"') .. '"'
end

local function string_text(s, limits)
  local rest = #s - (limits.bytes or math.huge)
  local shown, behind = s, ""
  if rest > 0 then
    shown = s:sub(1, utf8.len(s) and utf8.offset(s, 0, limits.bytes + 1) - 1 or limits.bytes)
    behind = ("... (%d bytes)"):format(#s)
  end
  return (utf8.len(shown) and quoted_text(shown) or quoted_bytes(shown)) .. behind
end

local function number_text(n)
  local text = tostring(n)
  if n == n and math.type(n) == "float" and tonumber(text) ~= n then text = ("%.17g"):format(n) end
  return text
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return "<function in C>" end
  return ("<function %s:%d>"):format(info.short_src, info.linedefined)
end

local function plain(text)
  return (text:gsub("%c", "?"))
end

-- What an object says of itself; nil for a table that is a value.
local function object_text(v, mt)
  if not mt or marks[mt] or mt == core.binary_mt then return nil end
  if not mt.__tostring then return nil end
  local ok, text = pcall(tostring, v)
  return ok and ("<%s>"):format(plain(text)) or "<its __tostring failed>"
end

local function scalar_text(v, limits)
  if v == core.null then return "null" end
  local kind, mt = type(v), debug.getmetatable(v)
  if kind == "string" then return string_text(v, limits) end
  if kind == "number" then return number_text(v) end
  if kind == "function" then return function_text(v) end
  if kind ~= "table" then return kind:find("^[ut]") and ("<%s>"):format(plain(tostring(v)))
    or tostring(v) end
  if mt == core.binary_mt then return "binary " .. string_text(v[1], limits) end
  return object_text(v, mt)
end

-- ---- tables -------------------------------------------------------------------------------------

local order = { number = 1, string = 2 }

local function before(a, b)
  local x, y = order[type(a)] or 3, order[type(b)] or 3
  if x ~= y then return x < y end
  if x == 3 then return tostring(a) < tostring(b) end
  return a < b
end

local simple = { string = true, number = true, boolean = true }

-- The keys that are not 1 to n, in their order; of an object, those of its public simple members.
local function other_keys(t, n, is_object)
  local keys = {}
  for key, value in next, t do
    local listed = math.type(key) == "integer" and key >= 1 and key <= n
    local inner = is_object
      and (type(key) ~= "string" or key:find("^_") or not simple[type(value)])
    if not listed and not inner then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  return keys
end

local function key_text(key, limits)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") and not words[key] then return key end
  return "[" .. (type(key) == "table" and "{...}" or scalar_text(key, limits)) .. "]"
end

local function name_of(mt)
  if marks[mt] then return marks[mt] end
  return mt and type(mt.__name) == "string" and plain(mt.__name) .. " " or ""
end

-- One line, or several where that is too long or has several itself.
local function join(entries, width, indent)
  local line = "{ " .. table.concat(entries, ", ") .. " }"
  if #line + #indent <= width and not line:find("\n", 1, true) then return line end
  local inner = "\n" .. indent .. "  "
  return "{" .. inner .. table.concat(entries, "," .. inner) .. "\n" .. indent .. "}"
end

local text_of

local function table_text(v, limits, indent, seen)
  local mt = debug.getmetatable(v)
  local name = name_of(mt)
  if seen[v] then return name .. "<the same again>" end
  if seen.depth >= DEPTH then return name .. "{...}" end
  seen[v], seen.depth = true, seen.depth + 1
  local is_object = mt ~= nil and type(mt.__name) == "string" and not marks[mt]
  local n, entries, most = is_object and 0 or rawlen(v), {}, limits.entries or math.huge
  for i = 1, math.min(n, most) do
    entries[i] = text_of(rawget(v, i), limits, indent .. "  ", seen)
  end
  local keys = other_keys(v, n, is_object)
  for i = 1, math.min(#keys, most - #entries) do
    entries[#entries + 1] = key_text(keys[i], limits) .. " = "
      .. text_of(rawget(v, keys[i]), limits, indent .. "  ", seen)
  end
  local rest = n + #keys - #entries
  if rest > 0 then entries[#entries + 1] = ("... %d more"):format(rest) end
  seen[v], seen.depth = nil, seen.depth - 1
  return name .. (entries[1] and join(entries, limits.width, indent) or "{}")
end

function text_of(v, limits, indent, seen)
  return scalar_text(v, limits) or table_text(v, limits, indent, seen)
end

--- The text of a value.
-- @param v any value
-- @param limits { width = columns of a line (80), bytes = of a string, entries = of a table }; no
-- limit where none is given
-- @return text, of several lines perhaps, without a line end
function pretty.text(v, limits)
  local l = { width = limits and limits.width or 80, bytes = limits and limits.bytes,
    entries = limits and limits.entries }
  return text_of(v, l, "", { depth = 0 })
end

--- The text of several values, as the results of a line are shown: one below the other.
-- @param values table.pack of them
-- @param limits as above
-- @return text; nil when there are none
function pretty.all(values, limits)
  local lines = {}
  for i = 1, values.n do lines[i] = pretty.text(values[i], limits) end
  return lines[1] and table.concat(lines, "\n")
end

return pretty
