-- URIs that no router takes.
local wampy = require "wampy"

local App = wampy.Client:extend("Uris")

App.add = wampy.callee "com.example add" (function(self) return self end) -- finds: callee: invalid URI "com.example add"
App.news = wampy.subscriber "com..news" (function(self) return self end) -- finds: subscriber: invalid URI "com..news"
App.ours = wampy.callee "wamp.session.mine" (function(self) return self end) -- finds: names that begin with wamp.

App.good = wampy.callee "com.example.good" (function(self)
  self:publish("com.example.#", 1) -- finds: publish: invalid URI "com.example.#"
  return self:call("com.example.other service") -- finds: call: invalid URI "com.example.other service"
end)

return App
