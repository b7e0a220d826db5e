-- The app under test as caller: one call at a time, until it is told to stop.
local wampy = require "wampy"

local Caller = wampy.Client:extend("Caller")

function Caller:on_join()
  local text = "begin"
  while text ~= "stop" do text = self:call("bench_next", text) end
end

return Caller
