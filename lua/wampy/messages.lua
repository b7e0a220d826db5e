-- messages.lua - a class for each of WAMP's messages, to be made, read and sent by hand
-- (lua-api: Messages).
--
-- Shapes, codes and directions are the core's grammar (core.messages, src/wamp/msg.c); here are
-- only the names of the fields. A message object is a table of its fields; `message`, the list as
-- it is sent, is made of them by the core (src/lua/message.c).

local core = require "wampy.core"
local errors = require "wampy.errors"

local messages = {}
local by_code = {}

-- Names of the elements behind the code, in the order of the grammar.
local field_names = {
  HELLO = "realm roles", WELCOME = "session details", ABORT = "details reason args kwargs",
  CHALLENGE = "authmethod extra", AUTHENTICATE = "signature extra", GOODBYE = "details reason",
  ERROR = "request_type request details error args kwargs",
  PUBLISH = "request options topic args kwargs", PUBLISHED = "request publication",
  SUBSCRIBE = "request options topic", SUBSCRIBED = "request subscription",
  UNSUBSCRIBE = "request subscription", UNSUBSCRIBED = "request details",
  EVENT = "subscription publication details args kwargs",
  CALL = "request options procedure args kwargs", CANCEL = "request options",
  RESULT = "request details args kwargs", REGISTER = "request options procedure",
  REGISTERED = "request registration", UNREGISTER = "request registration",
  UNREGISTERED = "request details", INVOCATION = "request registration details args kwargs",
  INTERRUPT = "request options",
  YIELD = "invocation_request_id options result_args result_kwargs",
}

-- What a letter of the grammar's shapes may be in Lua; the grammar itself has the rest.
local kinds = {
  u = "string", s = "string", d = "table", D = "table", A = "table", K = "table",
  r = "integer", z = "integer", i = "integer", h = "integer", p = "integer", t = "integer",
}

local function bad(class, field, what)
  errors.raise("WampyError", ("%s: field %s: %s"):format(class.title, tostring(field), what))
end

local function is_kind(kind, value)
  if kind == "integer" then return math.type(value) == "integer" end
  return type(value) == kind
end

local function a(kind)
  return (kind == "integer" and "an " or "a ") .. kind
end

-- Raises for a field that a class does not have, and for a value that it must not have. The core
-- calls it, too, with what it finds when the list is made.
local function check(class, field, value)
  local kind = class.kinds[field]
  if not kind then
    bad(class, field, "unknown (the fields are " .. table.concat(class.fields, ", ") .. ")")
  elseif value == nil then
    bad(class, field, "missing, expected " .. a(kind))
  elseif not is_kind(kind, value) then
    bad(class, field, ("expected %s, got %s"):format(a(kind), math.type(value) or type(value)))
  end
end

local function construct(class, given)
  if given ~= nil and type(given) ~= "table" then
    errors.raise("WampyError", ("%s: expected a table of fields, got %s"):format(class.title,
      type(given)))
  end
  local self = setmetatable({}, class)
  for field, value in pairs(class.defaults) do rawset(self, field, value) end
  for field, value in pairs(given or {}) do self[field] = value end
  core.message_list(self) -- raises for what is missing, or cannot be sent
  return self
end

local function define(row)
  local title = row.name:sub(1, 1) .. row.name:sub(2):lower()
  local class = {
    WAMP_CODE = row.code, name = row.name:lower(), title = title, is_message = true,
    handler = "handle_" .. row.name:lower(), -- method of a MessageHandler
    fields = {}, kinds = {}, defaults = {}, check = check,
    numbered = row.client and row.answer and row.shape:sub(1, 1) == "r",
  }
  for field in field_names[row.name]:gmatch "[%w_]+" do
    local n = #class.fields + 1
    class.fields[n], class.kinds[field] = field, kinds[row.shape:sub(n, n)]
  end
  class.__name = "wampy.messages." .. title
  class.__index = function(self, key)
    if key == "message" then return core.message_list(self) end
    return class[key]
  end
  class.__newindex = function(self, key, value)
    if value ~= nil then check(class, key, value) end
    rawset(self, key, value)
  end
  class.__tostring = function(self)
    local list = self.message
    if class.name == "authenticate" then list[2] = "(hidden)" end -- it may be the secret itself
    return core.json_encode(list)
  end
  messages[title], by_code[row.code] = setmetatable(class, { __call = construct }), class
end

for _, row in ipairs(core.messages) do define(row) end
core.set_messages(by_code)

messages.Goodbye.DEFAULT_REASON = "wamp.close.normal"
messages.Goodbye.defaults.reason = messages.Goodbye.DEFAULT_REASON

--- Whether a value is a message object.
-- @param value anything
-- @return boolean
function messages.is_message(value)
  local class = type(value) == "table" and getmetatable(value)
  return type(class) == "table" and rawget(class, "is_message") == true
end

--- Makes a message object of a list, as it came.
-- @param list { code, ... }, of the grammar's shape
-- @return object of the message's class; its `message` is an equal list
function messages.parse(list)
  local class = type(list) == "table" and by_code[list[1]]
  if not class then
    errors.raise("WampyError", ("messages.parse: expected a list that begins with the code of a "
      .. "message, got %s"):format(type(list) == "table" and tostring(list[1]) or type(list)))
  end
  local self, fields, null = {}, class.fields, core.null
  for i = 1, #fields do
    local value = list[i + 1]
    if value ~= null then self[fields[i]] = value end -- some routers write null for no arguments
  end
  return setmetatable(self, class)
end

return messages
