-- Streams both ways: a result that comes in parts, arguments that come in parts, and a computation
-- that ends when nobody wants it any more.
local wampy = require "wampy"
local callee = wampy.callee

local Streams = wampy.Client:extend("Streams")

-- The prime numbers up to a limit, each as soon as it is found; at the end, how many.
Streams.primes = callee "com.example.primes" (function(_, limit, details)
  local found = {}
  for n = 2, limit do
    local prime = true
    for _, p in ipairs(found) do
      if p * p > n then break end
      if n % p == 0 then prime = false break end
    end
    if prime then
      found[#found + 1] = n
      details:progress(n) -- waits while the link cannot keep up; raises when the call is canceled
    end
  end
  return #found
end)

-- The mean of numbers that come one by one; what it is so far goes back after each.
Streams.mean = callee "com.example.mean" (function(_, details)
  local sum, count = 0, 0
  for i, value in details:chunks() do
    sum, count = sum + value, i
    details:progress(sum / count)
  end
  if count == 0 then error(wampy.error("com.example.no_numbers")) end
  return sum / count, count
end)

-- Looks for a number whose square ends in 9999 (there is none), until the caller has enough.
Streams.search = callee "com.example.search" (function(_, details)
  local n = 0
  repeat
    for _ = 1, 10000 do n = n + 1 end
    if n * n % 10000 == 9999 then return n end
  until details:is_canceled()
  wampy.log.info(("search: given up after %d tries"):format(n))
end)

return Streams
