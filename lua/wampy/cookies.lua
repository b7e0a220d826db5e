-- cookies.lua - what a router wants a client to say when it connects again (RFC 6265), for clients
-- that were made with `cookies = true`. Kept as long as the client object lives, for the host and
-- port that set them.

local cookies = {}

local MAX_COOKIES = 50 -- of one router; more than that is a mistake, and the rest is not kept

local months = { jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9,
  oct = 10, nov = 11, dec = 12 }

-- Whether a date has passed, "Thu, 01 Jan 1970 00:00:00 gmt"; not one that cannot be read.
local function has_passed(date)
  local day, month, year, hour, minute, second =
    date:match("(%d%d?)[ -](%a%a%a)[ -](%d%d%d%d) (%d%d?):(%d%d):(%d%d)")
  if not months[month] then return false end
  return ("%04d%02d%02d%02d%02d%02d"):format(year, months[month], day, hour, minute, second)
    <= os.date("!%Y%m%d%H%M%S")
end

-- What has to be known of a Set-Cookie line: its name and value, and whether it takes that back.
local function parse(line)
  local name, value = line:match("^%s*([^=;%s]+)%s*=%s*([^;]*)")
  if not name then return end
  local attributes = line:lower()
  local age = tonumber(attributes:match(";%s*max%-age%s*=%s*(-?%d+)"))
  local date = attributes:match(";%s*expires%s*=%s*([^;]*)")
  local gone = age and age <= 0 or not age and date and has_passed(date)
  return name, (value:gsub("%s+$", "")), gone
end

local function origin_of(url)
  return ("%s:%d"):format(url.host, url.port)
end

--- Keeps what a router has set.
-- @param jar table of the client's own
-- @param url the router's, as core.parse_url has it
-- @param lines the values of its Set-Cookie headers
function cookies.keep(jar, url, lines)
  local origin = origin_of(url)
  local own = jar[origin] or { count = 0, values = {} }
  jar[origin] = own
  for _, line in ipairs(lines) do
    local name, value, gone = parse(line)
    if name then
      local known = own.values[name] ~= nil
      if gone or not known and own.count >= MAX_COOKIES then value = nil end
      own.count = own.count + (value and 1 or 0) - (known and 1 or 0)
      own.values[name] = value
    end
  end
end

--- The header that says them again.
-- @param jar the table of keep
-- @param url where to
-- @return "Cookie: a=1; b=2", or nil when there is nothing to say
function cookies.header(jar, url)
  local own, list = jar[origin_of(url)], {}
  for name, value in pairs(own and own.values or {}) do list[#list + 1] = name .. "=" .. value end
  if not list[1] then return nil end
  table.sort(list)
  return "Cookie: " .. table.concat(list, "; ")
end

return cookies
