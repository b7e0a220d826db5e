-- config_web.lua - the paths of a web transport: files, WebSockets, and the page of metrics, which
-- is ours alone, on one port.
--
-- Each path becomes a route of the listener (src/net/http_path.h). A listener has one set of rules
-- for its WebSockets, so those of the first path, by name, hold; others of the same rules are
-- answered as well.

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

local function same_rules(a, b)
  return checks.same({ a.auth, a.options, a.serializers }, { b.auth, b.options, b.serializers })
end

-- `result`: what the first has given.
local function read_websocket(t, path, result, warn)
  if not result.rules then
    result.part = result.read_part(t, path, warn)
    result.rules = result.part and t
  elseif not same_rules(result.rules, t) then
    warn(("%s is ignored: it is not like the first path of type websocket"):format(path))
    return nil
  end
  return result.part and { kind = "websocket" }
end

local function read_path(t, path, name, warn, result)
  check(t, "table", path)
  if t.type == "websocket" then return read_websocket(t, path, result, warn) end
  local reader = readers[t.type]
  local route = reader and reader(t, path, name, warn)
  if not route then ignore(path, t, warn) end
  return route
end

--- Reads paths.
-- @param paths object: a path of type websocket, static or metrics each
-- @param path its place in the file
-- @param name the file's name
-- @param warn function(text)
-- @param read_part function(t, path, warn) that reads a path of type websocket
-- @return what read_part returned for the first, or { files_only = true }; with routes = list of
-- { kind, path, directory, index, max_age }; with path = of the first WebSocket. Nil when there is
-- nothing to answer
function config_web.read(paths, path, name, warn, read_part)
  local result, routes = { read_part = read_part }, {}
  local first
  check(paths, "table", path)
  for _, key in ipairs(checks.sorted(paths)) do
    local at = ("%s.%s"):format(path, key)
    local route = checks.part(read_path, paths[key], at, name, warn, result)
    if route then
      route.path = route_path(key, at)
      routes[#routes + 1] = route
      first = first or route.kind == "websocket" and route.path
    end
  end
  if not routes[1] then return nil end
  local part = result.part or { files_only = true }
  part.routes, part.path = routes, first or "/"
  return part
end

return config_web
