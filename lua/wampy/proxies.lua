-- proxies.lua - calling and publishing by dotted names: client.call.com.example.add2(1, 2).
--
-- CallProxy and PublishProxy grow a URI by a component an index; RpcProxy takes one name whole.

local errors = require "wampy.errors"

local proxies = {}

-- A URI that grows by a component an index, to be called in the end.
-- @object wampy.Path
-- @overload fun(...: any): ...any
-- @tfield wampy.Path [string]
local Path = { __name = "wampy.path" }

local function path(invoke, uri)
  return setmetatable({ invoke = invoke, uri = uri }, Path)
end

Path.__index = function(p, name)
  return path(rawget(p, "invoke"), rawget(p, "uri") .. "." .. name)
end
Path.__call = function(p, ...)
  return rawget(p, "invoke")(rawget(p, "uri"), ...)
end

-- A proxy: callable with the owner in front (client:call(...)) or without (client.call(...)).
local function dotted(name, owner, invoke)
  return setmetatable({}, {
    __name = name,
    __index = function(_, component) return path(invoke, component) end,
    __call = function(_, first, ...)
      if rawequal(first, owner) then return invoke(...) end
      return invoke(first, ...)
    end,
  })
end

--- client.call: `client:call("com.add2", 1, 2)` and `client.call.com.add2(1, 2)`.
-- @object wampy.CallProxy
-- @overload fun(client: wampy.Client, uri: string, ...: any): ...any
-- @tfield wampy.Path [string]
function proxies.CallProxy(client, invoke)
  return dotted("wampy.CallProxy", client, invoke)
end

--- client.publish, likewise.
-- @object wampy.PublishProxy
-- @overload fun(client: wampy.Client, topic: string|table, ...: any): integer?
-- @tfield wampy.Path [string]
function proxies.PublishProxy(client, invoke)
  return dotted("wampy.PublishProxy", client, invoke)
end

--- client.rpc: `client.rpc.add2(1, 2)`, `client.rpc["a-b"]()`.
function proxies.RpcProxy(invoke)
  local proxy
  proxy = setmetatable({}, {
    __name = "wampy.RpcProxy",
    __index = function(_, name)
      return function(first, ...)
        if rawequal(first, proxy) then
          errors.raise("WampyError", ("rpc:%s(...): use a dot, rpc.%s(...)"):format(name, name))
        end
        return invoke(name, first, ...)
      end
    end,
  })
  return proxy
end

return proxies
