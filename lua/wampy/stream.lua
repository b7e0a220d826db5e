-- stream.lua - a call whose result comes in parts, as an iterator (lua-api: Calling; WAMP:
-- progressive call results).
--
-- WAMP has no flow control: a callee sends as fast as its own link takes it. What comes while the
-- loop's body works waits here, up to a bound; past it the call is cancelled, and the loop raises.
-- The state is apart from the Stream, so that one that nobody holds any more is collected, and
-- cancels its call.

local check = require "wampy.check"
local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"
local values = require "wampy.values"

local stream = {}

local BUFFER = 1000 -- parts that may wait
local END = {}

local Stream = { __name = "wampy.Stream" }
Stream.__index = Stream

local rule = { buffer = { "a whole number > 0",
  function(v) return math.type(v) == "integer" and v > 0 end } }

-- The arguments with our own options in place of those given, if any were.
local function with_options(change, ...)
  local args, at = table.pack(...), nil
  for i = math.max(1, args.n - 1), args.n do
    if getmetatable(args[i]) == core.options_mt then at = i end
  end
  if not at then
    args.n = args.n + 1
    at = args.n
  end
  local options = values.options(args[at] or {})
  change(options)
  args[at] = options
  return args
end

local function overflow(state)
  state.fault = errors.make("StreamOverflow", ("%s: more than %d parts wait for the loop; "
    .. "options { buffer = %d } lets more wait"):format(state.uri, state.limit, 2 * state.limit))
  state.future:cancel()
end

local function take(state, ...)
  if state.over or state.fault then return end
  if #state.parts >= state.limit then return overflow(state) end
  state.parts:put(table.pack(...))
end

-- Waits for the final result, in a task of its own.
local function await(state)
  state.result = table.pack(pcall(state.future.wait, state.future))
  state.over = true
  state.parts:put(END)
end

--- Makes a Stream. See Client:stream.
function stream.open(client, uri, ...)
  local state = { uri = uri, parts = tasks.queue(), limit = BUFFER }
  local args = with_options(function(options)
    check.fields("stream: options", { buffer = options.buffer }, rule)
    state.limit, options.buffer = options.buffer or BUFFER, nil
    options.on_progress = function(...) take(state, ...) end
  end, ...)
  state.future = client:call_async(uri, table.unpack(args, 1, args.n))
  tasks.spawn(await, state)
  local self = setmetatable({ _state = state, count = 0 }, Stream)
  return self, nil, nil, self
end

-- Raises what ended it, unless that was the final result.
local function settle(state)
  if state.fault then error(state.fault, 0) end
  if not state.result[1] and not state.cancelled then error(state.result[2], 0) end
end

--- The next part, waiting for it.
-- @return its number from 1, its arguments, and its keyword arguments, if any, as a kwargs table;
-- nil when the final result has come, or it was cancelled. Raises what the callee raised,
-- StreamOverflow, ConnectionError ...
function Stream:__call()
  local state = self._state
  local part = state.fault and END or state.parts:get()
  if part == END then
    state.parts:put(END) -- for whoever asks again
    settle(state)
    return nil
  end
  self.count = self.count + 1
  return self.count, table.unpack(part, 1, part.n)
end

--- The final result, waiting for it. Parts that have not been taken are dropped.
-- @return as call returns it; raises what the callee raised
function Stream:result()
  local state = self._state
  while true do
    local part = state.fault and END or state.parts:get()
    if part == END then break end
  end
  state.parts:put(END)
  settle(state)
  if not state.result[1] then error(state.result[2], 0) end
  return table.unpack(state.result, 2, state.result.n)
end

--- Cancels the call, unless it is over. Parts that wait can still be taken.
function Stream:cancel()
  local state = self._state
  if state.over or state.fault or state.cancelled then return end
  state.cancelled = true
  state.future:cancel()
end

Stream.__close = Stream.cancel
Stream.__gc = Stream.cancel

return stream
