-- What a spec costs around what it tests: a network or a router, an app, a client, and their end.
-- usage: set_up.lua network|router        prints milliseconds, the mean of many
local testing = require "wampy.testing"
local wampy = require "wampy"

local ROUNDS = 200

local App = wampy.Client:extend("App")
App.answer = wampy.callee(function() return 42 end)

local begun = wampy.now()
for _ = 1, ROUNDS do
  local router = testing[arg[1]]()
  local at = arg[1] == "router" and { url = router.url } or { router = router }
  testing.start(App, at)
  testing.client(at)
  testing.stop_all()
end
print((wampy.now() - begun) * 1000 / ROUNDS)
