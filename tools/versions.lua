-- versions.lua: VERSION is the single place of the version; whatever repeats it must agree.
-- The program, the module and the man page derive from it; tools/package compares what is built.
local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local bad = 0
local function expect(condition, text)
  if not condition then
    bad = bad + 1
    print("versions: " .. text)
  end
end

local version = read("VERSION"):match("^(%d+%.%d+%.%d+)\n$")
expect(version, "VERSION is not one line MAJOR.MINOR.PATCH")

local function number(v)
  local major, minor, patch = v:match("^(%d+)%.(%d+)%.(%d+)$")
  return (major * 1000 + minor) * 1000 + patch
end

local changelog = read("CHANGELOG.md")
local newest = changelog:match("\n## (%d+%.%d+%.%d+)")
expect(changelog:find("\n## Unreleased\n", 1, true) or newest == version,
  "CHANGELOG.md has neither Unreleased nor " .. tostring(version) .. " on top")
expect(not (newest and version) or number(newest) <= number(version),
  "CHANGELOG.md is ahead of VERSION")

for path in io.popen("ls *.rockspec"):lines() do
  local spec = {}
  assert(loadfile(path, "t", spec))()
  local rock, name = spec.version:match("^(.-)%-%d+$"), path:match("^(.*)%.rockspec$")
  expect(name == spec.package .. "-" .. spec.version, path .. " is not named as its version")
  expect(rock == "scm" or rock == version, path .. " is not of version " .. tostring(version))
end

for path in io.popen("ls docs/man/*.1 2>/dev/null"):lines() do
  expect(read(path):find("@VERSION@", 1, true), path .. " does not name @VERSION@")
end
os.exit(bad == 0)
