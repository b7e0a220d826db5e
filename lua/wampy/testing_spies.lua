-- testing_spies.lua - what went through a network: its calls and publications by URI, and the
-- assertions over them.
--
-- The router of a network keeps every CALL and PUBLISH that its peers sent, also those that it
-- refused (core.test.spy). They are taken from it when somebody looks. Values are compared as they
-- were on the wire: deeply, and without regard to metatables; luassert's matchers stand for any
-- value that they accept.

local core = require "wampy.core"

local spies = {}

-- ---- collecting -------------------------------------------------------------------------------

local Spy = { __name = "wampy.testing.Spy" } -- by URI: a list, empty when there was nothing

Spy.__index = function(spy, uri)
  spies.collect(rawget(spy, "_book"))
  return rawget(spy, "_lists")[uri] or {}
end

Spy.__pairs = function(spy)
  spies.collect(rawget(spy, "_book"))
  return next, rawget(spy, "_lists")
end

--- Begins to listen in on a router.
-- @param router userdata of the core
-- @return book with `calls` and `published`
function spies.open(router)
  core.test.spy(router)
  local book = { router = router, lost = 0 }
  book.calls = setmetatable({ _book = book, _lists = {} }, Spy)
  book.published = setmetatable({ _book = book, _lists = {} }, Spy)
  return book
end

local function enter(spy, heard, sender)
  local lists = rawget(spy, "_lists")
  lists[heard.uri] = lists[heard.uri] or {}
  heard.options[sender] = heard.session
  table.insert(lists[heard.uri],
    { args = heard.args, kwargs = heard.kwargs, details = heard.options })
end

-- Takes from the router what it has heard since the last time; first what is under way gets there,
-- where the loop can run.
local function take(book)
  if core.wait_mode() == "pump" then core.test.advance(0) end
  local list, lost = core.test.overheard(book.router)
  book.lost = lost
  for _, heard in ipairs(list) do
    if heard.kind == "CALL" then
      enter(book.calls, heard, "caller")
    else
      enter(book.published, heard, "publisher")
    end
  end
end

--- Brings a book up to date.
function spies.collect(book)
  if not book.closed then take(book) end
  if book.lost > 0 then
    error(("%d messages of this network are lost: too many to keep; look at its calls or published "
      .. "more often"):format(book.lost), 0)
  end
end

--- Takes the last, before the router is closed; nothing is held up any more. Harmless when the test
-- has closed the router itself.
function spies.close(book)
  if pcall(core.test.heal, book.router) then take(book) end
  book.closed = true
end

-- ---- comparing --------------------------------------------------------------------------------

local function is_matcher(v)
  local match = package.loaded["luassert.match"]
  return match and match.is_matcher(v)
end

local function same(wanted, got)
  if is_matcher(wanted) then return wanted(got) end
  if type(wanted) ~= "table" or type(got) ~= "table" then
    return wanted == got or wanted == nil and got == core.null
  end
  for k, v in next, wanted do
    if not same(v, rawget(got, k)) then return false end
  end
  for k in next, got do
    if rawget(wanted, k) == nil then return false end
  end
  return true
end

-- Takes arguments apart: positional ones, and keywords when a kwargs{} stands at the end.
local function split(n, ...)
  local args = table.pack(...)
  args.n = n
  if getmetatable(args[n]) ~= core.kwargs_mt then return args, {} end
  local kwargs = args[n]
  args[n], args.n = nil, n - 1
  return args, kwargs
end

local function fits(entry, args, kwargs)
  if entry.args.n ~= args.n then return false end
  for i = 1, args.n do
    if not same(args[i], entry.args[i]) then return false end
  end
  return same(setmetatable(kwargs, nil), entry.kwargs)
end

-- ---- telling ----------------------------------------------------------------------------------

local function value_text(v)
  if is_matcher(v) then return "<matcher>" end
  local ok, text = pcall(core.json_encode, v == nil and core.null or v)
  return ok and text or tostring(v)
end

local function arguments_text(args, kwargs)
  local list = {}
  for i = 1, args.n do list[i] = value_text(args[i]) end
  if next(kwargs) then list[#list + 1] = "kwargs " .. value_text(setmetatable(kwargs, nil)) end
  return "(" .. table.concat(list, ", ") .. ")"
end

local function names_text(spy)
  local names = {}
  for uri in pairs(spy) do names[#names + 1] = uri end
  table.sort(names)
  return names[1] and "only " .. table.concat(names, ", ") or "nothing"
end

local SHOWN = 10 -- entries in a message

local function entries_text(entries)
  local lines = {}
  for i = 1, math.min(#entries, SHOWN) do
    lines[i] = "  " .. arguments_text(entries[i].args, entries[i].kwargs)
  end
  if #entries > SHOWN then lines[#lines + 1] = ("  and %d more"):format(#entries - SHOWN) end
  return table.concat(lines, "\n")
end

local function missing_text(words, uri, args, kwargs, nets)
  local entries, names = {}, "nothing"
  for _, book in ipairs(nets) do
    for _, entry in ipairs(book[words.spy][uri]) do entries[#entries + 1] = entry end
    names = names_text(book[words.spy])
  end
  local what = args and (" with %s"):format(arguments_text(args, kwargs)) or ""
  if entries[1] then
    return ("Expected %s to be %s%s.\nIt was %s with:\n%s"):format(uri, words.done, what,
      words.done, entries_text(entries))
  end
  return ("Expected %s to be %s%s.\nIt was not: %s was %s."):format(uri, words.done, what, names,
    words.done)
end

-- ---- asserting --------------------------------------------------------------------------------

local function find(spy, uri, args, kwargs)
  for _, entry in ipairs(spy[uri]) do
    if not args or fits(entry, args, kwargs) then return entry end
  end
end

local published = { spy = "published", done = "published" }
local called = { spy = "calls", done = "called" }

-- assert.published("topic", ...): on any of the networks that are open.
local function assertion(words, books)
  return function(_, arguments)
    local uri, args, kwargs = arguments[1], nil, nil
    if type(uri) ~= "string" then
      error(("assert.%s: expected a URI, got %s"):format(words.name, type(uri)), 2)
    end
    if arguments.n > 1 then
      args, kwargs = split(arguments.n - 1, table.unpack(arguments, 2, arguments.n))
    end
    local found
    for _, book in ipairs(books()) do
      found = found or find(book[words.spy], uri, args, kwargs)
    end
    for i = arguments.n, 1, -1 do arguments[i] = nil end
    arguments[1], arguments.n, arguments.nofmt = found
      and ("Expected %s not to be %s, but it was with:\n  %s"):format(uri, words.done,
        arguments_text(found.args, found.kwargs))
      or missing_text(words, uri, args, kwargs, books()), 1, { true }
    return found ~= nil
  end
end

published.name, called.name = "published", "called_remote"

--- Gives luassert `published` and `called_remote`.
-- @param books function that returns the books of the networks that are open
function spies.register(books)
  local say, assert = require "say", require "luassert"
  for _, words in ipairs { published, called } do
    local key = "assertion.wampy." .. words.name
    say:set(key, "%s")
    assert:register("assertion", words.name, assertion(words, books), key, key)
  end
end

return spies
