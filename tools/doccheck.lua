-- doccheck.lua: whatever an app can call says what it is.
-- usage: doccheck.lua FILE...     (.c and .lua)
--
-- In C: the function of every luaL_Reg row has a comment right above its definition. In Lua:
-- so has every function of a module or class that is defined at the left margin, except those
-- whose names open with an underscore.
local bad, seen = 0, 0

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

local function expect(ok, path, number, name)
  seen = seen + 1
  if not ok then
    bad = bad + 1
    print(("%s:%d: %s has no comment above it"):format(path, number, name))
  end
end

local function registered(lines) -- the functions of all luaL_Reg tables
  local names = {}
  for rows in table.concat(lines, "\n"):gmatch("luaL_Reg%s+[%w_]+%[%]%s*=%s*(%b{})") do
    for name in rows:gmatch('{%s*"[^"]+"%s*,%s*([%w_]+)') do names[name] = true end
  end
  return names
end

local function check_c(path)
  local lines = lines_of(path)
  local names = registered(lines)
  for number, line in ipairs(lines) do
    local name = line:match("^static int ([%w_]+)%(lua_State")
    if name and names[name] and not line:find(";%s*$") then
      expect(lines[number - 1]:find("%*/%s*$"), path, number, name)
    end
  end
end

local function check_lua(path)
  local lines = lines_of(path)
  for number, line in ipairs(lines) do
    local name = line:match("^function%s+([%w_.:]+)") or line:match("^([%w_.]+)%s*=%s*function")
    if name and name:find("[.:]") and not name:find("[.:]_") then
      expect((lines[number - 1] or ""):find("^%-%-"), path, number, name)
    end
  end
end

for _, path in ipairs(arg) do
  local check = path:find("%.c$") and check_c or check_lua
  check(path)
end
print(("%d documented, %d not"):format(seen - bad, bad))
os.exit(bad == 0)
