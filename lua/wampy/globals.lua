-- globals.lua - names that a file uses and nobody has defined: what luacheck, where it is
-- installed, says of them. A .luacheckrc of the project counts.

local errors = require "wampy.errors"
local process = require "wampy.process"

local globals = {}

local TIME = 60 -- seconds; a large project takes a few

local function exists(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

-- Globals that are set, changed or read (codes 11.), and fields of standard ones (14.).
local function command(files)
  local list = { "luacheck", "--formatter", "plain", "--codes", "--no-color", "--only", "11", "14" }
  if not exists(".luacheckrc") then
    table.move({ "--no-config", "--std", "lua54" }, 1, 3, #list + 1, list)
  end
  list[#list + 1] = "--"
  return table.move(files, 1, #files, #list + 1, list)
end

--- Finds them.
-- @param files list of paths
-- @return list of { where = "file:line", text }; or nil and why it cannot be known
function globals.unknown(files)
  local list, given = {}, command(files)
  given.timeout = TIME
  local ok, code, output, complaint = pcall(process.exec, given)
  if not ok then
    if errors.is_error(code, errors.Canceled) then error(code, 0) end
    return nil, errors.is_error(code) and code.message or tostring(code)
  end
  for line in output:gmatch("[^\n]+") do
    local where, text = line:match("^(.-:%d+):%d+: %(%u%d+%) (.*)$")
    if where then list[#list + 1] = { where = where, text = text } end
  end
  if code > 1 and not list[1] then return nil, "luacheck: " .. complaint:gsub("%s+", " ") end
  return list
end

return globals
