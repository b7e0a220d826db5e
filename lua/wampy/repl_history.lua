-- repl_history.lua - the lines that were typed at the prompt, in a file for its owner alone: each
-- is appended at once, so that prompts side by side keep all of theirs.

local core = require "wampy.core"

local repl_history = {}

local KEPT = 1000 -- lines that are read again; a file of twice as many is cut
local MAX = 4 << 20 -- bytes of such a file that are read

local History = { __name = "wampy.history" }
History.__index = History

-- Where it is; nil without a home.
local function folder()
  local state, home = os.getenv("XDG_STATE_HOME"), os.getenv("HOME")
  if state and state:find("^/") then return state .. "/wampy-lua" end
  return home and home ~= "" and home .. "/.local/state/wampy-lua" or nil
end

local function make_folders(path)
  for at in path:gmatch("()/") do
    if at > 1 then core.make_folder(path:sub(1, at - 1)) end
  end
  core.make_folder(path)
end

local function read(path)
  local file, lines = io.open(path, "rb"), {}
  if not file then return lines end
  local size = file:seek("end")
  file:seek("set", math.max(0, size - MAX))
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  return lines
end

local function cut(path, lines)
  local text = table.concat(lines, "\n") .. "\n"
  if core.make_file(path .. ".new", text, true) then os.rename(path .. ".new", path) end
end

--- Opens it.
-- @return History: `lines` are what was typed before, the oldest first
function repl_history.open()
  local dir = folder()
  local self = setmetatable({ lines = {}, path = dir and dir .. "/history" }, History)
  if not dir then return self end
  make_folders(dir)
  core.make_file(self.path, "", true)
  local all = read(self.path)
  self.lines = table.move(all, math.max(1, #all - KEPT + 1), #all, 1, {})
  if #all > 2 * KEPT then cut(self.path, self.lines) end
  return self
end

--- Adds a line, unless it is empty, the same again, or begins with a space.
-- @return whether it is to be remembered
function History:add(line)
  if line == "" or line:find("^%s") or line == self.lines[#self.lines] then return false end
  self.lines[#self.lines + 1] = line
  local file = self.path and io.open(self.path, "a")
  if file then
    file:write(line, "\n")
    file:close()
  end
  return true
end

return repl_history
