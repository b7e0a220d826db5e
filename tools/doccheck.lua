-- doccheck.lua: whatever an app can call says what it is, and of what type its parameters are.
-- usage: doccheck.lua FILE...     (.c and .lua)
--
-- In C: the function of every luaL_Reg row has a comment right above its definition. In Lua:
-- so has every function of a module or class that is defined at the left margin, except those
-- whose names open with an underscore. From these comments annotations.lua makes what editors
-- read; what it cannot make of them is said, too.
package.path = "tools/?.lua;" .. package.path
local annotations = require "annotations"
local docstrings = require "docstrings"

local bad, seen = 0, 0

local function expect(ok, path, number, name)
  seen = seen + 1
  if not ok then
    bad = bad + 1
    print(("%s:%d: %s has no comment above it"):format(path, number, name))
  end
end

for _, path in ipairs(arg) do
  if path:find("%.c$") then
    for _, each in ipairs(docstrings.of_c(path)) do
      expect(each.text, path, each.line, each.name)
    end
  else
    for _, each in ipairs(docstrings.of_lua(path).functions) do
      local name = each.owner .. "." .. each.name
      if not each.name:find("^_") then
        expect(each.doc.text[1] or each.doc.tags[1], path, each.line, name)
      end
    end
  end
end

local _, complaints = annotations.make()
for _, text in ipairs(complaints) do print(text) end
print(("%d documented, %d not"):format(seen - bad, bad))
os.exit(bad == 0 and not complaints[1])
