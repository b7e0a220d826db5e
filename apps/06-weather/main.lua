-- All four roles in one app: a callee that calls, and a subscriber that publishes.
-- get_weather(city) asks another procedure; what is published to "global-weather" goes out again on
-- "wampy-weather". The procedure asked stands here too, so that the app runs alone.
local wampy = require "wampy"
local callee, subscriber = wampy.callee, wampy.subscriber

local WeatherApp = wampy.Client:extend("WeatherApp")

local temperatures = { Berlin = 7, Lisbon = 19, Quito = 15 }

-- @callee: a procedure with a URI of its own
WeatherApp.lookup = callee "another.example.app.endpoint" (function(_, city)
  local degrees = temperatures[city or "Berlin"]
  if not degrees then
    error(wampy.error("com.example.weather.no_such_city", city))
  end
  return { city = city or "Berlin", degrees = degrees }
end)

-- @callee: a procedure named like the method
WeatherApp.get_weather = callee(function(self, ...)
  return self:call("another.example.app.endpoint", ...)
end)

-- @subscriber
WeatherApp.weather_events = subscriber { topic = "global-weather" } (function(self, weather_data)
  self:publish { topic = "wampy-weather", message = weather_data }
end)

return WeatherApp
