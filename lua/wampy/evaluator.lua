-- evaluator.lua - what is typed at a prompt, line by line, as chunks of Lua: an expression gives
-- its values, a statement runs, and a chunk that is not complete waits for more lines.

local evaluator = {}

local Evaluator = { __name = "wampy.evaluator" }
Evaluator.__index = Evaluator

local NAME = "stdin"

--- A new one.
-- @param env the globals of the chunks
-- @return Evaluator
function evaluator.new(env)
  return setmetatable({ env = env, lines = {}, count = 0 }, Evaluator)
end

-- Where a complete line breaks off, Lua says so of the end of the chunk.
local function is_incomplete(message)
  return message:find("<eof>$") ~= nil
end

-- Whether Lua stumbled over the first word of a text: no statement begins so.
local function is_no_statement(e, text)
  local near = e:match("near '(.+)'$")
  return near ~= nil and text:match("^%s*(.*)"):sub(1, #near) == near
end

-- The function of a text; or nil, what is wrong with it, and whether more lines may mend that.
local function compile(text, env)
  local fn, as_expression = load("return " .. text, "=" .. NAME, "t", env)
  if fn then return fn end
  local statement, e = load(text, "=" .. NAME, "t", env)
  if statement then return statement end
  local incomplete = is_incomplete(e) or is_incomplete(as_expression)
  return nil, is_no_statement(e, text) and as_expression or e, incomplete
end

--- Takes a line.
-- @param line without its end
-- @return the chunk, when it is complete with it | nil: more lines are needed | nil, what Lua says
-- is wrong with the chunk, which is forgotten then
function Evaluator:take(line)
  self.count = self.count + 1
  if not self.lines[1] then line = line:gsub("^%s*=", "") end
  self.lines[#self.lines + 1] = line
  self.source = table.concat(self.lines, "\n")
  local fn, e, incomplete = compile(self.source, self.env)
  if incomplete then return nil end
  self.first, self.lines = self.count - #self.lines + 1, {}
  return fn, e
end

--- Notes that a line came which is no Lua.
function Evaluator:pass(line)
  self.count = self.count + 1
  self.source, self.first = line, self.count
end

--- Whether a chunk has begun that waits for more lines.
function Evaluator:is_open()
  return self.lines[1] ~= nil
end

--- Forgets a chunk that has begun.
function Evaluator:forget()
  self.lines = {}
end

--- The end of the input: what is wrong with a chunk that is not complete; nil when none has begun.
function Evaluator:finish()
  if not self:is_open() then return nil end
  self.first, self.lines = self.count - #self.lines + 1, {}
  return (select(2, compile(self.source, self.env)))
end

--- A message of Lua about the last chunk, for people: with the line of the input, where the input
-- has lines that one can look up.
-- @param message text
-- @return one line
function Evaluator:place(message)
  local line, text = message:match("^" .. NAME .. ":(%d+): (.*)$")
  if line and self.numbered then
    message = ("%s:%d: %s"):format(NAME, line + self.first - 1, text)
  elseif line then
    message = self.source:find("\n", 1, true) and ("line %s: %s"):format(line, text) or text
  end
  return message
end

return evaluator
