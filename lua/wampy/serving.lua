-- serving.lua - `wampy-lua router --config FILE.lua`: a router whose configuration is a Lua file
-- and which keeps Lua, because functions of the file decide for it.
--
-- The file returns the fields of wampy.routers.Embedded. A router without such a file is served
-- without Lua (src/serve.c), which does the same: HUP reads everything anew and changes all or
-- nothing. The file is then read on trial (trial.lua), for what it started the first time would be
-- there twice.

local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local service = require "wampy.service"
local sources = require "wampy.sources"
local tasks = require "wampy.tasks"
local trial = require "wampy.trial"

local serving = {}

local own -- sources: the file and its modules, from the first load on

--- Whether a configuration is a Lua file.
function serving.is_lua(path)
  return path:find("%.lua$") ~= nil
end

-- An error of the file itself has its place already.
local function reason(path, e)
  if not errors.is_error(e) then return tostring(e) end
  return ("%s: %s"):format(path, e.message)
end

--- Makes a router of a Lua file; it is not started.
-- @param path the file
-- @return wampy.routers.Embedded; or nil and why not
function serving.load(path)
  own = own or sources.new { path }
  local chunk, e = loadfile(path, "t")
  if not chunk then return nil, e end
  local ok, fields = xpcall(chunk, function(raised)
    return errors.is_error(raised) and raised or tostring(raised) .. errors.meant(raised)
  end, path)
  if not ok then return nil, reason(path, fields) end
  if type(fields) ~= "table" then
    return nil, ("%s returned a %s; expected a table of the fields of wampy.routers.Embedded")
      :format(path, type(fields))
  end
  if fields.listen == nil and not fields.config and not fields.config_path then
    fields.listen = "127.0.0.1:8080"
  end
  local made, router = pcall(require("wampy.router_embedded").Embedded.new, fields)
  if not made then return nil, reason(path, router) end
  return router
end

-- ---- again --------------------------------------------------------------------------------------

-- Why it stays as it was, and the error; nil when it does not.
local function renew(plan)
  local new, e, refused = trial.run(plan.anew)
  if refused then return ("%s %s: it is not read again"):format(plan.path, refused) end
  if not new then return tostring(e), e end
  if new.exit then return (new.stderr:match("^error: ([^\n]*)") or new.stderr) end
  new.router._list = new.listen
  local ok, why = pcall(plan.router._become, plan.router, new.router)
  if not ok then return errors.is_error(why) and why.message or tostring(why), why end
  plan.grace = new.grace
end

local function reload(plan)
  local before = own:unload()
  service.reloading()
  local why, e = renew(plan)
  if why then
    own:restore(before)
    codes.log(why, e)
  end
  plan.router:server():reopen_log()
  if why then
    codes.log("router: the configuration stays as it was", "W355")
  else
    core.log("info", "router: the configuration has been read again")
  end
  service.ready()
end

-- ---- the whole ----------------------------------------------------------------------------------

local function listening(router)
  for _, url in ipairs(router.urls) do
    io.stdout:write(("%-12s %s  %s\n"):format("router", url, router.config.realms[1].name))
  end
  io.stdout:flush()
end

-- The exit code, when it cannot.
local function begin(plan)
  local router = plan.router
  local ok, e = pcall(router.start, router)
  if not ok then
    codes.complain(errors.is_error(e) and e.message or tostring(e), e)
    return 4
  end
  router:server():trace()
  ok, e = true, nil
  if plan.access_log then ok, e = router:server():access_log(plan.access_log, plan.json) end
  if not ok then
    codes.complain("access log " .. e, "W906")
    return 3
  end
  core.on_signal("HUP", function() reload(plan) end)
  core.on_signal("USR1", service.dump)
  service.router = router
  listening(router)
  service.begin()
end

--- Serves until INT or TERM, then says GOODBYE to everybody.
-- @param plan of cli_router.plan, with a router
-- @return exit code
function serving.run(plan)
  core.watch_signals(true)
  plan.router._list = plan.listen
  local failed = begin(plan)
  if failed then return failed end
  while core.signals() == 0 do core.turn() end
  core.clear_signals()
  tasks.ending()
  tasks.stop_all() -- clients that the file has started
  plan.router:stop(plan.grace)
  return 0
end

return serving
