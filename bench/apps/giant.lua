-- A caller of one echo that is as long as a message can be; stops before and behind it, so that the
-- memory of all can be read. usage: wampy-lua giant.lua URL
local wampy = require "wampy"

local SIZE = 16 * 1024 * 1024 - 64 -- bytes; the rest of the message fits behind it

local client <close> = wampy.Client { url = arg[1], call_timeout = 60 }:start()

local function stop(word)
  print(word)
  io.stdout:flush()
  io.read()
end

client:call("bench_echo", "small")
stop("before")
local ok = #client:call("bench_echo", ("x"):rep(SIZE)) == SIZE
stop(ok and "behind" or "wrong")
