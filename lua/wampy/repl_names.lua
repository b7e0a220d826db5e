-- repl_names.lua - the globals of a prompt that has joined: the client, what apps have of wampy,
-- and short words for what one does most.

local cli_value = require "wampy.cli_value"
local pretty = require "wampy.pretty"
local values = require "wampy.values"
local wampy = require "wampy"

local repl_names = {}

local function has_options(...)
  for i = 1, select("#", ...) do
    if getmetatable((select(i, ...))) == getmetatable(values.options {}) then return true end
  end
  return false
end

-- Events, a line each: topic, then what it carries.
local function printer(self, topic)
  return function(details, ...)
    local event = table.pack(...)
    local name = (details.topic or topic):gsub("%c", "?")
    if self.form.json or self.form.raw then
      return self.say(cli_value.line(self.form, event, self.form.json and { topic = name } or nil))
    end
    local words = {}
    for i = 1, event.n do words[i] = pretty.text(event[i], self.limits) end
    self.say(("%s  %s"):format(name, table.concat(words, ", ")))
  end
end

-- The short words, for the client of a prompt.
local function verbs(self)
  local client, names = self.client, {}
  function names.call(uri, ...) return client:call(uri, ...) end
  function names.publish(topic, ...)
    if type(topic) == "table" or has_options(...) then return client:publish(topic, ...) end
    local arguments = table.pack(...)
    arguments[arguments.n + 1] = values.options { acknowledge = true }
    return client:publish(topic, table.unpack(arguments, 1, arguments.n + 1))
  end
  function names.subscribe(topic, fn, options)
    if type(fn) == "table" then fn, options = nil, fn end
    return client:subscribe(topic, fn or printer(self, topic), options)
  end
  function names.register(uri, fn, options) return client:register(uri, fn, options) end
  function names.ls(what, prefix)
    for _, line in ipairs(require("wampy.cli_ls").lines(client, self.form, what, prefix)) do
      self.say(line)
    end
  end
  names.pub, names.sub, names.reg = names.publish, names.subscribe, names.register
  return names
end

--- Puts them into the globals of a prompt, but nothing over what is there.
-- @param self the Repl
function repl_names.install(self)
  local names = verbs(self)
  names.client, names.wampy = self.client, wampy
  for _, name in ipairs { "kwargs", "options", "array", "dict", "binary", "null" } do
    names[name] = wampy[name]
  end
  for name, value in pairs(names) do
    if self.env[name] == nil then self.env[name] = value end
  end
end

return repl_names
