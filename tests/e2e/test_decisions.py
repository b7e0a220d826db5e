"""test_decisions.py: a Lua app that says who somebody is and what he may do, run by `wampy-lua run`:
for a router of ours and for a real Crossbar.io, of the same configuration, with the same answers;
and a router whose configuration is a Lua file."""
import json
import os
import signal

from crossbar import Crossbar, decided
from harness import ROOT, equal, one_line, test, test_each

PYTHON = os.path.join(ROOT, "build/peers/python/bin/python")
KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"

DECIDER = """
local wampy = require "wampy"
local Decider = wampy.Client:extend("Decider")
local people = {
  joe = { role = "user", secret = "secret of joe", extra = { team = "red" } },
  sally = { role = "user", secret = "secret of sally", salt = "salt123", iterations = 100, keylen = 16 },
  key = { role = "user", authid = "key",
    pubkey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
}
Decider.authenticate = wampy.callee "com.example.authenticate" (function(_, realm, authid, hello)
  local who = people[authid]
  if hello.authmethod == "ticket" then
    who = who and hello.ticket == "ticket of " .. authid and { role = who.role, extra = who.extra }
  end
  if not who then error(wampy.error("com.example.no_such_user", realm)) end
  return who
end)
Decider.authorize = wampy.callee "com.example.authorize" (function(_, session, uri, action, options)
  if uri:find "^com%.private" then return false end
  if uri == "com.broken" then error "out of order" end
  return { allow = action ~= "register", disclose = action == "call", cache = false }
end)
Decider.echo = wampy.callee { "com.echo", disclose_caller = false } (function(_, x) return x end)
return Decider
"""

CLIENT = """
local wampy = require "wampy"
local joined = {}
local function try(auth)
  local c = wampy.Client { url = arg[1], auth = auth, call_timeout = 20 }
  local ok, e = pcall(c.start, c)
  if not ok then
    io.stderr:write(tostring(e), "\\n")
    print(auth.authid, e.name and "refused")
    return
  end
  local s = c.session
  print(s.authid, s.authrole, s.authmethod, s.authprovider)
  joined[#joined + 1] = c
end
try { authid = "joe", ticket = "ticket of joe" }
try { authid = "joe", ticket = "ticket of ann" }
try { authid = "ann", ticket = "ticket of joe" }
try { authid = "joe", secret = "secret of joe" }
try { authid = "joe", secret = "secret of ann" }
try { authid = "sally", secret = "secret of sally" }
try { authid = "ann", secret = "secret of joe" }
try { authid = "key", private_key = "%s" }
try { authid = "ann", private_key = "%s" }
local joe = joined[1]
print(joe.session.details.authextra.team)
print(joe:call("com.echo", 7))
print(pcall(joe.call, joe, "com.private.x"))
print(pcall(joe.register, joe, "com.mine", print))
print(pcall(joe.subscribe, joe, "com.private.t", print))
print(pcall(joe.publish, joe, "com.private.t", 1, wampy.options { acknowledge = true }))
joe:publish("com.free.t", 1, wampy.options { acknowledge = true })
""" % (KEY, KEY)

# A router of its own asks who is to decide soon after it listens, and until then lets nobody in.
DECIDED = """
local wampy = require "wampy"
local auth, e = { authid = "joe", ticket = "ticket of joe" }
for _ = 1, 200 do
  local c, ok = wampy.Client { url = arg[1], auth = auth }
  ok, e = pcall(c.start, c)
  if ok then return end
  wampy.sleep(0.1)
end
error(e)
"""

AUTOBAHN = """
import asyncio, sys
from autobahn.asyncio.component import Component
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import JsonSerializer

async def join(auth):
    component = Component(transports=[{"type": "websocket", "url": sys.argv[1], "max_retries": 0,
                                       "serializers": ["json"]}],
                          realm="realm1", authentication=auth)
    done = asyncio.get_running_loop().create_future()

    @component.on_join
    async def joined(session, details):
        said = []
        for uri in ["com.echo", "com.private.x", "com.broken"]:
            try:
                said.append(await session.call(uri, 7))
            except ApplicationError as e:
                said.append(e.error)
        done.set_result((details.authid, details.authrole, details.authmethod, *said))
        session.leave()

    @component.on_leave
    async def left(session, details):
        if not done.done():
            done.set_result(details.reason)
    component.start(loop=asyncio.get_running_loop())
    return await asyncio.wait_for(done, 20)

async def main():
    print(await join({"wampcra": {"authid": "sally", "secret": "secret of sally"}}))
    print(await join({"ticket": {"authid": "joe", "ticket": "ticket of joe"}}))
    print(await join({"wampcra": {"authid": "joe", "secret": "wrong"}}))

asyncio.run(main())
"""

FAILED = "wamp.error.not_authorized"


class Decided(Crossbar):
    def config(self):
        return decided(self.port)


def ours(t):
    config = t.file("config.json", json.dumps(decided(1)))
    return t.router("--config", config, "--listen", "0")


def decider(t, url):
    app = t.start("run", t.file("decider.lua", DECIDER), "--url", url, "--log", "error")
    app.out.wait("^ready")
    return app


def exercised(t, url):
    """What clients get, as lines; ids, objects and the words of refusals are left out."""
    lines = [" ".join(line.split()) for line in t.script(CLIENT, url)]
    return [line if "RemoteError" not in line else "refused" for line in lines]


JOINED = ["joe user ticket dynamic", "joe refused", "ann refused", "joe user wampcra dynamic",
          "joe refused", "sally user wampcra dynamic", "ann refused",
          "key user cryptosign dynamic", "ann refused"]


@test
def one_app_decides_for_a_router_of_ours_and_for_crossbar(t):
    with Decided() as url:
        theirs_app = decider(t, url)
        t.script(DECIDED, url)
        theirs = exercised(t, url)
        theirs_app.ends(0, signal.SIGTERM)
    _, url = ours(t)
    decider(t, url)
    mine = exercised(t, url)
    equal(mine, JOINED + ["red", "7", "refused", "refused", "refused", "refused"])
    equal(theirs, mine)


@test
def autobahn_python_joins_and_is_allowed_what_the_app_says(t):
    router, url = ours(t)
    decider(t, url)
    peer = t.start(t.file("peer.py", AUTOBAHN), url, program=[PYTHON]).ends(0)
    lines = peer.out.all()
    equal(lines[0], "('sally', 'user', 'wampcra', 7, 'wamp.error.not_authorized', "
          "'wamp.error.authorization_failed')")
    equal(lines[1][:24], "('joe', 'user', 'ticket'")
    assert "authentication_failed" in lines[2], lines
    router.ends(0, signal.SIGTERM)


@test
def an_app_that_leaves_lets_nobody_in_any_more(t):
    _, url = ours(t)
    app = decider(t, url)
    client = """
        local wampy = require "wampy"
        local c = wampy.Client { url = arg[1], auth = { authid = "joe", secret = "secret of joe" } }
        print(pcall(c.start, c))
    """
    equal(t.script(client, url)[0][:4], "true")
    app.ends(0, signal.SIGTERM)
    assert "authentication_failed" in t.script(client, url)[0]


LUA = """
local wampy = require "wampy"
return {
  listen = "127.0.0.1:0", roles = { "user" },
  authenticator = function(realm, authid, details)
    wampy.sleep(0.01)
    if authid == "joe" then return { role = "user", secret = "s3cr3t" } end
  end,
  authorizer = function(session, uri, action, options) return uri == "com.a" end,
}
"""


@test
def a_lua_file_has_functions_that_decide(t):
    router, url = t.router("--config", t.file("router.lua", LUA))
    equal(t.script("""
        local wampy = require "wampy"
        local joe <close> = wampy.Client { url = arg[1], auth = { authid = "joe", secret = "s3cr3t" } }:start()
        joe:register("com.a", function(x) return x end)
        print(joe:call("com.a", 5), joe.session.authprovider)
        print(pcall(joe.register, joe, "com.b", print))
        local ann = wampy.Client { url = arg[1], auth = { authid = "ann", secret = "s3cr3t" } }
        print(pcall(ann.start, ann))
    """, url)[0], "5\tfunction")
    router.ends(0, signal.SIGTERM)
    equal(router.err.all(), [])


@test_each({
    "no table": ("return 7", r"router\.lua returned a number; expected a table of the fields"),
    "a syntax error": ("return {", r"router\.lua:1: "),
    "an error": ("error 'no such luck'", r"router\.lua:1: no such luck"),
    "an unknown field": ("return { relm = 1 }", r"router\.lua: Embedded: unknown field \"relm\""),
    "an authenticator without roles": ("return { authenticator = print }",
                                       r"router\.lua: Embedded: an authenticator needs the field roles"),
    "a dynamic section without anybody to ask": (
        "return { auth = { ticket = { type = 'dynamic' } } }",
        r"router\.lua: auth\.ticket\.authenticator: expected the URI of a procedure"),
})
def a_lua_file_is_checked(t, text, complaint):
    one_line(t.run(3, "router", "--config", t.file("router.lua", text), "--check"), complaint)


@test
def a_lua_file_is_not_for_run(t):
    one_line(t.run(2, "run", "x.lua", "--config", t.file("router.lua", LUA)),
             "a Lua file is for the verb router")


@test_each({"by WebSocket": ("ws",), "by RawSocket": ("rs",)})
def an_address_that_fails_too_often_has_to_wait(t, scheme):
    router = t.start("router", "--config", t.file("router.lua", LUA), "--listen",
                     scheme + "://127.0.0.1:0")
    url = router.out.wait(r"^router +(\S+)").group(1)
    lines = t.script("""
        local wampy = require "wampy"
        for i = 1, 12 do
          local c = wampy.Client { url = arg[1], auth = { authid = "joe", secret = "wrong" } }
          print(select(2, pcall(c.start, c)).message)
        end
    """, url)
    assert all("authentication failed" in line for line in lines[:11]), lines
    assert "too many failed attempts; try again in" in lines[11], lines
