-- codes.lua - the stable codes of errors: W401 for a refused connection, and so on.
--
-- The hundreds say what becomes of the program, as its exit code does: W2xx is the command line,
-- W3xx an app or a configuration, W4xx the connection, W5xx the session, W6xx an ERROR from the far
-- side, W7xx time, W8xx a lost link; W1xx is Lua's own, and W9xx is said while the program goes on.
--
-- What raises an error of ours does not know its code: it is found here by the fields that it has
-- (the peer's URI, how the transport ended), else by its words. Where words of an app are printed,
-- which could be anything, who prints them says the code. The table is in codes_*.lua, and loaded
-- when an error is printed for people, so it costs nothing before. tools/codes.lua makes
-- docs/ERRORS.md of it.

local core = require "wampy.core"
local errors = require "wampy.errors"

local codes = {}

local PARTS = { "codes_usage", "codes_app", "codes_link", "codes_far" } -- in this order

-- The verb of this command line, for "wampy-lua VERB --help"; nil while it is not known.
codes.verb = nil

local list, by_code = {}, {} -- of all entries; list is in order, and the first that fits counts

local function entries()
  if not list[1] then
    for _, part in ipairs(PARTS) do
      for _, entry in ipairs(require("wampy." .. part)) do
        list[#list + 1], by_code[entry.code] = entry, entry
      end
    end
  end
  return list
end

local function contains(words, word)
  for _, each in ipairs(words or {}) do
    if each == word then return true end
  end
  return false
end

-- The first entry that has a value among those of one of its lists.
local function find(field, value)
  for _, entry in ipairs(value ~= nil and entries() or {}) do
    if contains(entry[field], value) then return entry.code end
  end
end

--- The code that the words of a line stand for.
-- @param text what is said, without "error: "; file and line may stand in front
-- @return "W401", or nil when these are no words of ours
function codes.of_text(text)
  local bare = text:gsub("^[^%s:]+:%d+: ", "")
  for _, entry in ipairs(entries()) do
    for _, pattern in ipairs(entry.says or {}) do
      if text:find(pattern) or bare:find(pattern) then return entry.code end
    end
  end
end

local function of_object(e)
  if e:is(errors.RemoteError) then return find("remote", e.uri) or "W600" end
  if e:is(errors.WampProtocolError) then return find("class", e.name) end
  if e.after_join then return find("lost", e.transport) or "W800" end
  return e.uri and (find("refusal", e.uri) or "W500") or find("transport", e.transport)
    or codes.of_text(e.message) or find("class", e.name)
end

--- The code of an error.
-- @param e an error of wampy.errors; a table { message, exit, code }, of which code is the answer
-- when it is there; a code; or a text
-- @return "W401"; nil when it is none of ours
function codes.of(e)
  if errors.is_error(e) then return of_object(e) end
  local fields = type(e) == "table" and e or {}
  if fields.code then return fields.code end
  local text = tostring(fields.message or e)
  return text:match("^W%d%d%d$") or codes.of_text(text)
    or math.type(fields.exit) == "integer" and find("exit", fields.exit) or nil
end

--- Writes the code behind the first line of a text.
-- @param text what is going to be printed
-- @param e the error that it tells of, or a code; the text itself when nil
-- @return text
function codes.mark(text, e)
  local code = codes.of(e == nil and text or e)
  local first, rest = text:match("^([^\n]*)(.*)$")
  if not code or first:find("%[W%d%d%d%]$") then return text end
  return ("%s [%s]%s"):format(first, code, rest)
end

--- Logs an error, with its code.
-- @param text what is said
-- @param e as for mark
function codes.log(text, e)
  core.log("error", codes.mark(text, e))
end

--- Logs a warning, with its code.
-- @param text what is said
-- @param e as for mark
function codes.warn(text, e)
  core.log("warn", codes.mark(text, e))
end

-- What to do next; for who looks on, not for files, pipes and who reads JSON.
local function advice(code)
  if not code or core.log_json() or not core.is_terminal(2) then return "" end
  entries()
  local try = by_code[code].try
  try = try and try:gsub("VERB ", codes.verb and codes.verb .. " " or "")
  return ("try: %swampy-lua help %s\n"):format(try and try .. "; " or "", code)
end

--- The line for an error that ends the program, as it is printed; on a terminal with what to try.
-- @param text what is said
-- @param e the error that it tells of
-- @return text with its line end
function codes.line(text, e)
  return ("error: %s\n%s"):format(codes.mark(text, e), advice(codes.of(e)))
end

--- Logs the error that ends the program; on a terminal with what to try.
-- @param text what is said
-- @param e as for mark
-- @param frames lines that stand below, or nil
function codes.complain(text, e, frames)
  codes.log(text, e)
  if frames and frames ~= "" then io.stderr:write(frames, "\n") end
  io.stderr:write(advice(codes.of(e)))
end

--- All codes, in the order of their numbers.
-- @return list of { code, title, cause, cure, example }
function codes.all()
  local sorted = table.move(entries(), 1, #entries(), 1, {})
  table.sort(sorted, function(a, b) return a.code < b.code end)
  return sorted
end

--- What a code means, for people: `wampy-lua help W401`.
-- @param code "W401", in capitals or not
-- @return text of several lines, or nil when there is no such code
function codes.help(code)
  entries()
  local entry = by_code[code:upper()]
  if not entry then return nil end
  return ("%s  %s\n\nCause:  %s\n\nCure:   %s\n\nExample:\n  %s [%s]\n"):format(entry.code,
    entry.title, entry.cause, entry.cure, entry.example, entry.code)
end

return codes
