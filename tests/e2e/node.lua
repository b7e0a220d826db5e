-- node.lua: the Crossbar.io of crossbar.py, for a spec of this folder:
--
--   local node = dofile "tests/e2e/node.lua"
--   setup(function() url = node.start "auth" end)
--   teardown(node.stop)
local node = {}

local output, pid

--- Starts it, and waits until it is ready.
-- @param kind of its configuration, as crossbar.py takes it, or nil
-- @return its URL
function node.start(kind)
  output = assert(io.popen("exec tests/e2e/crossbar.py $PPID " .. (kind or "")))
  local url
  url, pid = (output:read("l") or ""):match("^ready (%S+) (%d+)")
  assert(url, "Crossbar.io did not start")
  return url
end

--- Ends it.
function node.stop()
  os.execute("kill " .. pid)
  output:close()
end

return node
