-- templates.lua - the files of a new project, by its kind (the verb new).
--
-- $name is the project's name, $Class the same as a class, $uri as a part of a URI, $library where
-- the language server finds the annotations of wampy, with a comma behind it, or nothing. Every
-- kind has the files of `all`; its own win over them.

local templates = {}

templates.all = {
  [".luarc.json"] = [[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": [$library"${3rd}/busted/library", "${3rd}/luassert/library"]
}
]],
  [".luacheckrc"] = [[
std = "lua54"
ignore = { "212/self" } -- a handler's first parameter is self, used or not
files["spec"] = { std = "lua54+busted" }
]],
  [".busted"] = [[
-- `wampy-lua test` runs the specs; a plain `busted` does the same by `lua`.
return { default = { lua = "wampy-lua", ROOT = { "spec" } } }
]],
  ["README.md"] = [[
# $name

    wampy-lua run app.lua --router     # with a router inside; without --router: --url ws://...
    $try
    wampy-lua check app.lua            # finds mistakes without running it
    wampy-lua test                     # runs the specs of spec/
]],
}

templates.try = { -- what the README does with it
  service = "wampy-lua call com.example.$uri.add 1 2",
  pubsub = "wampy-lua publish com.example.$uri.said hello",
  web = "wampy-lua router --web public     # in place of --router: http://localhost:8080/",
  empty = "wampy-lua ls",
}

templates.service = {
  ["app.lua"] = [[
-- $name: a service with one procedure.
local wampy = require "wampy"

local $Class = wampy.Client:extend("$Class")

$Class.add = wampy.callee "com.example.$uri.add" (function(self, a, b)
  return a + b
end)

return $Class
]],
  ["spec/app_spec.lua"] = [[
local testing = require "wampy.testing"
local $Class = dofile "app.lua"

describe("$Class", function()
  it("adds", function()
    assert.equal(3, testing.invoke($Class, "com.example.$uri.add", 1, 2))
  end)

  it("adds for whoever calls", function()
    local net = testing.network()
    testing.start($Class, { router = net.router })
    local client = testing.client { router = net.router }
    assert.equal(3, client:call("com.example.$uri.add", 1, 2))
  end)
end)
]],
}

templates.pubsub = {
  ["app.lua"] = [[
-- $name: counts what is said, and tells how often.
local wampy = require "wampy"

local $Class = wampy.Client:extend("$Class")

local count = 0

$Class.said = wampy.subscriber "com.example.$uri.said" (function(self, text)
  count = count + 1
  wampy.log.info(text)
  self:publish("com.example.$uri.counted", count)
end)

$Class.often = wampy.callee "com.example.$uri.often" (function(self)
  return count
end)

return $Class
]],
  ["spec/app_spec.lua"] = [[
local testing = require "wampy.testing"
local $Class = dofile "app.lua"

describe("$Class", function()
  it("counts what is said, and tells", function()
    local net = testing.network()
    testing.start($Class, { router = net.router })
    local client = testing.client { router = net.router }
    local counted <close> = testing.expect_event($Class, "com.example.$uri.said")
    client:publish("com.example.$uri.said", "hello")
    counted:wait()
    assert.equal(1, client:call("com.example.$uri.often"))
    assert.published("com.example.$uri.counted", 1)
  end)
end)
]],
}

templates.web = {
  ["app.lua"] = templates.service["app.lua"],
  ["spec/app_spec.lua"] = templates.service["spec/app_spec.lua"],
  ["README.md"] = [[
# $name

    $try
    wampy-lua run app.lua             # in another terminal
    wampy-lua check app.lua           # finds mistakes without running it
    wampy-lua test                    # runs the specs of spec/

The page in `public/` calls the procedure of the app.
]],
  ["public/index.html"] = [=[
<!doctype html>
<meta charset="utf-8">
<title>$name</title>
<h1>$name</h1>
<p>1 + 2 = <output id="sum">?</output></p>
<script>
  // WAMP in JSON, by hand: HELLO (1), WELCOME (2), CALL (48), RESULT (50), ERROR (8).
  const url = location.origin.replace(/^http/, "ws") + "/";
  const socket = new WebSocket(url, "wamp.2.json");
  const sum = document.getElementById("sum");
  socket.onopen = () => socket.send(JSON.stringify([1, "realm1", { roles: { caller: {} } }]));
  socket.onclose = () => { sum.title = "not connected"; };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message[0] === 2) {
      socket.send(JSON.stringify([48, 1, {}, "com.example.$uri.add", [1, 2]]));
    } else if (message[0] === 50) {
      sum.textContent = message[3][0];
    } else if (message[0] === 8) {
      sum.textContent = message[4];
    }
  };
</script>
]=],
}

templates.empty = {
  ["app.lua"] = [[
-- $name
local wampy = require "wampy"

local $Class = wampy.Client:extend("$Class")

return $Class
]],
  ["spec/app_spec.lua"] = [[
local testing = require "wampy.testing"
local $Class = dofile "app.lua"

describe("$Class", function()
  it("joins", function()
    local net = testing.network()
    local app = testing.start($Class, { router = net.router })
    assert.is_true(app.connected)
  end)
end)
]],
}

return templates
