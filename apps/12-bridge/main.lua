-- A bridge as an app: two clients in one process, one for each router. BRIDGE_CALLS has what the
-- far side serves and the near side may call, BRIDGE_EVENTS what both hear of each other.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local bridge = dofile(here .. "bridge.lua")
local wampy = require "wampy"

local Near = wampy.Client:extend("Near")
Near.defaults = { url = os.getenv "NEAR_URL", realm = os.getenv "NEAR_REALM" }

local Far = wampy.Client:extend("Far")
Far.defaults = { url = os.getenv "FAR_URL", realm = os.getenv "FAR_REALM" }

local near, far, bridged

local function uris(name)
  return (os.getenv(name) or ""):gmatch("%S+")
end

local function build()
  if bridged or not (near and far) then return end
  bridged = true
  for uri in uris "BRIDGE_CALLS" do
    bridge.calls(near, far, uri)
    print("bridged", uri)
  end
  for topic in uris "BRIDGE_EVENTS" do
    bridge.events(near, far, topic)
    bridge.events(far, near, topic)
    print("bridged", topic)
  end
end

function Near:on_join()
  near = self
  build()
end

function Far:on_join()
  far = self
  build()
end

return { Near, Far }
