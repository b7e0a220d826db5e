-- cli_check.lua - the verb check: what apps declare, and what is wrong with them, before they run.

local cli_flags = require "wampy.cli_flags"
local codes = require "wampy.codes"
local core = require "wampy.core"
local values = require "wampy.values"

local cli_check = {}

local FOUND, UNLOADABLE = 1, 3 -- exit codes

--- Declares the verb.
-- @param parser of argparse
function cli_check.command(parser)
  local c = parser:command("check")
  c:argument("app", "app.lua, app.lua:Class or dotted.module:Class."):args("*"):argname("APP")
  c:option("--config", "A Crossbar.io configuration, or a Lua file for router."):argname("FILE")
  c:flag("--json", "As one JSON object.")
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua check app.lua\n  wampy-lua check app.lua lib/orders.lua:Orders\n"
    .. "  wampy-lua check --config crossbar.json\n"
    .. "The exit code is 1 when there are mistakes, 3 when something cannot be loaded.")
end

--- What the flags come to.
function cli_check.plan(result)
  if not result.app[1] and not result.config then
    return cli_flags.usage("check: give an APP or --config FILE")
  end
  return { verb = "check", module = "wampy.cli_check", apps = result.app, config = result.config,
    json = result.json }
end

-- ---- configurations -----------------------------------------------------------------------------

local function check_lua(path, report)
  local router, e = require("wampy.serving").load(path)
  if not router then table.insert(report.failures, { message = e }) end
end

-- What is no configuration at all cannot be loaded; what is wrong in one is found.
local function check_config(path, report)
  if require("wampy.serving").is_lua(path) then return check_lua(path, report) end
  local config, config_file = require "wampy.config", require "wampy.config_file"
  local ok, e = pcall(config_file.decode, path)
  if not ok then return table.insert(report.failures, e) end
  local _, mistakes = config.judge(path)
  for _, text in ipairs(mistakes) do table.insert(report.findings, { text = text }) end
end

-- ---- apps ---------------------------------------------------------------------------------------

local function files_of(apps)
  local files, seen = {}, {}
  for _, app in ipairs(apps) do
    for _, path in ipairs(app.files) do
      if not seen[path] then files[#files + 1] = path end
      seen[path] = true
    end
  end
  return files
end

-- What the text of the files shows.
local function check_files(report)
  local files = files_of(report.apps)
  if not files[1] then return end
  for _, path in ipairs(files) do
    local bad = require("wampy.literals").bad(path)
    table.move(bad, 1, #bad, #report.findings + 1, report.findings)
  end
  local unknown, why = require("wampy.globals").unknown(files)
  if not unknown then
    return codes.warn("globals are not checked: " .. why, "W217")
  end
  table.move(unknown, 1, #unknown, #report.findings + 1, report.findings)
end

local function check_apps(names, report)
  report.apps, report.findings = require("wampy.inspection").apps(names)
  for _, app in ipairs(report.apps) do
    if app.failure then table.insert(report.failures, app.failure) end
    if app.stopped then
      core.log("info", ("%s %s: what comes after is not looked at"):format(app.app, app.stopped))
    end
  end
  check_files(report)
end

-- ---- what is said -------------------------------------------------------------------------------

-- The one line for what cannot be loaded.
local function text_of(failure)
  return (tostring(failure.message):gsub("%s*\n%s*", " "))
end

local words = { callee = "procedure", subscriber = "topic" }

local function each_uri(class, visit)
  for _, entry in ipairs(class.entries) do
    for _, uri in ipairs(words[entry.kind] and entry.uris or {}) do visit(entry, uri) end
  end
end

local function say_class(class, app)
  io.stdout:write(("%s  %s\n"):format(app.app, class.name))
  each_uri(class, function(entry, uri)
    io.stdout:write(("  %-10s %-24s %s\n"):format(words[entry.kind], uri, entry.role.where))
  end)
end

local function say(report)
  for _, app in ipairs(report.apps) do
    for _, class in ipairs(app.classes) do say_class(class, app) end
  end
  for _, f in ipairs(report.findings) do
    io.stdout:write(f.where and f.where .. ": " or "", f.text, "\n")
  end
  if not report.findings[1] and not report.failures[1] then io.stdout:write("ok\n") end
end

local function class_as_json(class, app)
  local one = { app = app.app, class = class.name, procedures = values.array {},
    topics = values.array {} }
  each_uri(class, function(entry, uri)
    table.insert(entry.kind == "callee" and one.procedures or one.topics, { uri = uri,
      where = entry.role.where, match = entry.options.match or "exact" })
  end)
  return one
end

local function say_json(report)
  local whole = { classes = values.array {}, failures = values.array {},
    findings = values.array(report.findings) }
  for i, e in ipairs(report.failures) do whole.failures[i] = text_of(e) end
  for _, app in ipairs(report.apps) do
    for _, class in ipairs(app.classes) do
      table.insert(whole.classes, class_as_json(class, app))
    end
  end
  io.stdout:write(core.json_encode(whole), "\n")
end

--- Does it.
-- @param plan of the verb
-- @return exit code
function cli_check.run(plan)
  local report = { apps = {}, findings = {}, failures = {} }
  if plan.apps[1] then check_apps(plan.apps, report) end
  if plan.config then check_config(plan.config, report) end
  for _, e in ipairs(report.failures) do
    local text = text_of(e)
    codes.complain(text, codes.of(e) or { message = text, exit = UNLOADABLE })
  end
  if plan.json then say_json(report) else say(report) end
  if report.failures[1] then return UNLOADABLE end
  return report.findings[1] and FOUND or 0
end

return cli_check
