-- The app under test as caller, as caller.lua is, behind a message handler of its own, which passes
-- on all that comes and goes.
local wampy = require "wampy"

local Handler = wampy.MessageHandler:extend("Handler")

function Handler:handle_message(message)
  Handler.super.handle_message(self, message)
end

function Handler:send_message(message)
  Handler.super.send_message(self, message)
end

local Caller = wampy.Client:extend("Caller")

Caller.defaults = { message_handler = Handler() }

function Caller:on_join()
  local text = "begin"
  while text ~= "stop" do text = self:call("bench_next", text) end
end

return Caller
