-- config_web.lua - the paths of a web transport: files, WebSockets, and the page of metrics, which
-- is ours alone, on one port.
--
-- Each path becomes a route of the listener (src/net/http_path.h). A WebSocket has the rules of its
-- path, and those who may join by it: the first one's are the listener's own, further ones are
-- parts of it (src/net/options.h).

local checks = require "wampy.config_check"
local keys = require "wampy.config_keys"

local config_web = {}

local check, object, wrong = checks.check, checks.object, checks.wrong

-- "/" for the root, else like "/ws": as Crossbar.io's keys are meant, with or without slashes.
local function route_path(name, path)
  local bare = name:gsub("^/+", ""):gsub("/+$", "")
  if bare:find("[%c%%?#\\]") or ("/" .. bare):find("/[./]") then
    wrong(path, "expected a path of a URL, such as \"ws\"")
  end
  return "/" .. bare
end

local function read_static(t, path, name, warn)
  object(t, keys.static, path, warn)
  if t.directory == nil then return nil end
  local route = { kind = "files",
    directory = checks.beside(name, check(t.directory, "string", path .. ".directory")) }
  if not checks.is_folder(route.directory) then
    wrong(path .. ".directory", "there is no folder %s", route.directory)
  end
  if t.options ~= nil then
    local at = path .. ".options"
    object(t.options, keys.static_options, at, warn)
    route.index = t.options.default_file
      and check(t.options.default_file, "string", at .. ".default_file")
    route.max_age = checks.integer(t.options.cache_timeout, at .. ".cache_timeout", 0, 0x7fffffff,
      0)
  end
  return route
end

local function read_metrics(t, path, _, warn)
  object(t, keys.metrics, path, warn)
  return { kind = "report" }
end

local readers = { static = read_static, metrics = read_metrics }

local function ignore(path, t, warn)
  warn(("%s (type %s) is not supported and ignored"):format(path, tostring(t.type)))
end

-- `result`: what there is so far.
local function read_websocket(t, path, result, warn)
  local part = result.read_part(t, path, warn)
  if not part then return nil end
  if not result.first then
    result.first = part
    return { kind = "websocket" }, part
  end
  table.insert(result.parts, part)
  return { kind = "websocket", part = #result.parts }, part
end

-- A route, and what is spoken there.
local function read_path(t, path, name, warn, result)
  check(t, "table", path)
  if t.type == "websocket" then return read_websocket(t, path, result, warn) end
  local reader = readers[t.type]
  local route = reader and reader(t, path, name, warn)
  if not route then ignore(path, t, warn) end
  return route
end

-- Adds the routes of one set of paths.
local function read_paths(paths, path, name, warn, result)
  check(paths, "table", path)
  for _, key in ipairs(checks.sorted(paths)) do
    local at = ("%s.%s"):format(path, key)
    checks.part(function()
      local route, part = read_path(paths[key], at, name, warn, result)
      if not route then return end
      route.path = route_path(key, at)
      if part then part.way = route.path end
      table.insert(result.routes, route)
    end)
  end
end

--- Reads paths.
-- @param sets list of { paths, place }: an object with a path of type websocket, static or metrics
-- each, and its place in the file
-- @param name the file's name
-- @param warn function(text)
-- @param read_part function(t, path, warn) that reads a path of type websocket
-- @return what read_part returned for the first, or { files_only = true }; with routes = list of
-- { kind, path, directory, index, max_age, part }; with parts = what it returned for others, or
-- nil; each with way = its path. Nil when there is nothing to answer
function config_web.read(sets, name, warn, read_part)
  local result = { read_part = read_part, routes = {}, parts = {} }
  for _, set in ipairs(sets) do read_paths(set[1], set[2], name, warn, result) end
  if not result.routes[1] then return nil end
  local first = result.first or { files_only = true }
  first.routes, first.path = result.routes, first.way or "/"
  first.parts = result.parts[1] and result.parts or nil
  return first
end

return config_web
