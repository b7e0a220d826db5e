"""test_router.py: `wampy-lua router`: where it listens, what it reads, how it ends."""
import json
import os
import signal
import stat

import apps
from harness import closed_port, equal, one_line, test, test_each
from test_run import crossbar_config

ECHO = "c:register('echo', function(x) return x end) and c:call('echo', 'back')"
# Joins, says so, and prints what ends the session.
LISTENER = """
local wampy = require "wampy"
local Listener = wampy.Client:extend("Listener")
function Listener:on_join() print("joined") io.stdout:flush() end
function Listener:on_leave(reason) print("left", reason) io.stdout:flush() end
Listener { url = arg[1] }:start()
pcall(wampy.run)
"""


@test
def prints_where_it_listens_and_nothing_else(t):
    router, _ = t.router()
    router.ends(0, signal.SIGTERM)
    equal(len(router.out.all()), 1)
    equal(router.err.all(), [])


@test
def listens_on_several_addresses_with_one_realm(t):
    router = t.start("router", "--listen", "0", "--listen", "ws://127.0.0.1:0/two",
                     "--listen", "ws://[::1]:0/")
    router.out.wait(r"\[::1\]")
    urls = [line.split()[1] for line in router.out.lines]
    equal(len(urls), 3)
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", urls[0])
    app.out.wait("^ready")
    for url in urls:
        equal(t.calls(url, "c:call('say_hello', 'you')"), ["Hello you"])


@test
def listens_on_a_unix_socket_and_removes_it(t):
    path = os.path.join(t.folder, "router.sock")
    router, url = t.router("--listen", "ws+unix://" + path)
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    assert path in url, url
    equal(t.calls("ws+unix://" + path, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)
    assert not os.path.exists(path)


@test
def a_socket_file_that_a_killed_router_left_is_taken_over(t):
    path = os.path.join(t.folder, "router.sock")
    first, _ = t.router("--listen", "ws+unix://" + path)
    first.ends(-9, signal.SIGKILL)
    t.router("--listen", "ws+unix://" + path)
    equal(t.calls("ws+unix://" + path, ECHO), ["back"])


@test
def answers_on_every_path(t):
    _, url = t.router()
    for path in ("", "ws", "a/b?c=d"):
        equal(t.calls(url + path, ECHO), ["back"])


@test
def reads_a_configuration_and_its_permissions(t):
    port = closed_port()
    config = json.loads(crossbar_config(port, "configured"))
    config["workers"][0]["realms"][0]["roles"][0]["permissions"] = [
        {"uri": "open.", "match": "prefix", "allow": {"call": True, "register": True}}]
    t.start("router", "--config", t.file("config.json", json.dumps(config))).out.wait(
        "^router .* configured$")
    url = "ws://127.0.0.1:%d/ws" % port
    equal(t.calls(url, "c:register('open.x', function() return 1 end) and c:call('open.x')",
                  "configured"), ["1"])
    said = t.calls(url, "pcall(c.register, c, 'shut.x', print)", "configured")
    assert said[0] == "false" and "wamp.error.not_authorized" in said[1], said


@test
def check_reads_the_configuration_and_ends(t):
    path = t.file("config.json", crossbar_config(closed_port(), "configured"))
    equal(t.run(0, "router", "--config", path, "--check").out.all()[-1], "ok")


@test
def check_says_what_is_wrong(t):
    path = t.file("config.json", crossbar_config(70000, "configured"))
    one_line(t.run(3, "router", "--config", path, "--check"),
             r"^error: .*transports\[0\]\.endpoint\.port: .*70000")


@test_each({"INT": (signal.SIGINT,), "TERM": (signal.SIGTERM,)})
def says_goodbye_to_everybody_and_ends_with_0(t, number):
    router, url = t.router()
    path = t.file("listener.lua", LISTENER)
    clients = [t.start(path, url) for _ in range(3)]
    for client in clients:
        client.out.wait("^joined$")
    router.ends(0, number)
    for client in clients:
        client.out.wait("^left\twamp.close.system_shutdown$")
        client.exit()


@test
def its_port_is_free_again_at_once(t):
    port = closed_port()
    router, url = t.router("--listen", port)
    equal(t.calls(url, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)
    t.router("--listen", port)
    equal(t.calls(url, ECHO), ["back"])


@test
def one_bad_listener_of_two_ends_it(t):
    port = closed_port()
    t.router("--listen", port)
    one_line(t.run(4, "router", "--listen", "0", "--listen", port), "^error: .*in use")
