"""test_lua_router.py: a router whose configuration is a Lua file is operated as any other: files,
metrics, the access log, its service manager, and HUP, which reads the file again."""
import json
import os
import signal

from harness import closed_port, equal, test
from test_operation import Manager, events, get, listener
from test_reconnect import until
from test_router import ECHO

OPEN = 'return { listen = "127.0.0.1:0", realm = { %s } }'

# The module says which procedure may be called; the function, who comes as whom.
DECIDES = """
local wampy = require "wampy"
package.path = arg[0] .. "?.lua;" .. package.path
local may = require "may"
return {
  listen = "127.0.0.1:0", roles = { "user" },
  authenticator = function(realm, authid) return { role = "user", ticket = "%s" } end,
  authorizer = function(session, uri) return uri == may end,
}
"""

ASK = """
local wampy = require "wampy"
local client = wampy.Client { url = arg[1], auth = { authid = "joe", ticket = arg[2] } }
local ok, e = pcall(client.start, client)
print(ok or e.name)
if ok then
  for _, uri in ipairs { "com.a", "com.b" } do
    print(select(2, pcall(client.register, client, uri, print)).uri)
  end
  client:stop()
end
"""


READ, KEPT = "has been read again", "the configuration stays as it was"


def again(router, how=READ):
    """HUP, and its outcome."""
    def count():
        return sum(how in line for line in router.err.lines)
    before = count()
    router.signal(signal.SIGHUP)
    until(lambda: count() > before, how)


@test
def it_serves_files_and_metrics_and_writes_who_comes(t):
    t.file("www/index.html", "<p>page")
    log = os.path.join(t.folder, "access.log")
    router, url = t.router(
        "--config", t.file("router.lua", OPEN % '"realm1"'), "--web", "www", "--metrics",
        "--origin", "https://a.example", "--access-log=" + log, "--log-format", "json")
    equal(get(url)[2], "<p>page")
    equal(t.calls(url, ECHO), ["back"])
    assert "wampy_router_joins_total 1" in get(url, "/metrics")[2]
    equal(get(url, headers={"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "https://b",
                            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                            "Sec-WebSocket-Version": "13"})[0], 403)
    router.ends(0, signal.SIGTERM)
    with open(log, encoding="utf-8") as file:
        kinds = [event for event, _ in events(map(json.loads, file))]
    assert "join" in kinds and "leave" in kinds, kinds


@test
def its_access_log_must_be_writable(t):
    router = t.start("router", "--config", t.file("router.lua", OPEN % '"realm1"'),
                     "--access-log=/nowhere/log").ends(3)
    router.err.wait("^error: access log /nowhere/log: No such file")


@test
def check_says_what_would_be_done(t):
    path = t.file("router.lua", 'return { listen = "127.0.0.1:8081", auth = { ticket = {'
                  ' principals = { joe = { ticket = "t", role = "user" } } } } }')
    equal(t.run(0, "router", "--config", path, "--metrics", "--check").out.all(), [
        "realm        realm1  roles user",
        "listen       127.0.0.1:8081", "             /  WebSocket  auth ticket (1)",
        "             /metrics  metrics", "ok"])


@test
def hup_takes_new_realms_and_listeners_and_keeps_sessions(t):
    router, url = t.router("--config", t.file("router.lua", OPEN % '"realm1", "gone"'))
    stays, goes = listener(t, url), listener(t, url, "gone")
    port = closed_port()
    t.file("router.lua", 'return { listen = { "127.0.0.1:0", "127.0.0.1:%d" }, '
           'realm = { "realm1", "new" } }' % port)
    again(router)
    goes.out.wait("^left\twamp.close.close_realm$")
    for way in (url, "ws://127.0.0.1:%d" % port):
        equal(t.calls(way, "c:call('wamp.session.count')", "new"), ["1"])
    assert stays.child.poll() is None and not stays.out.find("^left")
    router.ends(0, signal.SIGTERM)
    stays.out.wait("^left\twamp.close.system_shutdown$")


@test
def hup_takes_new_functions_and_the_modules_that_they_are_made_of(t):
    t.file("may.lua", 'return "com.a"')
    path = t.file("router.lua", DECIDES.replace("arg[0] .. ", '"%s/" .. ' % t.folder) % "one")
    router, url = t.router("--config", path)
    equal(t.script(ASK, url, "one"), ["true", "com.a", "wamp.error.not_authorized"])
    t.file("may.lua", 'return "com.b"')
    t.file("router.lua", DECIDES.replace("arg[0] .. ", '"%s/" .. ' % t.folder) % "two")
    again(router)
    equal(t.script(ASK, url, "one"), ["AuthenticationError"])
    equal(t.script(ASK, url, "two"), ["true", "wamp.error.not_authorized", "com.b"])
    t.file("router.lua", OPEN % '"realm1"')  # nobody decides any more
    again(router)
    equal(t.calls(url, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)


@test
def a_file_that_is_wrong_or_does_more_than_say_changes_nothing(t):
    router, url = t.router("--config", t.file("router.lua", OPEN % '"realm1"'))
    client = 'require("wampy").Client { url = "ws://127.0.0.1:1" } '
    for text, complaint in {
            "return {": r"router\.lua:1: ",
            OPEN % '"a b"': r'invalid realm "a b"',
            "return { listen = '256.256.256.256:1' }": "cannot listen on",
            client + OPEN % '"other"': "makes its own clients: it is not read again",
            "require('wampy').spawn(print) " + OPEN % '"other"': "starts tasks: it is not read"
    }.items():
        t.file("router.lua", text)
        again(router, KEPT)
        assert router.err.find(complaint), (complaint, router.err.lines)
        equal(t.calls(url, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)


@test
def its_service_manager_and_usr1_are_answered(t):
    manager = Manager(t)
    router = t.start("router", "--config", t.file("router.lua", OPEN % '"realm1"'),
                     env={"NOTIFY_SOCKET": manager.path})
    url = router.out.wait(r"^router +(\S+)").group(1)
    assert manager.next().startswith("READY=1")
    listener(t, url)
    router.signal(signal.SIGUSR1)
    router.err.wait("^info: .*realm1.*anonymous")
    router.signal(signal.SIGHUP)
    assert manager.next().startswith("RELOADING=1"), "not reloading"
    assert manager.next().startswith("READY=1"), "not ready"
    router.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    router.ends(0)
