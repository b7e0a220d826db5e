-- annotations.lua: what editors read of the public API: annotations for the Lua language server
-- (LuaLS), a file for each module that apps require, and a std for luacheck. All of it comes from
-- the docstrings of lua/ and src/lua; doccheck.lua says what cannot be made of them.
--
-- usage: annotations.lua DIR     writes DIR/luals/wampy.lua, ... and DIR/luacheckrc
package.path = "tools/?.lua;" .. package.path
local docstrings = require "docstrings"
local types = require "annotation_types"

local annotations = {}

-- Functions of public tables that only the module's own parts use.
local INTERNAL = { ["errors.is_ours"] = true, ["errors.make"] = true, ["errors.raise"] = true,
  ["errors.is_link"] = true, ["errors.uncaught"] = true,
  ["errors.app_frames"] = true, ["errors.meant"] = true, ["errors.trace"] = true,
  ["errors.told"] = true, ["MessageHandler.overrides"] = true,
  ["MessageHandler.attach"] = true, ["Held.restore"] = true, ["Embedded.server"] = true,
  ["Network.server"] = true }
-- Objects that C makes, by what their signatures call them.
local RECEIVERS = { future = "wampy.Future", stream = "wampy.Stream", up = "wampy.Upload",
  details = "wampy.Details" }

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- ---- gathering ----------------------------------------------------------------------------------

-- A file of the prelude: its documentation, its text, its locals that are other modules, and what
-- it returns.
local function load_file(module)
  local path = "lua/" .. module:gsub("%.", "/") .. ".lua"
  local found = docstrings.of_lua(path)
  found.path, found.text, found.modules = path, read(path), {}
  for name, other in found.text:gmatch('local ([%w_]+) = require "([%w_.]+)"') do
    found.modules[name] = other
  end
  found.returned = found.text:match("\nreturn ([%w_]+)\n$")
  return found
end

local function find_function(file, owner, name)
  for _, fn in ipairs(file.functions) do
    if fn.owner == owner and fn.name == name then return fn end
  end
end

-- A function of C, from its signature: "stream:result() -> results".
local function from_signature(text)
  local receiver, name, list, rest = text:match("^(%w+):?([%w_]*)(%b())%s*(.*)$")
  if not RECEIVERS[receiver] then return end
  local fn = { name = name, method = true, parameters = {}, optional = {}, signature = true,
    doc = { text = { text }, tags = {} } }
  for parameter in list:gsub("%b[]", ""):gmatch("[%w_.]+") do
    fn.parameters[#fn.parameters + 1] = parameter
  end
  for parameter in list:gmatch("%[,? ?([%w_]+)%]") do
    fn.parameters[#fn.parameters + 1] = parameter
    fn.optional[parameter] = true
  end
  local result = rest:match("^%-> (.*)$")
  if result then fn.doc.tags[1] = { tag = "return", value = result } end
  return fn, RECEIVERS[receiver]
end

local function add_class(all, name, doc)
  local own, parent = name:match("^(%S+)%s*:?%s*(%S*)$")
  local class = { name = own, parent = parent ~= "" and parent or nil, doc = doc, functions = {} }
  all.list[#all.list + 1], all.by_name[own] = class, class
  return class
end

local function add_classes_of(all, module)
  local file = load_file(module)
  for _, each in ipairs(file.classes) do
    local class = add_class(all, each.name, each.doc)
    for _, fn in ipairs(each.variable and file.functions or {}) do
      if fn.owner == each.variable and not fn.name:find("^_") and fn.name ~= "of"
        and not INTERNAL[fn.owner .. "." .. fn.name] then
        fn.path = file.path
        class.functions[#class.functions + 1] = fn
      end
    end
  end
end

local function add_classes_of_c(all, path)
  for _, each in ipairs(docstrings.of_c(path)) do
    local fn, name = from_signature(each.text or "")
    if fn then
      local class = all.by_name[name]
        or add_class(all, name, { text = { "Made by the core." }, tags = {} })
      fn.path = path
      class.functions[#class.functions + 1] = fn
    end
  end
end

local function lines_of(command)
  local list = {}
  for line in io.popen(command):lines() do list[#list + 1] = line end
  return list
end

-- All classes: in a list, in order of their names' files, and by name.
local function gather()
  local all = { list = {}, by_name = {} }
  for _, path in ipairs(lines_of("ls lua/wampy/*.lua")) do
    add_classes_of(all, "wampy." .. path:match("([%w_]+)%.lua$"))
  end
  for _, path in ipairs(lines_of("ls src/lua/*.c")) do add_classes_of_c(all, path) end
  return all
end

-- ---- classes ------------------------------------------------------------------------------------

local Page = {} -- what is written: lines, the classes that there are, what is wrong
Page.__index = Page

function Page:put(fmt, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and fmt:format(...) or fmt
end

function Page:comment(text)
  for _, line in ipairs(text) do self.lines[#self.lines + 1] = "---" .. line end
end

function Page:complain(fn, what)
  local text = ("%s: %s: %s"):format(fn.path, fn.name, what)
  if not self.complaints[text] then table.insert(self.complaints, text) end
  self.complaints[text] = true
end

-- The parameters of a function, one annotation each; the names of all.
function Page:parameters(fn)
  local names = {}
  for _, name in ipairs(fn.parameters) do
    if name ~= "_" then
      local kind, text, maybe = types.parameter(fn, name, self.classes)
      if not kind then self:complain(fn, "say with @tparam of what type is " .. name) end
      self:put("---@param %s%s %s%s", name, maybe and "?" or "", kind or "any",
        text ~= "" and " # " .. text or "")
      names[#names + 1] = name
    end
  end
  return table.concat(names, ", ")
end

-- A function as a field of `owner`.
function Page:fn(fn, owner, name)
  self:comment(fn.doc.text)
  local names = self:parameters(fn)
  if fn.returns and not types.returned(fn) then
    self:complain(fn, "say with @return what it returns")
  end
  for _, line in ipairs(types.results(fn, self.classes)) do self:put(line) end
  self:put("function %s%s%s(%s) end\n", owner,
    (fn.method or fn.parameters[1] == "_") and ":" or ".", name, names)
end

-- What a constructor takes, and what an object that is called does.
function Page:overloads(class)
  for _, fn in ipairs(class.functions) do
    if fn.name == "new" then self:put("---@overload fun(t?: table): %s", class.name) end
    if fn.name == "" then self:put("---@overload fun(): ...any") end
  end
end

function Page:class(class)
  self:comment(class.doc.text)
  self:put("---@class %s%s", class.name, class.parent and " : " .. class.parent or "")
  for _, each in ipairs(class.doc.tags) do
    local kind, rest = each.value:match("^(%S+)%s*(.*)$")
    local name, text = (rest or ""):match("^(%S+)%s*(.*)$")
    if each.tag == "tfield" then self:put("---@field %s %s %s", name, kind, text) end
    if each.tag == "overload" then self:put("---@overload %s", each.value) end
  end
  self:overloads(class)
  local variable = class.name:match("%w+$")
  self:put("local %s = {}\n", variable)
  for _, fn in ipairs(class.functions) do
    if fn.name ~= "" and fn.name ~= "new" then self:fn(fn, variable, fn.name) end
  end
  if class.name == "wampy.MessageHandler" then self:handlers() end
end

-- ---- what tables in the sources say -------------------------------------------------------------

-- The fields of wampy.Client { ... }, from the rules of fields.lua.
function Page:client_fields()
  local kinds = { ['"string"'] = "string", ['"boolean"'] = "boolean", ['"table"'] = "table",
    ["check.seconds"] = "number" }
  self:put("---What wampy.Client { ... } takes.\n---@class wampy.ClientFields")
  local rules = read("lua/wampy/fields.lua"):match("\nlocal rules = {(.-)\n}")
  for name, rule in rules:gmatch("([%a_]+) = ([^,\n]+)") do
    self:put("---@field %s? %s", name, kinds[rule] or "any")
  end
  self:put("")
end

function Page:messages()
  self:put("---@class wampy.messages.Message\n---@field WAMP_CODE integer\n---@field name string")
  self:put("---@field message any[] the list as it is sent\n")
  local rows = read("lua/wampy/messages.lua"):match("\nlocal field_names = (%b{})")
  for name, names in rows:gmatch('([%u]+) =%s*"([^"]+)"') do
    local title = "wampy.messages." .. name:sub(1, 1) .. name:sub(2):lower()
    self:put("---@class %s : wampy.messages.Message", title)
    self:put("---@overload fun(fields?: table): %s", title)
    for field in names:gmatch("[%w_]+") do
      self:put("---@field %s %s", field, types.of_name(field) or "any")
    end
    self:put("")
    self.titles[#self.titles + 1] = title
  end
end

-- What a MessageHandler has for each message that a router sends.
function Page:handlers()
  local text = read("lua/wampy/message_handler.lua")
  for name in text:match("for _, name in ipairs (%b{}) do\n  local class"):gmatch('"(%w+)"') do
    self:put("---Handles a message: an override that does not call its super keeps it back.")
    self:put("---@param message wampy.messages.%s", name)
    self:put("function MessageHandler:handle_%s(message) end\n", name:lower())
  end
end

function Page:errors()
  local text = read("lua/wampy/errors.lua")
  local loop = text:match("for _, name in ipairs (%b{}) do\n  derive%(name%)")
  for name in (loop .. text:match('derive%("[%w]+"%)')):gmatch('"(%w+)"') do
    self:put("---@class wampy.errors.%s : wampy.errors.WampyError\n", name)
    self.titles[#self.titles + 1] = "wampy.errors." .. name
  end
  self.titles[#self.titles + 1] = "wampy.errors.WampyError"
end

-- ---- modules ------------------------------------------------------------------------------------

-- The entries of the table that a module is made of: list of { name, value = text of it }.
local function entries(file)
  local body = file.text:match("\nlocal " .. (file.returned or "?") .. " = (%b{})")
    or file.text:match("\nreturn (%b{})") or "{}"
  local list = {}
  for name, value in (body:sub(2, -2) .. ", "):gmatch("([%w_]+) = (.-),[ \n]") do
    list[#list + 1] = { name = name, value = value }
  end
  return list
end

local function literal(value)
  if value:find("^%d") then return "integer" end
  if value:find('^"') then return "string" end
  if value:find("^{") then return "table" end
  return "any"
end

-- The class that a module of the prelude is, or that it gives under a name; nil when it is none.
local function class_in(file, variable)
  for _, each in ipairs(file.classes) do
    if each.variable == variable then return (each.name:match("^%S+")) end
  end
end

-- An entry: a function of another module, a class, a module, or a plain value.
function Page:entry(file, owner, entry)
  local module, member = entry.value:match("^([%w_]+)%.([%w_]+)$")
  if file.modules[module] then
    local other = load_file(file.modules[module])
    local fn = find_function(other, other.returned, member)
    if fn then
      fn.path = other.path
      return self:fn(fn, owner, entry.name)
    end
  end
  local required = entry.value:match('require%(?%s*"([%w_.]+)"') or file.modules[entry.value]
  local kind = literal(entry.value)
  if required then
    local other = load_file(required)
    kind = class_in(other, entry.value:match("%)%.([%w_]+)$") or other.returned)
      or self:module_class(required, other)
  end
  self:put("---@type %s\n%s.%s = nil\n", kind, owner, entry.name)
end

-- The classes that a module gives as fields of its own.
function Page:classes_of(file, owner)
  for _, each in ipairs(file.classes) do
    local name = (each.variable or ""):match("^" .. file.returned .. "%.([%w_]+)$")
    if name then self:put("---@type %s\n%s.%s = nil\n", each.name:match("^%S+"), owner, name) end
  end
end

-- A module that is a field of another one: a class of its own; its name.
function Page:module_class(name, file)
  local variable = "_" .. name:gsub("%.", "_")
  self:put("---@class %s\nlocal %s = {}\n", name, variable)
  self:members(file, variable)
  for _, title in ipairs(self.titles) do
    local field = title:match("^" .. name:gsub("%.", "%%.") .. "%.(%w+)$")
    if field then self:put("---@type %s\n%s.%s = nil\n", title, variable, field) end
  end
  return name
end

function Page:members(file, variable)
  for _, entry in ipairs(entries(file)) do self:entry(file, variable, entry) end
  self:classes_of(file, variable)
  for _, fn in ipairs(file.functions) do
    if fn.owner == file.returned and not fn.name:find("^_")
      and not INTERNAL[fn.owner .. "." .. fn.name] then
      fn.path = file.path
      self:fn(fn, variable, fn.name)
    end
  end
end

local function new_page(all, complaints)
  local page = { lines = {}, classes = all.by_name, complaints = complaints, titles = {} }
  return setmetatable(page, Page)
end

local function text_of(page, module, all)
  local variable = module:match("%w+$")
  local file = load_file(module)
  local own = new_page(all, page.complaints)
  own.titles = page.titles
  own:put("---@class %s\nlocal %s = {}\n", module, variable)
  own:members(file, variable)
  return ("---@meta %s\n\n%s\n%s\nreturn %s\n"):format(module, table.concat(page.lines, "\n"),
    table.concat(own.lines, "\n"), variable)
end

-- ---- all of it ----------------------------------------------------------------------------------

local function luacheckrc(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = ("  %s = { other_fields = true },"):format(name) end
  return "-- For files in which wampy is a global, as `wampy-lua -l wampy` makes it.\n"
    .. "stds.wampy = { read_globals = { wampy = { fields = {\n" .. table.concat(list, "\n")
    .. "\n} } } }\n"
end

--- Makes all files.
-- @return table from path to text, and a list of what the docstrings leave open
function annotations.make()
  local all, complaints, files = gather(), {}, {}
  local page, kit = new_page(all, complaints), new_page(all, complaints)
  for _, class in ipairs(all.list) do
    local here = class.name:find("^wampy%.testing%.") and kit or page
    here:class(class)
  end
  page:client_fields()
  page:messages()
  page:errors()
  files["luals/wampy.lua"] = text_of(page, "wampy", all)
  files["luals/wampy/testing.lua"] = text_of(kit, "wampy.testing", all)
  local names = {}
  for name in files["luals/wampy.lua"]:gmatch("\n[function ]*wampy%.([%w_]+)") do
    names[#names + 1] = name
    files["luals/wampy/" .. name .. ".lua"] =
      ('---@meta wampy.%s\nreturn require("wampy").%s\n'):format(name, name)
  end
  table.sort(names)
  files.luacheckrc = luacheckrc(names)
  return files, complaints
end

if arg and (arg[0] or ""):find("annotations%.lua$") then
  os.execute(("mkdir -p '%s/luals/wampy'"):format(arg[1]))
  local files, complaints = annotations.make()
  for path, text in pairs(files) do
    local file <close> = assert(io.open(arg[1] .. "/" .. path, "w"))
    file:write(text)
  end
  for _, text in ipairs(complaints) do io.stderr:write(text, "\n") end
  os.exit(not complaints[1])
end

return annotations
