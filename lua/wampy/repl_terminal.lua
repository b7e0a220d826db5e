-- repl_terminal.lua - a prompt at a terminal: lines are edited (src/lua/l_edit.c) while the loop
-- goes on, so that events, which appear above the line, and pings do not wait for anybody.

local codes = require "wampy.codes"
local core = require "wampy.core"
local repl_complete = require "wampy.repl_complete"
local repl_history = require "wampy.repl_history"
local tasks = require "wampy.tasks"

local terminal = {}

local STDIN, STDOUT = 0, 1
local MOST = 200 -- words that Tab lists
local LIMITS = { bytes = 2000, entries = 100 } -- of a value that is shown

local Terminal = { __name = "wampy.terminal" }
Terminal.__index = Terminal

--- Whether there is one.
function terminal.there_is()
  return core.is_terminal(STDIN) and core.is_terminal(STDOUT)
end

--- Opens it: from now on `print` writes above the line that is edited.
-- @return Terminal
function terminal.open()
  local self = setmetatable({ edit = core.editor(), history = repl_history.open() }, Terminal)
  for _, line in ipairs(self.history.lines) do self.edit:remember(line) end
  self.limits = { width = self.edit:width(), bytes = LIMITS.bytes, entries = LIMITS.entries }
  self.print, self.ending = print, tasks.ending
  rawset(_G, "print", function(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    self:say(table.concat(words, "\t"))
  end)
  tasks.ending = function()
    self:close()
    self.ending()
  end
  return self
end

--- Prints a text, with a line end.
function Terminal:say(text)
  if self.edit then
    self.edit:above(text .. "\n")
  else
    io.stdout:write(text, "\n")
  end
end

--- Gives the terminal back as it was; safe twice.
function Terminal:close()
  local edit = self.edit
  if not edit then return end
  self.edit = nil
  rawset(_G, "print", self.print)
  tasks.ending = self.ending
  edit:close()
  if not self.reader then return end
  io.stdout:write("\n") -- a line was begun
  core.wake(self.reader)
end

-- ---- keys ---------------------------------------------------------------------------------------

-- Words in columns.
local function columns(words, width)
  local widest = 0
  for _, word in ipairs(words) do widest = math.max(widest, #word + 2) end
  local per_line, lines = math.max(1, width // widest), {}
  for i = 1, #words, per_line do
    local line = {}
    for j = i, math.min(i + per_line - 1, #words) do
      line[#line + 1] = words[j]:gsub("%c", "?") .. (" "):rep(widest - #words[j])
    end
    lines[#lines + 1] = table.concat(line):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

local function complete(self, repl, before)
  local word, words = repl_complete.of(before, repl)
  local more = repl_complete.common(words):sub(#word + 1)
  if not self.edit then return end -- closed while the router was asked
  if more ~= "" then return self.edit:insert(more) end
  if #words < 2 then return end
  local rest = #words - MOST
  if rest > 0 then words = table.move(words, 1, MOST, 1, {}) end
  self:say(columns(words, self.edit:width()) .. (rest > 0 and ("\n%d more"):format(rest) or ""))
end

-- The next line; nil at the end of the input; false when it was given up.
local function read(self, repl, prompt)
  self.reader = core.current()
  self.edit:begin(prompt)
  while self.edit and not self.given_up do
    local what, text = self.edit:next()
    if what == "tab" then
      complete(self, repl, text)
    elseif what then
      self.edit:finish()
      if what == "end" then io.stdout:write("\n") end
      self.reader = nil
      return what == "line" and text or nil
    else
      core.readable(STDIN)
    end
  end
  if not self.edit then return nil end
  self.edit:finish()
  self:say("^C")
  self.reader, self.given_up = nil, nil
  return false
end

-- Ctrl-C: what runs is ended; else the line, and the lines before it that wait for it, are given
-- up.
local function on_interrupt(self, repl)
  if repl:interrupt() or not self.reader then return end
  self.given_up = true
  core.wake(self.reader)
end

local function listen(self, repl)
  core.on_signal("INT", function() on_interrupt(self, repl) end)
  core.on_signal("CONT", function()
    if self.edit then self.edit:resume() end
  end)
  core.on_signal("WINCH", function()
    if not self.edit then return end
    self.edit:resize()
    self.limits.width = self.edit:width()
  end)
end

-- ---- lines --------------------------------------------------------------------------------------

local function feed(self, repl, line)
  if self.history:add(line) then self.edit:remember(line) end
  local e = repl:feed(line)
  if e ~= nil then codes.log(repl:fault(e)) end
end

--- Reads lines and does what they say, until the input ends or one of them leaves.
-- @param repl the Repl
-- @param prompt of a line
-- @param further prompt of the lines that go on with a chunk
function Terminal:run(repl, prompt, further)
  listen(self, repl)
  while self.edit and not repl.leaving do
    local line = read(self, repl, repl.evaluator:is_open() and further or prompt)
    if line == nil then break end
    if line then
      feed(self, repl, line)
    else
      repl.evaluator:forget()
    end
  end
  self:close()
end

return terminal
