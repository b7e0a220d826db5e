"""test_run.py: `wampy-lua run`: which apps it takes, where it connects, what it prints, how it ends."""
import json
import signal

import apps
from harness import PATIENCE, closed_port, equal, one_line, test
from raw_router import GOODBYE, HELLO, RawRouter, REGISTER, ROLES, WELCOME

READY = "^ready"


@test
def serves_an_app_file(t):
    _, url = t.router()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait(READY)
    equal(t.calls(url, "c:call('say_hello', 'world')"), ["Hello world"])
    app.ends(0, signal.SIGTERM)
    equal(app.err.all(), [])


@test
def prints_what_it_registered_and_subscribed_and_nothing_else(t):
    _, url = t.router()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    lines = [line.split() for line in app.out.all()]
    equal([line[:2] for line in lines[:2]],
          [["registered", "say_hello"], ["subscribed", "com.example.news"]])
    assert lines[0][2].endswith("app.lua:4") and lines[1][2].endswith("app.lua:5"), lines
    equal(lines[2:], [["ready."]])


MANY = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
for i = 1, %d do App["f" .. i] = wampy.callee(function() return i end) end
return App
"""


@test
def prints_six_lines_at_most_before_ready(t):
    for count, last in (5, ["registered", "f5"]), (6, ["and", "2"]):
        app = t.start("run", t.file("app.lua", MANY % count), "--router=0")
        app.out.wait(READY)
        app.ends(0, signal.SIGTERM)
        lines = [line.split()[:2] for line in app.out.all()]
        equal(len(lines), 7)
        equal([lines[0][0], lines[5], lines[6]], ["router", last, ["ready."]])
    app = t.start("run", t.file("app.lua", MANY % 30), "--router=0", "-v")
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    equal(len(app.out.all()), 32)


@test
def serves_one_class_of_a_file(t):
    _, url = t.router()
    path = t.file("app.lua", apps.classes("One", "Two"))
    app = t.start("run", path + ":Two", "--url", url)
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    equal([line.split()[:2] for line in app.out.all()], [["registered", "get_two"], ["ready."]])


@test
def serves_a_class_of_a_dotted_module(t):
    _, url = t.router()
    t.file("shop/orders.lua", apps.classes("Orders", "Other"))
    app = t.start("run", "shop.orders:Orders", "--url", url)
    app.out.wait(READY)
    equal(t.calls(url, "c:call('get_orders')"), ["Orders"])
    app.ends(0, signal.SIGTERM)
    equal(len(app.out.all()), 2)


@test
def serves_several_apps_in_one_process(t):
    _, url = t.router()
    t.file("shop.lua", apps.classes("Orders", "Stock"))
    t.file("hello.lua", apps.HELLO)
    app = t.start("run", "shop:Orders", "hello.lua", "shop.lua:Stock", "--url", url)
    app.out.wait(READY)
    equal(t.calls(url, "c:call('get_orders'), c:call('get_stock'), c:call('say_hello', 'you')"),
          ["Orders", "Stock", "Hello you"])
    app.ends(0, signal.SIGTERM)


@test
def delivers_events_to_the_app(t):
    _, url = t.router()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait(READY)
    t.calls(url, "c:publish('com.example.news', 'rain')")
    app.out.wait("^heard rain$")
    app.ends(0, signal.SIGTERM)


@test
def joins_the_realm_it_is_given(t):
    _, url = t.router("--listen", "0", "--realm", "realm1", "--realm", "other")
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url, "--realm", "other")
    app.out.wait(READY)
    equal(t.calls(url, "c:call('say_hello', 'other')", "other"), ["Hello other"])
    equal(t.calls(url, "pcall(c.call, c, 'say_hello', 'x')", "realm1")[0], "false")
    app.ends(0, signal.SIGTERM)


@test
def takes_url_and_realm_from_the_environment_and_flags_win(t):
    with RawRouter(lambda link: (link.join(), link.serve())) as raw:
        path = t.file("app.lua", apps.HELLO)
        env = {"WAMPY_URL": raw.url, "WAMPY_REALM": "from_env"}
        t.run(0, "run", path, "--once", env=env)
        equal(raw.wait(HELLO)[1], "from_env")
        raw.seen.clear()
        t.run(0, "run", path, "--once", "-r", "from_flag", env=env)
        equal(raw.wait(HELLO)[1], "from_flag")


@test
def brings_its_own_router(t):
    app = t.start("run", t.file("app.lua", apps.HELLO), "--router=0", "--realm", "mine")
    url, realm = app.out.wait(r"^router +(ws://127\.0\.0\.1:\d+/) +(\S+)$").groups()
    equal(realm, "mine")
    app.out.wait(READY)
    equal(t.calls(url, "c:call('say_hello', 'you')", "mine"), ["Hello you"])
    app.ends(0, signal.SIGTERM)


@test
def router_takes_a_whole_url_to_listen_on(t):
    port = closed_port()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--router=ws://127.0.0.1:%d/ws" % port)
    app.out.wait(READY)
    equal(t.calls("ws://127.0.0.1:%d/ws" % port, "c:call('say_hello', 'you')"), ["Hello you"])
    app.ends(0, signal.SIGTERM)


def crossbar_config(port, realm):
    allow = {"call": True, "register": True, "publish": True, "subscribe": True}
    role = {"name": "anonymous",
            "permissions": [{"uri": "", "match": "prefix", "allow": allow}]}
    endpoint = {"type": "tcp", "interface": "127.0.0.1", "port": port}
    return json.dumps({"version": 2, "workers": [{
        "type": "router", "realms": [{"name": realm, "roles": [role]}],
        "transports": [{"type": "web", "endpoint": endpoint,
                        "paths": {"ws": {"type": "websocket"}}}]}]})


@test
def takes_url_and_realm_from_a_crossbar_configuration(t):
    port = closed_port()
    config = t.file("config.json", crossbar_config(port, "configured"))
    router = t.start("router", "--config", config)
    router.out.wait("^router")
    app = t.start("run", t.file("app.lua", apps.HELLO), "--config", config)
    app.out.wait(READY)
    url = "ws://127.0.0.1:%d/ws" % port
    equal(t.calls(url, "c:call('say_hello', 'you')", "configured"), ["Hello you"])
    app.ends(0, signal.SIGTERM)


@test
def makes_its_router_from_a_crossbar_configuration(t):
    port = closed_port()
    config = t.file("config.json", crossbar_config(port, "configured"))
    app = t.start("run", t.file("app.lua", apps.HELLO), "--config", config, "--router")
    app.out.wait(r"^router .*:%d/.* configured$" % port)
    app.out.wait(READY)
    url = "ws://127.0.0.1:%d/ws" % port
    equal(t.calls(url, "c:call('say_hello', 'you')", "configured"), ["Hello you"])
    app.ends(0, signal.SIGTERM)


@test
def names_configuration_keys_that_it_ignores(t):
    text = crossbar_config(0, "r").replace('"type": "router"', '"type": "router", "options": {}')
    app = t.start("run", t.file("app.lua", apps.HELLO), "--router", "--config",
                  t.file("config.json", text))
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    one_line(app, r"config\.json\.workers\[0\]\.options is not supported and ignored")


@test
def once_leaves_after_the_main_chunk(t):
    with RawRouter(lambda link: (link.join(), link.serve())) as raw:
        app = t.run(0, "run", t.file("app.lua", apps.HELLO), "--once", "--url", raw.url)
        raw.wait(REGISTER)
        raw.wait(GOODBYE)
        assert not app.out.find(READY)


@test
def gives_what_follows_two_dashes_to_the_app(t):
    path = t.file("app.lua", "print(#arg, arg[1], arg[2], arg[3])")
    equal(t.run(0, "run", path, "--once", "--", "a", "--url", "b c").out.all(),
          ["3\ta\t--url\tb c"])


@test
def an_app_that_starts_its_own_client_is_kept_running(t):
    _, url = t.router()
    path = t.file("app.lua", """
local wampy = require "wampy"
local c = wampy.Client():start()
c:register("mine", function() return "mine" end)
""")
    app = t.start("run", path, "--url", url)
    app.out.wait(READY)
    equal(t.calls(url, "c:call('mine')"), ["mine"])
    app.ends(0, signal.SIGTERM)


@test
def waits_for_the_router_to_come_up(t):
    port = closed_port()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", "ws://127.0.0.1:%d/" % port)
    app.err.wait("refused.*trying again")
    t.router("--listen", port)
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    equal(len(app.err.all()), 1)


@test
def prints_one_line_per_change_of_reason_while_it_waits(t):
    def status(text):
        return lambda link: (link.request(), link.answer(text))
    busy, down = "503 Busy", "500 Down"
    with RawRouter(status(busy), status(busy), status(down),
                   lambda link: (link.join(), link.serve())) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url)
        app.out.wait(READY)
        app.ends(0, signal.SIGTERM)
        lines = app.err.all()
        assert len(lines) == 2 and "503" in lines[0] and "500" in lines[1], lines


@test
def a_signal_ends_it_while_it_waits_for_the_router(t):
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url",
                  "ws://127.0.0.1:%d/" % closed_port())
    app.err.wait("trying again")
    app.ends(0, signal.SIGTERM)


@test
def joins_again_when_the_router_comes_back(t):
    port = closed_port()
    first, url = t.router("--listen", port)
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait(READY)
    first.ends(-9, signal.SIGKILL)
    app.err.wait("joining again")
    t.router("--listen", port)
    app.err.wait("joined realm1 again")
    equal(t.calls(url, "c:call('say_hello', 'again')"), ["Hello again"])
    app.ends(0, signal.SIGTERM)


@test
def retries_a_registration_that_a_dead_session_still_holds(t):
    sessions = []

    def behave(link):
        link.upgrade()
        link.recv()
        sessions.append(link)
        link.send(WELCOME, 100 + len(sessions), ROLES)
        if len(sessions) == 2:
            link.serve(register=lambda m: link.send(
                8, REGISTER, m[1], {}, "wamp.error.procedure_already_exists"))
        link.serve()
    with RawRouter(behave) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url)
        app.out.wait(READY)
        sessions[0].vanish()
        app.err.wait("procedure_already_exists.*trying again")
        app.err.wait("joined realm1 again", 2 * PATIENCE)
        app.ends(0, signal.SIGTERM)
