-- codes_spec.lua - every message of an error has a code, and every code has a message. The messages
-- are read out of the sources: whoever adds one is told here to give it a code. (That the page of
-- codes is that of the table is a part of make doc-check.)

local codes = require "wampy.codes"
local errors = require "wampy.errors"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function files(pattern)
  local list = {}
  for path in assert(io.popen("ls " .. pattern)):lines() do list[#list + 1] = path end
  return list
end

-- ---- messages in sources ------------------------------------------------------------------------

local RAISERS = { "errors%.raise", "errors%.make", "bad", "fail", "wrong", "usage",
  "cli_flags%.usage", "verb%.fail",
  "checks%.wrong", "codes%.log", "raise_error", "push_error", "session_refuse" }

-- What a file's own function puts before the words.
local PREFIX = {
  ["lua/wampy/announce.lua"] = { bad = "Client: field roles" },
  ["lua/wampy/process.lua"] = { bad = "exec: " },
  ["lua/wampy/router_crossbar.lua"] = { bad = "Crossbar: " },
  ["lua/wampy/message_handler.lua"] = { bad = "Client: field message_handler: " },
  ["lua/wampy/messages.lua"] = { bad = "Call: field procedure: " },
}
for _, name in ipairs { "", "_auth", "_check", "_transport", "_web" } do
  PREFIX["lua/wampy/config" .. name .. ".lua"] = { wrong = "config.json.workers[0].realms[0]: ",
    ["checks%.wrong"] = "config.json.workers[0].realms[0]: " }
end

-- The literals of a text, as { from, to, words }; quotes in them are escaped.
local function literals(text)
  local list, at = {}, 1
  while true do
    local from = text:find('"', at, true)
    if not from then return list end
    local to = from + 1
    while text:sub(to, to) ~= '"' and to < #text do
      to = to + (text:sub(to, to) == "\\" and 2 or 1)
    end
    list[#list + 1] = { from = from, to = to, words = text:sub(from + 1, to - 1) }
    at = to + 1
  end
end

-- The longest text among the arguments of a call; its pieces may be joined by `..`, or, in C, by
-- nothing.
local function format_in(arguments)
  local longest, text, last = "", "", 0
  for _, literal in ipairs(literals(arguments)) do
    local joined = arguments:sub(last + 1, literal.from - 1):find("^%s*%.*%s*$")
    text, last = joined and text .. literal.words or literal.words, literal.to
    if #text > #longest then longest = text end
  end
  return longest
end

-- Of a class of errors, or a URI, or of a variable; or what goes with a text that has its own code.
local function is_name(word)
  return errors[word] ~= nil or word:find("^wamp%.[%w_.]+$") or word:find("^[%u_]+$")
    or word:find("^; ") or word == "Broken pipe"
end

local SAMPLES = { s = "x", q = '"x"', d = "7", i = "7", g = "1.5", u = "7", zu = "7" }

local function sample(format)
  local text = format:gsub("\\n.*", ""):gsub('\\"', '"')
  text = text:gsub("%%[%d.*l]*(z?%a)", function(kind)
    return SAMPLES[kind] or kind:sub(-1) == "s" and "x"
  end)
  return text
end

local function has_words(format)
  return format:gsub("%%[%d.*l]*z?%a", ""):find("%a%a")
end

-- Calls f(text, line) for each message of a file whose code is found by its words.
local function each_message(path, f)
  local source = read(path)
  for _, raiser in ipairs(RAISERS) do
    for at, arguments in source:gmatch("[^%w_.:]()" .. raiser .. "%s*(%b())") do
      local format = format_in(arguments)
      local prefix = (PREFIX[path] or {})[raiser] or ""
      if has_words(format) and not is_name(format) and not arguments:find('"W%d%d%d"') then
        f(prefix .. sample(format), select(2, source:sub(1, at):gsub("\n", "")) + 1)
      end
    end
  end
end

local function is_table_of_codes(path)
  return path:find("/codes_%a+%.lua$") ~= nil
end

local function sources()
  local list = files("lua/wampy/*.lua src/lua/*.c src/wamp/session*.c")
  for i = #list, 1, -1 do -- the testing kit speaks to who runs tests, and of their lines
    if list[i]:find("wampy/testing") or is_table_of_codes(list[i]) then table.remove(list, i) end
  end
  return list
end

-- The codes that stand in the sources, as a set: in C within the text, in Lua beside it.
local function written_codes()
  local set = {}
  for _, path in ipairs(files("src/*.c src/*/*.c lua/wampy/*.lua")) do
    local source = is_table_of_codes(path) and "" or read(path)
    for code in source:gmatch("[%[\"](W%d%d%d)[%]\"]") do
      set[code] = path
    end
  end
  return set
end

-- What is put together of pieces, by argparse or by the system's words.
local ASSEMBLED = {
  "argument 'what' must be one of 'call', 'publish'", "config.yaml: expected an object, got a list",
  "CA file ca.pem: the file is empty", "127.0.0.1:80: Permission denied",
  "127.0.0.1:80: Cannot assign requested address",
}

-- Every text in the sources, joined as its pieces are, as it could be printed.
local function all_words()
  local words = { read(package.searchpath("argparse", package.path)), table.unpack(ASSEMBLED) }
  for _, path in ipairs(files("src/*.c src/*/*.c lua/wampy/*.lua")) do
    local source, text, last = is_table_of_codes(path) and "" or read(path), "", 0
    for _, literal in ipairs(literals(source)) do
      local joined = source:sub(last + 1, literal.from - 1):find("^%s*%.*%s*$")
      if not joined then words[#words + 1] = sample(text) end
      text, last = joined and text .. literal.words or literal.words, literal.to
    end
    words[#words + 1] = sample(text)
  end
  return words
end

-- What an entry of the table is for, with this message; nil when its code is written beside it.
local function error_of(entry, message)
  local function of(class, fields) return errors.make(class, message, fields) end
  if entry.remote then return errors.error(entry.remote[1], message) end
  if entry.refusal then return of("ConnectionError", { uri = entry.refusal[1] }) end
  if entry.transport then return of("ConnectionError", { transport = entry.transport[1] }) end
  if entry.lost then
    return of("ConnectionError", { transport = entry.lost[1], after_join = true })
  end
  if entry.class then return of(entry.class[1]) end
  return (entry.says or entry.exit) and { message = message, exit = (entry.exit or {})[1] }
end

-- ---- specs --------------------------------------------------------------------------------------

describe("the code of an error", function()
  it("is there for every message in the sources", function()
    local missing, n = {}, 0
    for _, path in ipairs(sources()) do
      each_message(path, function(text, line)
        n = n + 1
        if not codes.of_text(text) then
          missing[#missing + 1] = ("%s:%d: no code for: %s"):format(path, line, text)
        end
      end)
    end
    assert.is_true(n > 150)
    assert.equal("", table.concat(missing, "\n"))
  end)

  it("is that of the example in the table", function()
    for _, entry in ipairs(codes.all()) do
      local e = error_of(entry, entry.example:gsub("^error: ", ""))
      if e then assert.equal(entry.code, codes.of(e), entry.example) end
    end
  end)

  it("is there for every URI that our router answers with", function()
    local uris = {}
    for _, path in ipairs(files("src/router/*.c src/wamp/*.c src/lua/*.c")) do
      for uri in read(path):gmatch('"(wamp%.error%.[%w_.]+)"') do uris[uri] = true end
    end
    assert.is_true(uris["wamp.error.no_such_procedure"])
    for uri in pairs(uris) do
      local remote = codes.of(errors.error(uri, "x"))
      local refusal = codes.of(errors.make("ConnectionError", "x", { uri = uri }))
      assert.is_true(remote ~= "W600" or refusal ~= "W500", uri)
    end
  end)

  it("is in the table when it is written in the sources", function()
    for code, path in pairs(written_codes()) do
      assert.is_truthy(codes.help(code), path .. ": " .. code)
    end
  end)

  it("has something in the sources that leads to it", function()
    local written = written_codes()
    for _, entry in ipairs(codes.all()) do
      assert.is_truthy(written[entry.code] or entry.says or entry.class or entry.remote
        or entry.refusal or entry.transport or entry.lost or entry.exit, entry.code)
    end
  end)

  it("is looked for by no words that nobody says", function()
    local words, unsaid = all_words(), {}
    for _, entry in ipairs(codes.all()) do
      for _, pattern in ipairs(entry.says or {}) do
        local said = entry.example:gsub("^error: ", ""):find(pattern)
        for i = 1, said and 0 or #words do
          said = said or words[i]:find(pattern)
        end
        if not said then unsaid[#unsaid + 1] = entry.code .. " " .. pattern end
      end
    end
    assert.equal("", table.concat(unsaid, "\n"))
  end)

  it("is given once", function()
    local before
    for _, entry in ipairs(codes.all()) do
      assert.matches("^W[1-9]%d%d$", entry.code)
      assert.are_not.equal(before, entry.code)
      before = entry.code
    end
  end)

  it("is what who prints the words of an app says", function()
    assert.equal("in a timer: the port is in use [W902]",
      codes.mark("in a timer: the port is in use", "W902"))
    assert.equal("W300", codes.of { message = "no answer in time", exit = 3, code = "W300" })
  end)

  it("stands behind the first line", function()
    local e = errors.make("ConnectionError", "x", { transport = "refused" })
    assert.equal("a: x [W401]\nmore", codes.mark("a: x\nmore", e))
    assert.equal("x [W401]", codes.mark("x [W401]", e))
    assert.equal("of somebody else", codes.mark("of somebody else"))
  end)

  it("is explained, in capitals or not", function()
    assert.matches("^W401  connection refused\n\nCause:  .+\n\nCure:   .+\n\nExample:\n",
      codes.help("w401"))
    assert.is_nil(codes.help("W999"))
  end)
end)
