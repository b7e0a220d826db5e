-- A service that tells today's date: get_todays_date().
local wampy = require "wampy"

local DateService = wampy.Client:extend("DateService")

DateService.get_todays_date = wampy.callee(function(_)
  return os.date("%Y-%m-%d")
end)

return DateService
