-- inspection.lua - what an app declares, and what is wrong with it, without connecting.
--
-- The app is loaded with decorators that note a mistake in place of raising it, so that all are
-- found at once. Where a file starts a client of its own, or leaves, its loading ends there: what
-- comes after needs a router.

local Client = require "wampy.client"
local bindings = require "wampy.bindings"
local errors = require "wampy.errors"
local loader = require "wampy.loader"
local roles = require "wampy.roles"
local routers = require "wampy.routers"
local tasks = require "wampy.tasks"
local wampy = require "wampy"

local inspection = {}

-- ---- what is noted ------------------------------------------------------------------------------

-- Where a mistake is, and what it is: an error of ours has its place in its text or beside it.
local function note(findings, e, where)
  local text = errors.is_error(e) and e.message or tostring(e)
  local place, rest = text:match("^([^:%s]+:%d+): (.*)$")
  findings[#findings + 1] = { where = place or errors.is_error(e) and e.where or where,
    text = rest or text }
end

-- ---- loading ------------------------------------------------------------------------------------

local STOPPED = 0 -- exit code of what ends the loading; nobody sees it

-- What ends the loading: `what` the file does, as people are told.
local function stop(what)
  return function(client)
    error({ exit = STOPPED, stopped = what, client = client }, 0)
  end
end

-- A decorator that notes what is wrong: the field is then left empty.
local function forgiving(decorate, findings)
  local function checked(fn, ...)
    local ok, result = pcall(fn, ...)
    if not ok then
      note(findings, result)
      return nil
    end
    return result
  end
  return function(...)
    local declared = checked(decorate, ...)
    if type(declared) == "function" then
      return roles.stand_in(function(fn) return checked(declared, fn) end, declared)
    end
    return declared or function() end
  end
end

-- Puts values into tables: what puts the former ones back.
local function exchange(list)
  local before = {}
  for i, each in ipairs(list) do
    before[i] = { each[1], each[2], rawget(each[1], each[2]) }
    rawset(each[1], each[2], each[3])
  end
  return before
end

-- In place of a task: what goes on after the load is not run.
local spawn = tasks.spawn
local function idle()
  return spawn(function() end)
end

local function to_stderr(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  io.stderr:write(table.concat(words, "\t"), "\n")
end

-- What is other than usual while an app is loaded. What it prints is no part of our answer.
local function changes(findings)
  local list = {
    { Client, "start", stop "starts a client of its own" },
    { os, "exit", function() stop "ends the process" () end },
    { routers.Embedded, "start", function() stop "starts a router of its own" () end },
    { routers.Crossbar, "start", function() stop "starts a router of its own" () end },
    { _G, "print", to_stderr }, { tasks, "spawn", idle }, { wampy, "spawn", idle },
  }
  for _, name in ipairs { "callee", "subscriber", "subscribe", "timer" } do
    local decorate = forgiving(wampy[name], findings)
    list[#list + 1] = { wampy, name, decorate }
    list[#list + 1] = { package.loaded, "wampy." .. name, decorate }
  end
  return list
end

-- The files of the project that have been loaded as modules meanwhile.
local function modules_since(before)
  local paths = {}
  for name in pairs(package.loaded) do
    local path = not before[name] and not name:find("^wampy%f[.%z]")
      and package.searchpath(name, "./?.lua;./?/init.lua")
    if path then paths[#paths + 1] = (path:gsub("^%./", "")) end
  end
  table.sort(paths)
  return paths
end

local function load_app(app, findings)
  local modules, stdout = {}, io.output()
  for name in pairs(package.loaded) do modules[name] = true end
  local before = exchange(changes(findings))
  io.output(io.stderr)
  local ok, list = pcall(loader.load, app)
  io.output(stdout)
  exchange(before)
  if ok then return list, modules_since(modules) end
  if type(list) ~= "table" or not list.stopped then error(list, 0) end
  return { list.client }, modules_since(modules), list.stopped
end

-- ---- classes ------------------------------------------------------------------------------------

local function reserved(uri)
  return uri == "wamp" or uri:find("^wamp%.") ~= nil
end

-- Makes the handlers, as start would.
local function check_entry(entry, findings)
  local ok, e = pcall(bindings.prepare, { _roles = { entry } }, { entry })
  if not ok then note(findings, e, entry.role.where) end
  for _, uri in ipairs(entry.kind == "callee" and entry.uris or {}) do
    if reserved(uri) then
      note(findings, ("procedure %q: names that begin with wamp. are the router's"):format(uri),
        entry.role.where)
    end
  end
end

-- What a class declares, and whether its fields are right.
local function inspect_class(class, app, findings)
  local list = {}
  local function fault(fmt, ...) note(findings, fmt:format(...), app) end
  for _, entry in ipairs(roles.collect(class, Client, fault)) do
    check_entry(entry, findings)
    list[#list + 1] = entry
  end
  return { name = class.__name, entries = list }
end

local function inspect_one(one, app, findings)
  if not rawget(one, "is_class") and one ~= Client then
    return inspect_class(getmetatable(one), app, findings)
  end
  local ok, e = pcall(one)
  if not ok then note(findings, e, app) end
  return inspect_class(one, app, findings)
end

-- ---- several apps -------------------------------------------------------------------------------

local function share(a, b)
  local how = a.options.invoke or "single"
  return how ~= "single" and how == (b.options.invoke or "single")
end

-- Every procedure of every class: { class, entry, uri }.
local function procedures(apps)
  local list = {}
  for _, app in ipairs(apps) do
    for _, class in ipairs(app.classes) do
      for _, entry in ipairs(class.entries) do
        for _, uri in ipairs(entry.kind == "callee" and entry.uris or {}) do
          list[#list + 1] = { class = class, entry = entry, uri = uri }
        end
      end
    end
  end
  return list
end

-- A procedure may be declared by several classes only where all of them want to share it.
local function find_duplicates(apps, findings)
  local seen = {}
  for _, p in ipairs(procedures(apps)) do
    local key = (p.entry.options.match or "exact") .. " " .. p.uri
    local other = seen[key]
    if other and other.class ~= p.class and not share(p.entry, other.entry) then
      note(findings, ("procedure %q is declared by %s, too, at %s: the router refuses the second, "
        .. "unless both have the same invoke"):format(p.uri, other.class.name,
        other.entry.role.where), p.entry.role.where)
    end
    seen[key] = other or p
  end
end

local function inspect_app(app)
  local findings, classes = {}, {}
  local ok, list, modules, stopped = pcall(load_app, app, findings)
  if not ok then
    return { app = app, classes = {}, files = {}, findings = findings, failure = list }
  end
  for i, one in ipairs(list) do classes[i] = inspect_one(one, app, findings) end
  table.insert(modules, 1, loader.path(app))
  return { app = app, classes = classes, files = modules, findings = findings, stopped = stopped }
end

--- Looks at apps.
-- @param names list of APP arguments
-- @return list of { app, classes = list of { name, entries = as roles.collect has them }, files =
-- its file and those of its modules, stopped = what it does that ends its loading, or nil,
-- failure = the error for which it cannot be loaded, or nil }; list of { where = "file:line",
-- text }
function inspection.apps(names)
  local apps, findings = {}, {}
  for i, name in ipairs(names) do
    apps[i] = inspect_app(name)
    table.move(apps[i].findings, 1, #apps[i].findings, #findings + 1, findings)
  end
  find_duplicates(apps, findings)
  return apps, findings
end

return inspection
