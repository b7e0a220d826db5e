-- watching.lua - waits until somebody saves one of some files.
--
-- The folders are watched, by the name that the file was found by and by its true one, since
-- editors put a new file in the place of the old one. What comes in a burst is one change.

local core = require "wampy.core"
local sources = require "wampy.sources"

local Watching = { __name = "wampy.watching" }
Watching.__index = Watching

local QUIET = 0.015 -- seconds without another save, and the burst is over
local BURST = 0.5   -- seconds that a burst may take
local AGAIN = 0.5   -- seconds between looks for a folder that is not there

local function base(path)
  return path:match("[^/]*$")
end

-- Watches a file's folder; false when that cannot be, which is said once.
local function add(self, path)
  local name = sources.folder_of(path)
  local folder, reason = self.changes:add(name)
  if not folder then
    if not self.warned then
      core.log("warn", ("cannot watch %s: %s; trying again"):format(name, reason))
    end
    self.warned = true
    return false
  end
  local names = self.folders[folder] or {}
  self.folders[folder] = names
  names[base(path)] = true
  return true
end

--- Watches these files from now on.
-- @param files list of paths
function Watching:watch(files)
  local missing = false
  self.folders = {}
  for _, path in ipairs(files) do
    local real = core.real_path(path)
    missing = not add(self, path) or real and not add(self, real) or missing
  end
  self.missing, self.warned = missing, missing
end

-- Whether something that came is about one of the files. While the app does not load, a file that
-- is new may be what it lacks.
local function is_ours(self, change)
  if change.lost then return true end
  local names = self.folders[change.folder]
  if not names then return false end
  if change.gone then
    self.missing = true
    return false
  end
  return names[change.name] or self.curious and change.name:find("%.lua$") ~= nil
end

local function read(self)
  local found = false
  for _, change in ipairs(self.changes:read()) do
    found = is_ours(self, change) or found
  end
  return found
end

-- Where a folder was missing: whether all are there now.
local function came_back(self, files)
  self:watch(files)
  return not self.missing
end

--- Waits for the next change, and until it is over.
-- @param files function that returns the list of paths
function Watching:wait(files)
  self:watch(files())
  while true do
    local told = core.readable(self.changes:fd(), self.missing and AGAIN or nil)
    if told and read(self) then break end
    if not told and came_back(self, files()) then break end
  end
  local limit = core.now() + BURST
  while core.now() < limit and core.readable(self.changes:fd(), QUIET) do read(self) end
end

--- Starts watching.
-- @return watching; raises WampyError when the system cannot
local function new()
  return setmetatable({ changes = core.changes(), folders = {}, missing = false,
    curious = false }, Watching)
end

return { new = new }
