-- sources.lua - the files that an app is made of: its own, and the modules that it requires from
-- its own tree. A reload loads these anew, and no others.
--
-- Own is what lies below the folder of the app's file, or was found by a path from the working
-- folder, and is not in a tree of LuaRocks. Who asks `require` is heard by a searcher that finds
-- nothing: so a module counts whenever it is required, also if it then fails to load.

local core = require "wampy.core"

local Sources = { __name = "wampy.sources" }
Sources.__index = Sources

local function folder_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

-- The folder's true name with a slash behind, in which its files' true names begin.
local function root_of(path)
  local root = core.real_path(folder_of(path))
  return root and (root:gsub("/?$", "/"))
end

--- Whether a module's file is the app's own.
function Sources:is_own(path)
  local real = core.real_path(path)
  if not real or real:find("/share/lua/", 1, true) or real:find("/lua_modules/", 1, true) then
    return false
  end
  if path:sub(1, 1) ~= "/" then return true end
  for _, root in ipairs(self.roots) do
    if real:sub(1, #root) == root then return true end
  end
  return false
end

-- Hears of each `require` that is not answered yet.
local function listen(self)
  table.insert(package.searchers, 2, function(name)
    local path = package.searchpath(name, package.path)
    if path and self:is_own(path) then self.modules[name] = path end
  end)
end

--- Notes what is loaded from now on.
-- @param paths files of the apps
-- @return sources
local function new(paths)
  local self = setmetatable({ paths = paths, roots = {}, modules = {},
    path = package.path, cpath = package.cpath }, Sources)
  for _, path in ipairs(paths) do self.roots[#self.roots + 1] = root_of(path) end
  listen(self)
  return self
end

--- All files, as they were found.
function Sources:files()
  local files = table.move(self.paths, 1, #self.paths, 1, {})
  for _, path in pairs(self.modules) do files[#files + 1] = path end
  return files
end

--- Forgets the modules: who requires one of them gets it anew.
-- @return what `restore` takes
function Sources:unload()
  local before = { loaded = {}, path = package.path, cpath = package.cpath }
  for name in pairs(self.modules) do
    before.loaded[name], package.loaded[name] = package.loaded[name], nil
  end
  package.path, package.cpath = self.path, self.cpath -- the file may add to them again
  return before
end

--- Takes back what was loaded since `unload`.
function Sources:restore(before)
  for name in pairs(self.modules) do package.loaded[name] = before.loaded[name] end
  package.path, package.cpath = before.path, before.cpath
end

return { new = new, folder_of = folder_of }
