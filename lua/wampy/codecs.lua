-- codecs.lua - payload passthru: the app's codecs, which seal arguments on their way out and open
-- them on their way in (WAMP: payload passthru mode).
--
-- A client has a table scheme -> codec. The core calls seal with the values that an app sends, and
-- open with what has come, before anybody else sees it (src/lua/codec.c). A message without a
-- scheme, or in one that has no codec, passes as it is.

local core = require "wampy.core"
local check = require "wampy.check"
local errors = require "wampy.errors"
local values = require "wampy.values"

local codecs = {}

local KEYS = { "ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid" }

local function payload_error(fmt, ...)
  errors.raise("PayloadError", fmt:format(...))
end

-- ---- which there are --------------------------------------------------------------------------

local rules = { encode = "function", decode = "function", strict = "boolean" }

--- Gives a client a codec, or takes it away.
-- @param client client
-- @param scheme "wamp", "mqtt" or "x_..."
-- @param codec { encode =, decode =, strict = } or nil
function codecs.set(client, scheme, codec)
  local text = type(scheme) == "string"
  if not text or scheme ~= "wamp" and scheme ~= "mqtt" and not scheme:find("^x_.") then
    errors.raise("WampyError", 'codec: expected a scheme "wamp", "mqtt" or "x_...", got '
      .. (text and ("%q"):format(scheme) or type(scheme)))
  end
  local own
  if codec ~= nil then
    local what = "codec " .. scheme
    check.fields(what, codec, rules)
    for _, name in ipairs { "encode", "decode" } do
      if not codec[name] then errors.raise("WampyError", what .. ": needs a field " .. name) end
    end
    own = { encode = codec.encode, decode = codec.decode, strict = codec.strict }
  end
  client._codecs[scheme] = own
  client._core:codecs(next(client._codecs) ~= nil)
end

--- Gives a new client the codecs of its field.
function codecs.start(client)
  client._codecs = {}
  client._dropped = {} -- schemes of which the last thing that came could not be opened
  for scheme, codec in pairs(client.config.codecs or {}) do codecs.set(client, scheme, codec) end
end

--- The options of payload passthru among others: a table, or nil when there is no scheme.
function codecs.keys(options)
  if options.ppt_scheme == nil then return nil end
  local keys = {}
  for _, name in ipairs(KEYS) do keys[name] = options[name] end
  return keys
end

-- ---- out --------------------------------------------------------------------------------------

-- Values as an app gives them: a list of arguments, kwargs or nil, options or nil.
local function split(...)
  local args, kwargs, options = table.pack(...), nil, nil
  for _ = 1, 2 do
    local last = args[args.n]
    local mark = type(last) == "table" and getmetatable(last)
    if mark == core.kwargs_mt and not kwargs then
      kwargs = last
    elseif mark == core.options_mt and not options then
      options = last
    else
      break
    end
    args[args.n] = nil
    args.n = args.n - 1
  end
  return args, kwargs, options
end

-- Arguments as a codec gets them: a list without holes.
local function listed(args)
  local n = args.n
  args.n = nil
  while n > 0 and args[n] == nil do n = n - 1 end
  for i = 1, n do
    if args[i] == nil then args[i] = core.null end
  end
  return values.array(args)
end

-- Options of payload passthru that hold: the app's own, else the default ones.
local function settle(options, default)
  local scheme = options and options.ppt_scheme
  local keys = {}
  for _, name in ipairs(KEYS) do
    local own = options and options[name]
    if own == nil and scheme == nil then own = default and default[name] end
    keys[name] = own
  end
  return keys
end

-- Calls a codec's function; what it raises is a PayloadError that says where.
local function run(what, uri, scheme, fn, ...)
  local result = table.pack(pcall(fn, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  local e = result[2]
  if errors.is_error(e, errors.Canceled) then error(e, 0) end
  payload_error("%s: %s of %s: %s", uri, what, scheme,
    errors.is_error(e) and e.message or tostring(e))
end

-- What goes out, and with which options, for what a codec has made.
local function sealed(uri, keys, options, payload, more)
  if type(payload) ~= "string" and type(payload) ~= "table" then
    payload_error("%s: encode of %s: expected bytes (a string), got %s", uri, keys.ppt_scheme,
      type(payload))
  elseif more ~= nil and type(more) ~= "table" then
    payload_error("%s: encode of %s: expected a table of options, got %s", uri, keys.ppt_scheme,
      type(more))
  end
  local sent = values.options(options or {})
  for _, from in ipairs { keys, more or {} } do
    for name, value in pairs(from) do sent[name] = value end
  end
  return type(payload) == "string" and values.binary(payload) or payload, sent
end

--- What to send in place of an app's values. Called by the core.
-- @param client client
-- @param kind "call", "event", "result", "error"
-- @param uri procedure or topic
-- @param default options that hold unless the values' options say otherwise, or nil
-- @param ... arguments, kwargs{}, options{}
-- @return the same, or one payload and options{}; raises PayloadError
function codecs.seal(client, kind, uri, default, ...)
  local args, kwargs, options = split(...)
  local keys = settle(options, default)
  local codec = client._codecs[keys.ppt_scheme or nil]
  if codec then
    return sealed(uri, keys, options, run("encode", uri, keys.ppt_scheme, codec.encode,
      listed(args), kwargs and values.dict(kwargs) or {}, values.dict(keys),
      { kind = kind, uri = uri }))
  end
  if not options or options.ppt_scheme ~= false then return ... end
  options = values.options(options) -- in the clear, whatever was asked
  options.ppt_scheme = nil
  for _, mark in ipairs { kwargs or options, kwargs and options } do
    args.n = args.n + 1
    args[args.n] = mark
  end
  return table.unpack(args, 1, args.n)
end

-- ---- in ---------------------------------------------------------------------------------------

-- Spreads what a codec has read.
local function spread(uri, scheme, args, kwargs)
  if type(args or {}) ~= "table" or type(kwargs or {}) ~= "table" then
    payload_error("%s: decode of %s: expected a list and a table, got %s and %s", uri, scheme,
      type(args), type(kwargs))
  end
  local list = table.pack(table.unpack(args or {}))
  if kwargs and next(kwargs) then
    list.n = list.n + 1
    list[list.n] = values.kwargs(kwargs)
  end
  return true, table.unpack(list, 1, list.n)
end

-- The bytes of a payload, or what stands for them (the format "native").
local function payload_of(uri, scheme, ...)
  local n, payload = select("#", ...), ...
  if n ~= 1 then
    payload_error("%s: a payload of %s is one argument, got %d", uri, scheme, n)
  end
  return getmetatable(payload) == core.binary_mt and payload[1] or payload
end

--- What is in a message that came. Called by the core.
-- @param client client
-- @param kind, uri as they were when it was sealed
-- @param asked the scheme that was asked for, or nil
-- @param details of the message
-- @param ... its arguments
-- @return false when it stays as it is, or true, arguments, kwargs{}; raises PayloadError
function codecs.open(client, kind, uri, asked, details, ...)
  local scheme = details.ppt_scheme
  local codec, wanted = client._codecs[scheme or nil], client._codecs[asked or nil]
  if wanted and wanted.strict and scheme ~= asked and kind ~= "error" then
    payload_error("%s: the %s is not sealed by %s", uri, kind, asked)
  end
  if not codec then return false end
  local args, kwargs = run("decode", uri, scheme, codec.decode,
    payload_of(uri, scheme, ...), details, { kind = kind, uri = uri })
  client._dropped[scheme] = nil
  return spread(uri, scheme, args, kwargs)
end

--- A call or an event could not be opened. Called by the core, as a task. Who sends such does it
-- often: the first of a row is logged, on_error hears of all.
-- @param client client
-- @param message why
-- @param uri procedure or topic
-- @param details of the message
function codecs.unopened(client, message, uri, details)
  local scheme = client._codecs[details.ppt_scheme or nil] and details.ppt_scheme or ""
  core.log(client._dropped[scheme] and "debug" or "warn", ("%s: dropped: %s"):format(client.name,
    message))
  client._dropped[scheme] = true
  client:_failed(errors.make("PayloadError", message), uri)
end

-- ---- formats ----------------------------------------------------------------------------------

--- Arguments in the form that WAMP has for them: { args =, kwargs = } in a format.
-- @tparam string format "json", "msgpack", "cbor"; "native" or nil: the form itself, for the
-- session to encode
-- @param args list, or nil
-- @param kwargs table, or nil
-- @return bytes (a table for "native"); raises for what cannot be encoded
function codecs.pack(format, args, kwargs)
  local form = { args = args and values.array(table.move(args, 1, #args, 1, {})), kwargs = kwargs }
  if format == nil or format == "native" then return form end
  return core.encode(format, form)
end

local function is_list(t)
  return getmetatable(t) == core.array_mt or #t > 0 or next(t) == nil
end

--- Reads what pack has made, or another WAMP library.
-- @tparam string format as of pack
-- @param bytes string, or a wampy.binary (a table for "native")
-- @return args, kwargs: tables; raises PayloadError
function codecs.unpack(format, bytes)
  local form = bytes
  if format ~= nil and format ~= "native" then
    local value, e = core.decode(format, tostring(bytes))
    if e then payload_error("not %s: %s", format, e) end
    form = value
  end
  local args, kwargs = {}, {}
  if type(form) == "table" then args, kwargs = form.args, form.kwargs end
  if args == nil or args == core.null then args = values.array {} end
  if kwargs == nil or kwargs == core.null then kwargs = {} end
  if type(form) ~= "table" or type(args) ~= "table" or not is_list(args)
      or type(kwargs) ~= "table" then
    payload_error("expected { args = list, kwargs = dict }")
  end
  return args, kwargs
end

return codecs
