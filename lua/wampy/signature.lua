-- signature.lua - what a function says about its parameters, worked out once at registration.
--
-- A function that cannot show names (C, stripped, a wrapper) says so; `params` states them, and
-- wraps() copies them from another function.

local signature = {}

local originals = setmetatable({}, { __mode = "k" }) -- wrapper -> original

--- Says that a wrapper takes the parameters of another function.
-- @param wrapper function that passes its arguments on
-- @param original function whose names count
-- @return wrapper
function signature.wraps(wrapper, original)
  originals[wrapper] = original
  return wrapper
end

--- Describes a function.
-- @param fn function
-- @param stated list of names given by the app, or nil
-- @return { params = list of names or nil, vararg, stated = booleans, where = "file:line" }
function signature.of(fn, stated)
  local shown = originals[fn] or fn
  local info = debug.getinfo(shown, "uS")
  local result = {
    vararg = info.isvararg, stated = stated ~= nil,
    where = info.what == "C" and "a C function"
      or ("%s:%d"):format(info.short_src, info.linedefined),
  }
  if stated then
    result.params = stated
    return result
  end
  if info.what == "C" then return result end
  local params = {}
  for i = 1, info.nparams do
    params[i] = debug.getlocal(shown, i)
    if not params[i] then return result end
  end
  result.params = params
  return result
end

return signature
