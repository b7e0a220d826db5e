-- log.lua - the host's log for apps: wampy.log.info("text %d", 7).
local core = require "wampy.core"

local log = {}

for _, level in ipairs { "error", "warn", "info", "debug" } do
  --- Logs a line at this level; further arguments are for string.format.
  log[level] = function(text, ...)
    if select("#", ...) > 0 then text = tostring(text):format(...) end
    core.log(level, tostring(text))
  end
end

--- Sets the level ("error", "warn", "info", "debug", "trace"); returns the one before.
function log.level(level)
  return core.log_level(level)
end

-- For scripts; `run` and its like have looked at it already.
local wanted = os.getenv("WAMPY_TRACE")
if wanted and not core.trace() then
  local ok, fault = core.trace(wanted)
  if ok == nil then log.warn("WAMPY_TRACE: %s", fault) end
end

return log
