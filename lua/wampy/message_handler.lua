-- message_handler.lua - wampy.MessageHandler: what sees the messages of a client on their way, and
-- may change them (lua-api: Messages and the MessageHandler).
--
-- The default one has nothing to do: messages travel in C and never come here. As soon as a class
-- overrides a method, each message of that direction stops at the core's tap (src/lua/tap.c) and
-- comes here in a task of its own; what the default methods are given goes on from there.

local errors = require "wampy.errors"
local messages = require "wampy.messages"

-- Sees the messages of a client on their way, and may change them.
-- @object wampy.MessageHandler
-- @overload fun(...: any): self
-- @tfield wampy.Client client
-- @tfield table messages list of the classes of messages that it accepts
-- @tfield any [string] handle_<name> for a message, and whatever a class declares
local MessageHandler = { __name = "wampy.MessageHandler", is_message_handler = true }
MessageHandler.__index = MessageHandler

local function construct(class, ...)
  local self = setmetatable({}, class)
  if self.init then self:init(...) end
  return self
end

setmetatable(MessageHandler, { __call = construct })

--- Makes a subclass.
-- @param name for logs; "MessageHandler" when nil
-- @return class; calling it makes an instance, whose `init`, if there is one, gets the arguments
function MessageHandler:extend(name)
  local class = { __name = name or "MessageHandler", super = self }
  class.__index = class
  return setmetatable(class, { __call = construct, __index = self })
end

-- Classes of the messages that a handler accepts: all that a router sends.
MessageHandler.messages = {}

for _, name in ipairs {
  "Abort", "Challenge", "Error", "Event", "Goodbye", "Interrupt", "Invocation", "Published",
  "Registered", "Result", "Subscribed", "Unregistered", "Unsubscribed", "Welcome",
} do
  local class = messages[name]
  table.insert(MessageHandler.messages, class)
  MessageHandler[class.handler] = function(self, message)
    self.client._core:process(message)
  end
end

local function accepts(self, class)
  local list = self.messages
  for i = 1, #list do
    if list[i] == class then return true end
  end
  return false
end

--- Sees every message that comes, and dispatches to handle_<name>, such as handle_event.
-- @param message object of wampy.messages; raises when it is not in the list `messages`
function MessageHandler:handle_message(message)
  local class = getmetatable(message)
  if not accepts(self, class) then
    errors.raise("WampyError", ("%s does not accept %s"):format(self.__name, class.title))
  end
  self[class.handler](self, message)
end

--- Sees every message that the client sends; here it goes out.
-- @param message object of wampy.messages
function MessageHandler:send_message(message)
  self.client._core:transmit(message)
end

--- What of a client's messages must stop at its handler.
-- @param handler instance, or nil
-- @return whether those that come, whether those that go
function MessageHandler.overrides(handler)
  if not handler then return false, false end
  local comes = handler.handle_message ~= MessageHandler.handle_message
    or handler.messages ~= MessageHandler.messages
  for _, class in ipairs(MessageHandler.messages) do
    comes = comes or handler[class.handler] ~= MessageHandler[class.handler]
  end
  return comes, handler.send_message ~= MessageHandler.send_message
end

--- Gives a handler its client.
-- @param handler the value of the client's field message_handler; raises for a wrong one
-- @param client the client
function MessageHandler.attach(handler, client)
  local function bad(what)
    errors.raise("WampyError", "Client: field message_handler: " .. what)
  end
  if type(handler) ~= "table" or not handler.is_message_handler then
    bad("expected an instance of wampy.MessageHandler, got " .. (type(handler) == "table"
      and "another table" or "a " .. type(handler)))
  elseif rawget(handler, "__index") then
    bad(("expected an instance, got the class %s (call it)"):format(handler.__name))
  elseif handler.client and handler.client ~= client then
    bad("expected an instance of the client's own, this one belongs to another client")
  end
  handler.client = client
end

return MessageHandler
