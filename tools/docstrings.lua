-- docstrings.lua: reads the comments that say what functions and classes are, for doccheck.lua and
-- annotations.lua.
--
-- In Lua the comment stands right above a function of a module or class that is defined at the left
-- margin; `@object NAME` in the one above a variable makes that a class. Tags are LDoc's (@param,
-- @return; @tparam, @treturn and @tfield, which state a type) or the language server's (@overload).
-- In C it stands above the function of a luaL_Reg row, and opens with a signature in Lua.
local docstrings = {}

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

-- The lines of the comment that ends above a line, without their dashes.
local function comment_above(lines, number)
  local text = {}
  while number > 1 and lines[number - 1]:find("^%-%-") do
    number = number - 1
    table.insert(text, 1, (lines[number]:gsub("^%-%-+ ?", "")))
  end
  return text
end

-- Adds a tag with its value, or a line that goes on with the one before it.
local function add_line(doc, line)
  local tag, value = line:match("^@(%l+)%s*(.*)$")
  if tag then
    doc.tags[#doc.tags + 1] = { tag = tag, value = value }
  elseif doc.tags[1] then
    doc.tags[#doc.tags].value = doc.tags[#doc.tags].value .. " " .. line
  else
    doc.text[#doc.text + 1] = line
  end
end

local function parse(comment)
  local doc = { text = {}, tags = {} }
  for _, line in ipairs(comment) do add_line(doc, line) end
  return doc
end

--- The value of the first tag of a name.
function docstrings.tag(doc, name)
  for _, each in ipairs(doc.tags) do
    if each.tag == name then return each.value end
  end
end

--- The names of the parameters that a docstring tells of.
function docstrings.named(doc)
  local names = {}
  for _, each in ipairs(doc.tags) do
    names[#names + 1] = each.tag == "param" and each.value:match("^%S+") or nil
  end
  return names
end

local function parameters(text)
  local list = {}
  for name in text:gmatch("[%w_.]+") do list[#list + 1] = name end
  return list
end

-- Owner, separator, name and parameters of a function that is defined on a line.
local function definition(line)
  local owner, dot, name, list = line:match("^function%s+([%w_.]+)([.:])([%w_]+)(%b())")
  if owner then return owner, dot, name, list end
  owner, name, list = line:match("^([%w_]+)%.([%w_]+)%s*=%s*function(%b())")
  if owner then return owner, ".", name, list end
  owner, name = line:match("^([%w_]+)%.([%w_]+) = core%.[%w_]+$") -- its parameters are in the tags
  return owner, ".", name
end

-- The names in `for _, NAME in ipairs { "a", "b" } do`, when a line assigns a function to each.
local function looped(lines, number)
  local owner, variable, list = lines[number]:match("^  ([%w_]+)%[([%w_]+)%] = function(%b())")
  if not owner then return end
  for above = number, 1, -1 do
    local names = lines[above]:match("^for _, " .. variable .. " in ipairs (%b{})")
    if names then return owner, names, list end
  end
end

local function add_function(found, doc, line, owner, dot, name, list)
  found[#found + 1] = { doc = doc, line = line, owner = owner, method = dot == ":", name = name,
    parameters = list and parameters(list) or docstrings.named(doc) }
  return found[#found]
end

-- Whether the function that is defined on a line returns a value: as the style has it, at its own
-- margin, or in the same line.
local function returns(lines, number)
  if lines[number]:find("return %S.* end$") then return true end
  for n = number + 1, #lines do
    if lines[n]:find("^%S") then return false end
    if lines[n]:find("^  return %S") then return true end
  end
  return false
end

--- What a Lua file documents.
-- @param path of the file
-- @return { functions, classes }: of a function { doc, line, owner, method, name, parameters,
-- returns }, of a class { doc, line, variable, name }
function docstrings.of_lua(path)
  local lines, found = lines_of(path), { functions = {}, classes = {} }
  for number, line in ipairs(lines) do
    local doc = parse(line:find("^%-%-") and {} or comment_above(lines, number))
    local owner, dot, name, list = definition(line)
    if name then
      add_function(found.functions, doc, number, owner, dot, name, list).returns =
        returns(lines, number)
    end
    local class = docstrings.tag(doc, "object")
    if class then
      found.classes[#found.classes + 1] = { doc = doc, line = number, name = class,
        variable = line:gsub("^local ", ""):match("^([%w_.]+) = ") }
    end
    local names
    owner, names, list = looped(lines, number)
    for each in (names or ""):gmatch('"(%w+)"') do
      local inner = parse { (lines[number - 1]:gsub("^%s*%-%-+ ?", "")) }
      add_function(found.functions, inner, number, owner, ".", each, list)
    end
  end
  return found
end

local function registered(lines) -- the functions of all luaL_Reg tables
  local names = {}
  for rows in table.concat(lines, "\n"):gmatch("luaL_Reg%s+[%w_]+%[%]%s*=%s*(%b{})") do
    for name in rows:gmatch('{%s*"[^"]+"%s*,%s*([%w_]+)') do names[name] = true end
  end
  return names
end

-- The text of the comment that ends above a line of C, in one line; nil when there is none.
local function c_comment(lines, number)
  local text = {}
  repeat
    number = number - 1
    local line = lines[number] or ""
    if not text[1] and not line:find("%*/%s*$") then return nil end
    table.insert(text, 1, (line:gsub("^%s*/?%*+ ?", ""):gsub("%s*%*/%s*$", "")))
  until not lines[number] or lines[number]:find("^%s*/%*")
  return table.concat(text, " ")
end

--- The functions of C that Lua can call.
-- @param path of the file
-- @return list of { line, name = of the function in C, text = its comment, or nil }
function docstrings.of_c(path)
  local lines, list = lines_of(path), {}
  local names = registered(lines)
  for number, line in ipairs(lines) do
    local name = line:match("^static int ([%w_]+)%(lua_State")
    if name and names[name] and not line:find(";%s*$") then
      list[#list + 1] = { line = number, name = name, text = c_comment(lines, number) }
    end
  end
  return list
end

return docstrings
