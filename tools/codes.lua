-- codes.lua: the page of error codes, docs/ERRORS.md, out of the table in lua/wampy/codes_*.lua.
-- usage: lua5.4 tools/codes.lua write    makes the page
--        lua5.4 tools/codes.lua check    whether it is what the table says, and each entry whole

local PAGE = "docs/ERRORS.md"
local PARTS = { "usage", "app", "link", "far" }
local PARTS_OF_AN_ENTRY = { "code", "title", "cause", "cure", "example" }

local HEAD = [[
# Error codes

A line about something that went wrong ends with a code, as in
`error: app weather.lua does not exist [W301]`. It keeps its meaning from one version to the next;
the words before it do not. `wampy-lua help W301` shows what is below, without a network. On a
terminal a second line says what to try.

The hundreds are those of the [exit code](CLI.md#exit-codes) that goes with the error, as a rule:

| codes | exit code | about |
|---|---|---|
| W1xx | 1 | Lua's own errors, and waiting |
| W2xx | 2 | the command line |
| W3xx | 3 | the app, what it gives to the module, configurations |
| W4xx | 4 | connecting and listening |
| W5xx | 5 | joining: realm, authentication |
| W6xx | 6 | ERROR from the far side |
| W7xx | 7 | time |
| W8xx | 8 | a lost link |
| W9xx | – | said while the program goes on |

An error object of the module has no code, for its class and fields say more; the code stands where
an error is printed. Lua's own errors in a script (`wampy-lua FILE`) are printed as `lua` prints
them, without one. This page is made of the table in `lua/wampy/codes_*.lua` by `tools/codes.lua`.
]]

local function entries()
  local list = {}
  for _, part in ipairs(PARTS) do
    for _, entry in ipairs(dofile("lua/wampy/codes_" .. part .. ".lua")) do
      for _, name in ipairs(PARTS_OF_AN_ENTRY) do
        assert(type(entry[name]) == "string", ("codes_%s.lua: %s: no %s"):format(part,
          tostring(entry.code), name))
      end
      list[#list + 1] = entry
    end
  end
  table.sort(list, function(a, b) return a.code < b.code end)
  return list
end

local function section(entry)
  assert(not entry.example:find("`"), entry.code .. ": a backtick in the example")
  return ("\n## %s: %s\n\n`%s [%s]`\n\n%s\n\n**Cure:** %s\n"):format(entry.code, entry.title,
    entry.example, entry.code, entry.cause, entry.cure)
end

local function page()
  local parts = { HEAD }
  for _, entry in ipairs(entries()) do parts[#parts + 1] = section(entry) end
  return table.concat(parts)
end

local function written()
  local file <close> = assert(io.open(PAGE))
  return file:read("a")
end

if arg[1] == "write" then
  local file <close> = assert(io.open(PAGE, "w"))
  file:write(page())
elseif arg[1] ~= "check" or page() ~= written() then
  print(PAGE .. " is not what the table says: lua5.4 tools/codes.lua write")
  os.exit(false)
end
