-- What tools/annotations.lua makes for editors knows all that apps can reach, and nothing else.
local path = package.path
package.path = "tools/?.lua;" .. path
local annotations = require "annotations"
package.path = path

local testing = require "wampy.testing"
local wampy = require "wampy"

local files, complaints = annotations.make()
local api, kit = files["luals/wampy.lua"], files["luals/wampy/testing.lua"]

-- The names that a table has in a text: as functions or as fields.
local function known(text, owner)
  local names = {}
  for name in text:gmatch("\n[function ]*" .. owner .. "[.:]([%w_]+)") do names[name] = true end
  return names
end

local function public(t, hidden)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" and not name:find("^__") and not hidden[name] then
      names[name] = true
    end
  end
  return names
end

local function set(...)
  local names = {}
  for _, name in ipairs { ... } do names[name] = true end
  return names
end

describe("annotations for editors", function()
  it("find no docstring wanting", function()
    assert.same({}, complaints)
  end)

  it("are Lua", function()
    for name, text in pairs(files) do assert(load(text, "@" .. name, "t")) end
  end)

  it("name no class that is not there", function()
    local classes = {}
    for name in (api .. kit):gmatch("%-%-%-@class (%S+)") do classes[name] = true end
    for line in (api .. kit):gmatch("%-%-%-(@[^\n]*)") do
      line = line:gsub(" #.*", ""):gsub("^(@field %S+ %S+).*", "%1") -- without descriptions
      for name in line:gmatch("wampy%.[%w_.]+") do assert.is_true(classes[name], line) end
    end
  end)

  it("have every name of the module, and every module of a name", function()
    assert.same(public(wampy, {}), known(api, "wampy"))
    for name in pairs(public(wampy, {})) do
      assert.is_string(files["luals/wampy/" .. name .. ".lua"], name)
    end
  end)

  it("have every name of the modules below it", function()
    local internal = { errors = set("is_ours", "make", "raise", "is_link", "uncaught",
      "app_frames", "meant", "trace", "told"),
      process = set "Process" }
    for _, name in ipairs { "errors", "process", "messages", "routers", "log", "constants",
      "aead" } do
      assert.same(public(wampy[name], internal[name] or {}), known(api, "_wampy_" .. name))
    end
  end)

  it("have every name of the testing kit", function()
    assert.same(public(testing, {}), known(kit, "testing"))
  end)

  it("have every method of the objects", function()
    local hidden = set("attach", "overrides", "server", "is_message_handler", "is_class")
    local classes = { Client = wampy.Client, MessageHandler = wampy.MessageHandler,
      Mutex = getmetatable(wampy.mutex()), Queue = getmetatable(wampy.queue()),
      Event = getmetatable(wampy.event()), Process = wampy.process.Process }
    for name, class in pairs(classes) do
      local wanted = {}
      for method, value in pairs(class) do
        if type(value) == "function" and not method:find("^_") and not hidden[method] then
          wanted[method] = true
        end
      end
      assert.same(wanted, known(api, name))
    end
  end)

  it("have every method of the objects that the core makes", function()
    assert.same(set("progress", "chunks", "is_canceled"), known(api, "Details"))
    local names = { future = "Future", stream = "Stream", upload = "Upload" }
    for name, class in pairs(names) do
      local mt = assert(debug.getregistry()["wampy." .. name], name)
      assert.same(public(mt.__index, {}), known(api, class))
    end
  end)
end)
