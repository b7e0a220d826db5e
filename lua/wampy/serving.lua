-- serving.lua - `wampy-lua router --config FILE.lua`: a router whose configuration is a Lua file
-- and which keeps Lua, because functions of the file decide for it.
--
-- The file returns the fields of wampy.routers.Embedded. A router without such a file is served
-- without Lua (src/serve.c).

local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"

local serving = {}

local DRAIN = 2 -- seconds for peers to answer GOODBYE, as src/serve.c has it

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
-- @param over fields that win over the file's
-- @return wampy.routers.Embedded; or nil and why not
function serving.load(path, over)
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
  for name, value in pairs(over) do fields[name] = value end
  if fields.listen == nil then fields.listen = "127.0.0.1:8080" end
  local made, router = pcall(require("wampy.router_embedded").Embedded.new, fields)
  if not made then return nil, reason(path, router) end
  return router
end

local function listening(router)
  for _, url in ipairs(router.urls) do
    io.stdout:write(("%-12s %s  %s\n"):format("router", url, router.config.realms[1].name))
  end
  io.stdout:flush()
end

--- Serves until INT or TERM, then says GOODBYE to everybody.
-- @param plan { router = from load }
-- @return exit code
function serving.run(plan)
  core.watch_signals(true)
  local ok, e = pcall(plan.router.start, plan.router)
  if not ok then
    codes.complain(errors.is_error(e) and e.message or tostring(e), e)
    return 4
  end
  listening(plan.router)
  while core.signals() == 0 do core.turn() end
  core.clear_signals()
  tasks.stop_all() -- clients that the file has started
  plan.router:stop(DRAIN)
  return 0
end

return serving
