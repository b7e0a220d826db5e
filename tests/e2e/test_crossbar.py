"""test_crossbar.py: the same apps on a real Crossbar.io."""
import os
import signal

import apps
from crossbar import Crossbar, listens
from harness import ROOT, equal, one_line, test

WEATHER = os.path.join(ROOT, "apps/06-weather/main.lua")
HELLO = os.path.join(ROOT, "apps/01-hello/main.lua")


@test
def the_hello_and_weather_apps_serve_through_it(t):
    with Crossbar() as url:
        app = t.start("run", HELLO, WEATHER, "--url", url)
        app.out.wait("^ready")
        equal(t.calls(url, "c:call('say_hello', 'bar'), c:call('get_weather', 'Quito').degrees"),
              ["Hello bar", "15"])
        equal(t.script(HEARS, url), ["rain"])
        app.ends(0, signal.SIGTERM)
        equal(app.err.all(), [])
        said = t.calls(url, "pcall(c.call, c, 'say_hello')")  # GOODBYE took the procedure away
        assert said[0] == "false" and "no_such_procedure" in said[1], said


HEARS = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1] }:start()
local heard = wampy.queue()
c:subscribe("wampy-weather", function(message) heard:put(message) end)
c:publish { topic = "global-weather", message = "rain" }
print(heard:get(10))
"""


@test
def an_app_joins_again_after_it_was_down(t):
    node = Crossbar()
    with node as url:
        app = t.start("run", HELLO, "--url", url, "--ping", "1")
        app.out.wait("^ready")
        os.kill(node.process.pid, signal.SIGTERM)
        app.err.wait("joining again", 60)
        node.process.wait(60)
    assert not listens(node.port)
    again = Crossbar()
    again.port = node.port
    with again as url:
        app.err.wait("joined realm1 again", 60)
        equal(t.calls(url, "c:call('say_hello', 'again')"), ["Hello again"])
        app.ends(0, signal.SIGTERM)


@test
def its_own_configuration_says_where_it_is(t):
    node = Crossbar()
    with node:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--config",
                      os.path.join(node.folder, "config.json"))
        app.out.wait("^ready")
        equal(t.calls("ws://127.0.0.1:%d/" % node.port, "c:call('say_hello', 'you')"),
              ["Hello you"])
        app.ends(0, signal.SIGTERM)


@test
def a_realm_that_it_has_not_is_refused_with_5(t):
    with Crossbar() as url:
        one_line(t.run(5, "run", HELLO, "--url", url, "--realm", "nope"),
                 "^error: .*no_such_realm")


@test
def a_second_app_with_the_same_procedure_is_refused_with_6(t):
    with Crossbar() as url:
        t.start("run", HELLO, "--url", url).out.wait("^ready")
        one_line(t.run(6, "run", HELLO, "--url", url, "--retries", "0"),
                 "^error: .*say_hello.*procedure_already_exists")
