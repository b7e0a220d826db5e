"""test_service.py: `wampy-lua run` as a service: what a service manager hears, what USR1 writes."""
import signal

from harness import equal, test
from test_operation import Manager

READY = "^ready"
APP = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
App.hold = wampy.callee { "hold", invoke = "random" } (function()
  wampy.progress("held")
  wampy.sleep(60)
end)
App.topic = wampy.subscriber "topic" (function() end)
return App
"""
HOLD = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1] }:start()
pcall(c.call, c, "hold", wampy.options { on_progress = function()
  print("held") io.stdout:flush()
end })
"""


def next_word(manager):
    """What is said next, but that the loop goes round."""
    said = manager.next()
    while said == "WATCHDOG=1":
        said = manager.next()
    return said


def reload(app, manager):
    app.signal(signal.SIGHUP)
    said = next_word(manager)
    assert said.startswith("RELOADING=1\nMONOTONIC_USEC="), said
    return next_word(manager)


def env(manager):
    return {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}


@test
def a_service_manager_hears_of_readiness_status_reloads_and_the_end(t):
    manager = Manager(t)
    router, url = t.router()
    app = t.start("run", t.file("app.lua", APP), "--url", url, env=env(manager))
    serving = "READY=1\nSTATUS=1 of 1 joined; 1 procedures, 1 topics"
    equal(next_word(manager), serving)
    manager.until("WATCHDOG=1")
    manager.until("WATCHDOG=1")
    equal(reload(app, manager), serving)
    router.ends(0, signal.SIGTERM)
    manager.until("STATUS=0 of 1 joined; 0 procedures, 0 topics")
    app.signal(signal.SIGTERM)
    equal(next_word(manager), "STOPPING=1")
    app.ends(0)


@test
def a_loop_that_does_not_go_round_says_no_watchdog(t):
    manager = Manager(t)
    app = t.start("run", t.file("app.lua", APP), "--router=0", env=env(manager))
    manager.until("WATCHDOG=1")
    app.signal(signal.SIGSTOP)
    manager.socket.settimeout(1)
    try:
        while True:
            manager.next()
    except TimeoutError:
        pass
    manager.socket.settimeout(20)
    app.signal(signal.SIGCONT)
    manager.until("WATCHDOG=1")
    app.ends(0, signal.SIGTERM)


@test
def the_parent_of_workers_speaks_for_all(t):
    manager = Manager(t)
    app = t.start("run", t.file("app.lua", APP), "--router=0", "--workers", "2", env=env(manager))
    equal(next_word(manager), "READY=1\nSTATUS=2 workers")
    manager.until("WATCHDOG=1")
    equal(reload(app, manager), "READY=1")
    app.signal(signal.SIGTERM)
    equal(next_word(manager), "STOPPING=1")
    app.ends(0)


def usr1(t, *args):
    app = t.start("run", t.file("app.lua", APP), "--router=0", *args)
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait(READY)
    t.start(t.file("hold.lua", HOLD), url).out.wait("^held$")
    app.signal(signal.SIGUSR1)
    return app


@test
def usr1_writes_sessions_tasks_and_queues_into_the_log(t):
    app = usr1(t)
    app.err.wait(r"^info: App: session \d+, realm realm1; 1 registered, 1 subscribed; 1 handlers of "
                 r"calls and 0 of events run; 0 requests under way, 0 bytes queued$")
    app.err.wait(r"^info: router: 2 connections, 2 sessions, ")
    app.err.wait(r"^info: \d+ tasks, 1 of them the app's$")
    app.err.wait(r"^info: a task waits$")
    app.err.wait(r"^\t.*app\.lua:6: in function <.*app\.lua:4>$")
    app.ends(0, signal.SIGTERM)


@test
def usr1_to_the_parent_of_workers_is_for_all_of_them(t):
    app = usr1(t, "--workers", "2")
    for who in "router", "worker 1", "worker 2":
        app.err.wait(r"^info: %s: .*session" % who)
    app.ends(0, signal.SIGTERM)
