-- cli_new.lua - the verb new: a small project that runs, is tested, and passes its own check.

local cli_flags = require "wampy.cli_flags"
local codes = require "wampy.codes"
local core = require "wampy.core"

local cli_new = {}

local UNWRITTEN = 1 -- exit code

--- Declares the verb.
function cli_new.command(parser)
  local c = parser:command("new")
  c:argument("name", "The folder, and the name of the app."):argname("NAME")
  c:option("-t --template", "service (the default), pubsub, web or empty."):argname("KIND")
    :choices { "service", "pubsub", "web", "empty" }
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua new shop\n  wampy-lua new clock -t pubsub\n"
    .. "It has an app, a spec, a README, and the files that luacheck, busted and editors read.")
end

--- What the flags come to.
function cli_new.plan(result)
  local folder = result.name:gsub("/+$", "")
  local name = folder:match("[^/]*$")
  if not name:find("^%a[%w_-]*$") or #name > 60 then
    return cli_flags.usage(("new: expected a name such as shop or my-shop, got '%s'")
      :format(result.name))
  end
  return { verb = "new", module = "wampy.cli_new", folder = folder, name = name,
    template = result.template or "service" }
end

-- "my-shop" -> "MyShop"
local function class_of(name)
  return (("_" .. name):gsub("[_-]+(%w?)", string.upper):gsub("^(%d)", "App%1"))
end

-- Where the annotations are that `make install` has put among the modules.
local function library()
  local path = package.searchpath("wampy.editors.luals.wampy", package.path)
  if not path then return "" end
  return core.json_encode(core.real_path(path):match("^(.*)/")) .. ", "
end

local function fill(text, plan)
  local templates = require "wampy.templates"
  local words = { name = plan.name, Class = class_of(plan.name), library = library(),
    uri = plan.name:lower():gsub("-", "_"), try = templates.try[plan.template] }
  text = text:gsub("%$try", words.try)
  return (text:gsub("%$(%a+)", words))
end

-- The files, their folders before them: a list of { path, text }.
local function files_of(plan)
  local by_path, list = {}, {}
  local templates = require "wampy.templates"
  for path, text in pairs(templates.all) do by_path[path] = text end
  for path, text in pairs(templates[plan.template]) do by_path[path] = text end
  for path, text in pairs(by_path) do
    list[#list + 1] = { path = path, text = fill(text, plan) }
  end
  table.sort(list, function(a, b) return a.path < b.path end)
  return list
end

local function must(ok, e)
  if not ok then error(e, 0) end
end

local function write(plan)
  local made = {}
  must(core.make_folder(plan.folder))
  for _, file in ipairs(files_of(plan)) do
    local folder = file.path:match("^(.*)/")
    if folder and not made[folder] then must(core.make_folder(plan.folder .. "/" .. folder)) end
    made[folder or ""] = true
    must(core.make_file(plan.folder .. "/" .. file.path, file.text))
    io.stdout:write(plan.folder, "/", file.path, "\n")
  end
end

--- Does it.
-- @return exit code
function cli_new.run(plan)
  local ok, e = pcall(write, plan)
  if not ok then
    codes.log(tostring(e), "W214")
    return UNWRITTEN
  end
  core.log("info", ("next: cd %s, then wampy-lua run app.lua --router"):format(plan.folder))
  return 0
end

return cli_new
