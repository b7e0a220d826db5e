-- backoff.lua - trying again: which failures are worth it, and how long to wait between tries.

local codes = require "wampy.codes"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"

local backoff = {}

--- Whether retrying cannot mend it: the app is wrong, the router said no, or something else than a
-- router answers.
-- @param e error of ours
function backoff.is_final(e)
  return e.name == "WampyError" or e.name == "AuthenticationError"
    or e.uri ~= nil and e.uri ~= "wamp.close.system_shutdown" and e.uri ~= "wamp.close.normal"
    or e.transport == "http_status" or e.transport == "subprotocol" or e.transport == "tls"
end
local defaults = { initial = 1.5, factor = 1.5, jitter = 0.1, max = 300, tries = math.huge }

local function of(config)
  if type(config) ~= "table" then return defaults end
  return setmetatable(config, { __index = defaults })
end

--- Tries again and again, with growing pauses, until `fn` succeeds or retrying is of no use.
-- Each change of reason is logged once.
-- @param fn function that raises an error of ours when it fails
-- @param config of the back-off, as the field `reconnect`
-- @param name for the log
function backoff.retry(fn, config, name)
  local b = of(config)
  local pause, last = b.initial, nil
  for try = 1, math.huge do
    local ok, e = pcall(fn)
    if ok then return end
    if not errors.is_error(e) or e:is(errors.Canceled) or backoff.is_final(e) or try > b.tries then
      error(e, 0)
    end
    if e.message ~= last then
      codes.warn(("%s: %s; trying again in %.1f s"):format(name, e.message, pause), e)
    end
    last = e.message
    tasks.sleep(pause * (1 + b.jitter * (2 * math.random() - 1)))
    pause = math.min(pause * b.factor, b.max)
  end
end

return backoff
