-- service.lua: the service of the scenario as a Lua app, for foreign peers to be clients of.
-- usage: wampy-lua run service.lua --url URL -- PREFIX
-- js/scenario.js says what each procedure is for.
local wampy = require "wampy"
local callee, subscriber = wampy.callee, wampy.subscriber

local prefix = arg[1]
local events, hung = {}, 0

local Service = wampy.Client:extend("Service")

local function with_kwargs(kwargs, ...)
  local results = table.pack(...)
  results[results.n + 1] = wampy.kwargs(kwargs)
  return table.unpack(results, 1, results.n + 1)
end

Service.do_echo = callee(prefix .. ".echo")(function(_, kwargs, ...)
  return { args = wampy.array { ... }, kwargs = wampy.dict(kwargs) }
end)

Service.do_mirror = callee(prefix .. ".mirror")(function(_, kwargs, ...)
  return with_kwargs(kwargs, ...)
end)

Service.do_fail = callee(prefix .. ".fail")(function(_, kwargs, ...)
  error(wampy.error("interop.error.refused", with_kwargs(kwargs, ...)))
end)

Service.do_hang = callee(prefix .. ".hang")(function()
  hung = hung + 1
  wampy.event():wait()
end)

Service.do_hung = callee(prefix .. ".hung")(function()
  return hung
end)

Service.do_heard = callee(prefix .. ".heard")(function(_, mark)
  local heard = wampy.array {}
  for _, event in ipairs(events) do
    if event.kwargs.mark == mark then heard[#heard + 1] = event end
  end
  return heard
end)

Service.do_say = callee(prefix .. ".say")(function(self, topic, args, kw)
  local options = wampy.options { acknowledge = true }
  local all = table.pack(with_kwargs(kw, table.unpack(args)))
  all[all.n + 1] = options
  self:publish(topic, table.unpack(all, 1, all.n + 1))
  return true
end)

Service.do_count = callee(prefix .. ".count")(function(_, n, details)
  for i = 1, n do details:progress(i) end
  return "done"
end)

Service.do_leave = callee(prefix .. ".leave")(function()
  os.exit(0)
end)

Service.do_news = subscriber { topic = prefix .. ".news" } (function(_, kwargs, ...)
  events[#events + 1] = { args = wampy.array { ... }, kwargs = wampy.dict(kwargs) }
end)

return Service
