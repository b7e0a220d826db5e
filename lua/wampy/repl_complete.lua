-- repl_complete.lua - what Tab offers: commands at the start of a line, within quotes and behind
-- client.call the URIs that the router knows now, and names of Lua.

local members = require "wampy.members"

local repl_complete = {}

local PATIENCE = 2 -- seconds for each answer of the router
local MOST = 1000 -- URIs that are asked about

-- The text of a string that is not closed yet, and what stands before it; nil outside of one.
local function open_string(before)
  local quote, from
  local at = 1
  while at <= #before do
    local c = before:sub(at, at)
    if c == "\\" then
      at = at + 1
    elseif c == quote then
      quote = nil
    elseif not quote and (c == '"' or c == "'") then
      quote, from = c, at
    end
    at = at + 1
  end
  if quote then return before:sub(from + 1), before:sub(1, from - 1) end
end

local topical = { pub = true, publish = true, sub = true, subscribe = true, try_publish = true,
  topic = true }

-- What a string in this place names.
local function kind_of(head)
  local word = head:match("([%a_]+)%s*[%({=]%s*$") or head:match("([%a_]+)%s*$")
  return topical[word] and "topics" or "procedures"
end

local function starting(list, prefix)
  local found = {}
  for _, word in ipairs(list) do
    if word:sub(1, #prefix) == prefix then found[#found + 1] = word end
  end
  table.sort(found)
  return found
end

--- The URIs that the router knows; none where it does not tell.
-- @param client that has joined, or nil
-- @param kind "procedures" or "topics"
-- @return list
function repl_complete.uris(client, kind)
  if not client or not client.connected then return {} end
  local meta = require("wampy.meta").of(client, PATIENCE)
  local ok, list = pcall(meta[kind], meta, MOST)
  return ok and list or {}
end

-- What a proxy's path names, as in client.call.com.example: the kind, and the URI so far.
local function proxied(path)
  local proxy, uri = path:match("^client%.(%l+)%.(.*)$")
  if proxy == "publish" then return "topics", uri end
  if proxy == "call" then return "procedures", uri end
end

local function names(path, self)
  local kind, uri = proxied(path)
  if kind then return uri, starting(repl_complete.uris(self.client, kind), uri) end
  local head, word = path:match("^(.*)[.:]([%w_]*)$")
  if not head then return path, members.names(self.env, path) end
  local value = members.resolve(self.env, head)
  return word, value ~= nil and members.names(value, word) or {}
end

--- What the text before the cursor may go on with.
-- @param before the text
-- @param self the Repl; what it may have to ask the router for, it waits for
-- @return the word that is being written, and a list of whole words, sorted
function repl_complete.of(before, self)
  local command = before:match("^%s*%.(%a*)$")
  if command then return command, starting(self:commands(), command) end
  local word, head = open_string(before)
  if word then
    return word, starting(repl_complete.uris(self.client, kind_of(head)), word)
  end
  local path = before:match("[%a_][%w_.:]*$")
  if not path then return "", {} end
  return names(path, self)
end

--- What all of some words begin with.
function repl_complete.common(words)
  local common = words[1] or ""
  for _, word in ipairs(words) do
    while word:sub(1, #common) ~= common do common = common:sub(1, -2) end
  end
  return common
end

return repl_complete
