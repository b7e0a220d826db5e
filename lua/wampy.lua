-- wampy.lua - the module that apps require: everything of the public API by name.
--
-- Each name is also a module of its own: require "wampy.kwargs" is wampy.kwargs.

local codecs = require "wampy.codecs"
local core = require "wampy.core"
local errors = require "wampy.errors"
local process = require "wampy.process"
local roles = require "wampy.roles"
local signature = require "wampy.signature"
local tasks = require "wampy.tasks"
local values = require "wampy.values"

local wampy = {
  _VERSION = "wampy-lua " .. core.version,
  Client = require "wampy.client",
  callee = roles.callee, subscriber = roles.subscriber, subscribe = roles.subscriber,
  timer = roles.timer, wraps = signature.wraps,
  errors = errors, error = errors.error, is_error = errors.is_error,
  kwargs = values.kwargs, options = values.options, dict = values.dict, array = values.array,
  array_mt = values.array_mt, binary = values.binary, null = values.null,
  pack = codecs.pack, unpack = codecs.unpack,
  spawn = tasks.spawn, sleep = tasks.sleep, after = tasks.after, every = tasks.every,
  now = tasks.now, gather = tasks.gather, mutex = tasks.mutex, queue = tasks.queue,
  event = tasks.event, readable = tasks.readable, writable = tasks.writable, wrap = tasks.wrap,
  create = tasks.create, progress = tasks.progress,
  exec = process.exec, process = process,
  run = tasks.run, stop = tasks.stop, with = tasks.with,
  messages = require "wampy.messages", MessageHandler = require "wampy.message_handler",
  routers = require "wampy.routers", log = require "wampy.log",
  constants = require "wampy.constants", aead = require "wampy.aead", state = {}, args = {},
}

--- Takes a router's URL apart.
-- @param text "ws://host[:port][/path]" ...
-- @return { scheme, host, port, path }; raises `invalid url "...": <what> (expected ...)`
function wampy.parse_url(text)
  local url, e = core.parse_url(text)
  if not url then errors.raise("WampyError", e) end
  url.url = nil
  return url
end

for name, value in pairs(wampy) do
  local module = "wampy." .. name
  if package.loaded[module] == nil then package.loaded[module] = value end
end

return wampy
