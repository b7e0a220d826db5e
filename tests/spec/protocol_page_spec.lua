-- docs/PROTOCOL.md says what is true: what the router announces, and the files that it names.
local pair = dofile "tests/spec/pair.lua"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local page = read "docs/PROTOCOL.md"

-- The rows of the table under a heading: cells by position, without blanks.
local function rows(heading, first)
  local list = {}
  local section = page:match("## " .. heading .. "\n(.-)\n## ")
  for line in section:gmatch("[^\n]+") do
    local cells = {}
    for cell in line:gmatch("|%s*([^|]-)%s*%f[|]") do cells[#cells + 1] = cell end
    if cells[1] and cells[1]:find(first) then list[#list + 1] = cells end
  end
  return list
end

local function announcements() return rows("What routers announce", "^`") end

-- What another client has, and this one has not.
local without = { ["long-poll"] = true, ["UBJSON / FlatBuffers"] = true }

describe("the page of the protocol", function()
  it("has a row for each feature that the router announces, and no other", function()
    local router = pair.router()
    local client = pair.client(router):start()
    local announced, told = {}, {}
    for role, letter in pairs { broker = "b", dealer = "d" } do
      for name in pairs(client.session.details.roles[role].features) do
        announced[name .. " " .. letter] = true
      end
    end
    for _, cells in ipairs(announcements()) do
      for letter in cells[2]:gmatch("%a") do
        told[cells[1]:match("[%w_]+") .. " " .. letter] = true
      end
      assert.equal("yes", cells[3])
    end
    client:stop()
    router:stop()
    assert.same(announced, told)
  end)

  it("names a talk and the foreign peers for each of them", function()
    for _, cells in ipairs(announcements()) do
      local talks = 0
      for name in cells[7]:gmatch("`([%w_]+)`") do
        talks = talks + 1
        local path = ("tests/talk/router/%s.talk"):format(name)
        assert.is_true(exists(path), path)
      end
      assert.is_true(talks > 0, cells[1])
      local folder = cells[8]:match("^`(%w+)`$")
      assert.is_true(folder and exists("tests/interop/" .. folder .. "/.")
        or cells[8] == "no library announces it", cells[1])
    end
  end)

  it("has all that another client has, each with its test", function()
    local seen = 0
    for _, cells in ipairs(rows("Beside other clients", "^%a[%a ]")) do
      local theirs = table.concat(cells, " ", 3, 12)
      if #cells == 13 and cells[1] ~= "feature" and not without[cells[1]] then
        local anybody = (" " .. theirs .. " "):find(" Y ", 1, true)
        seen = seen + (anybody and 1 or 0)
        assert.is_true(not anybody or cells[2]:find("^Y") ~= nil, cells[1])
        assert.equal(cells[2]:find("^Y") ~= nil, cells[13]:find("`", 1, true) ~= nil, cells[1])
      end
    end
    assert.is_true(seen > 40, tostring(seen))
  end)

  it("names files that there are", function()
    for kind, name in page:gmatch("`([%w_]+)/([%w_]+%.talk)`") do
      assert.is_true(exists(("tests/talk/%s/%s"):format(kind, name)), name)
    end
    for name in page:gmatch("`([%w_]+_spec%.lua)`") do
      assert.is_true(exists("tests/spec/" .. name) or exists("tests/e2e/" .. name), name)
    end
    for name in page:gmatch("`(test_[%w_]+%.%a+)`") do
      assert.is_true(exists("tests/unit/" .. name) or exists("tests/e2e/" .. name), name)
    end
  end)
end)
