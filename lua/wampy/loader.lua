-- loader.lua - from the APP argument of `run` to the classes and clients in it.
--
-- APP is app.lua, app.lua:Class, dotted.module or dotted.module:Class. The file runs as a main
-- chunk, not as a coroutine. What is wrong with it raises { exit = 3, code, message = one line }.

local Client = require "wampy.client"
local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local nearest = require "wampy.nearest"
local roles = require "wampy.roles"

local loader = {}

local EISDIR = 21 -- the error of a file that is a folder

local function fail(code, fmt, ...)
  error({ exit = 3, code = code, message = fmt:format(...) }, 0)
end

local function exists(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

local function is_folder(path)
  local file <close> = io.open(path, "r")
  return file ~= nil and select(3, file:read(0)) == EISDIR
end

-- Whoever names the folder of a project means the app in it.
local function fail_for_folder(path)
  path = path:gsub("(.)/+$", "%1")
  for _, name in ipairs { "app.lua", "main.lua", "init.lua" } do
    local inside = path .. "/" .. name
    if exists(inside) then fail("W301", "%s is a folder; did you mean %s?", path, inside) end
  end
  fail("W301", "%s is a folder; an app is a file, such as %s/app.lua", path, path)
end

-- "path:Class" -> path, Class or nil
local function split(app)
  local path, class = app:match("^(.*):([%a_][%w_]*)$")
  if path then return path, class end
  return app, nil
end

local function find(name)
  if name:find("/", 1, true) or name:find("%.lua$") then
    if is_folder(name) then fail_for_folder(name) end
    if exists(name) then return name end
    local dotted = name:gsub("%.lua$", ""):gsub("^%./", ""):gsub("/", ".")
    local near = package.searchpath(dotted, "./?.lua;./?/init.lua")
    if near then fail("W301", "app %s does not exist; did you mean %s?", name, near) end
    fail("W301", "app %s does not exist", name)
  end
  local path = package.searchpath(name, "./?.lua;./?/init.lua;" .. package.path)
  if path then return path end
  if is_folder(name) then fail_for_folder(name) end
  if exists(name .. ".lua") then fail("W301", "no module %q; did you mean %s.lua?", name, name) end
  fail("W301", "no module %q (looked for %s)", name, "./" .. name:gsub("%.", "/") .. ".lua")
end

local function is_class(v)
  return v == Client or type(v) == "table" and rawget(v, "is_class") == true
end

local function is_client(v)
  return type(v) == "table" and type(rawget(v, "registration_map")) == "table"
end

-- The classes and clients in what a file returned, as a list in a stable order, and by name.
local function contents(path, result)
  if result == nil then return {}, {} end
  if is_class(result) then return { result }, { [result.__name] = result } end
  if is_client(result) then return { result }, { [result.name] = result } end
  if type(result) ~= "table" then
    fail("W304", "%s returned a %s; expected a class (wampy.Client:extend), a client, a table of "
      .. "classes, or nothing", path, type(result))
  end
  local names, list, by_name = {}, {}, {}
  for key, value in pairs(result) do
    if not is_class(value) and not is_client(value) then
      fail("W304", "%s returned a table in which %s is a %s; expected classes or clients", path,
        tostring(key), type(value))
    end
    names[#names + 1] = key
  end
  table.sort(names, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  for _, key in ipairs(names) do
    list[#list + 1] = result[key]
    by_name[type(key) == "string" and key or result[key].__name or result[key].name] = result[key]
  end
  return list, by_name
end

local function choose(path, list, by_name, class)
  if not class then return list end
  if by_name[class] then return { by_name[class] } end
  local names = {}
  for name in pairs(by_name) do names[#names + 1] = name end
  table.sort(names)
  fail("W303", "%s has no class %q (it has %s)%s", path, class,
    names[1] and table.concat(names, ", ") or "none", nearest.hint(class, by_name))
end

--- The file of an app.
-- @param app the APP argument
-- @return path
function loader.path(app)
  return find((split(app)))
end

-- What `require` says in several lines, in one.
local function one_line(text)
  text = text:gsub("^error loading module .-:\n%s*", "")
  return (text:gsub("(module '.-' not found):\n.*", "%1"))
end

-- Whether a class has a role that was written in this file.
local function has_role_of(class, path)
  for _, value in next, class do
    if getmetatable(value) == roles.Role
      and debug.getinfo(value.fn, "S").source == "@" .. path then
      return true
    end
  end
  return false
end

-- A file that returns nothing has started its own clients, or will. One that has made a class and
-- nothing else has forgotten its last line.
local function check_not_forgotten(path, tasks)
  local class = Client.latest
  if class and core.tasks() == tasks and has_role_of(class, path) then
    fail("W304", "%s returned nothing, so its class %s is not run; end the file with return %s",
      path, class.__name, class.__name)
  end
end

-- What the file raised, as one line.
local function describe(err)
  if type(err) == "table" and err.exit then return err end
  if errors.is_error(err) then
    local text = errors.is_error(err, errors.RemoteError)
      and tostring(err):gsub("^RemoteError: ", "") or err.message
    local where = err.where and err.where .. ": " or ""
    return { exit = 3, code = codes.of(err), message = where .. text, cause = err }
  end
  local trace = debug.traceback("", 2)
  return { exit = 3, code = "W300", traceback = trace,
    message = one_line(errors.at_home(errors.words(err), trace)) .. errors.meant(err) }
end

--- Loads an app.
-- @param app the APP argument
-- @return list of classes and clients (empty when the file made and started its own)
function loader.load(app)
  local name, class = split(app)
  local path = find(name)
  local chunk, e = loadfile(path, "t")
  if not chunk then fail("W302", "%s", e) end
  local tasks = core.tasks()
  Client.latest = nil
  local ok, result = xpcall(chunk, describe, path)
  if not ok then error(result, 0) end
  if result == nil then check_not_forgotten(path, tasks) end
  local list, by_name = contents(path, result)
  return choose(path, list, by_name, class)
end

return loader
