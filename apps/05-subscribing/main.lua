-- A service that prints what is published to the topic "foo", and remembers how much that was.
local wampy = require "wampy"

local SubscribingService = wampy.Client:extend("SubscribingService")

SubscribingService.received = 0

SubscribingService.foo_handler = wampy.subscriber { topic = "foo" } (function(self, ...)
  self.received = self.received + 1
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  print("foo message received: " .. table.concat(words, " "))
end)

SubscribingService.get_foo_count = wampy.callee(function(self)
  return self.received
end)

return SubscribingService
