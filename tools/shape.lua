-- shape.lua: the shape that docs/STYLE.md asks of a C file and no formatter checks.
-- usage: shape.lua FILE...
-- No line over 90 columns, comments included; a heading comment; no function over 80 lines, or
-- over 100 when it is one flat switch.
local bad = 0

local function refuse(path, number, text)
  bad = bad + 1
  print(("%s:%d: %s"):format(path, number, text))
end

local function check_function(path, lines, first, last)
  local length, limit = last - first + 1, 80
  for i = first, last do
    if lines[i]:find("^    switch %(") then limit = 100 end
  end
  if length > limit then refuse(path, first, ("a function of %d lines"):format(length)) end
end

local function check(path)
  local lines, first = {}, nil
  for line in io.lines(path) do
    lines[#lines + 1] = line
    if (utf8.len(line) or #line) > 90 then refuse(path, #lines, "longer than 90 columns") end
    if line == "{" then first = #lines end
    if line == "}" and first then
      check_function(path, lines, first, #lines)
      first = nil
    end
  end
  if not (lines[1] or ""):find("^/%* ") then refuse(path, 1, "no heading comment") end
end

for _, path in ipairs(arg) do check(path) end
os.exit(bad == 0)
