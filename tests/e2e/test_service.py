"""test_service.py: `wampy-lua run` as a service: what a service manager hears, what USR1 writes, and
the units of systemd."""
import os
import re
import shutil
import signal
import subprocess

import harness
from harness import ROOT, equal, test
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


@test
def an_app_that_runs_itself_is_ready_when_it_does(t):
    manager = Manager(t)
    text = """
local wampy = require "wampy"
local client = wampy.Client {}:start()
client:register("f", print)
wampy.run()
"""
    _, url = t.router()
    app = t.start("run", t.file("own.lua", text), env=env(manager) | {"WAMPY_URL": url})
    app.out.wait(READY)
    equal(next_word(manager), "READY=1\nSTATUS=1 of 1 joined; 1 procedures, 0 topics")
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


# ---- units of systemd -----------------------------------------------------------------------------

UNITS = os.path.join(ROOT, "contrib/systemd")
ROUTER = """
{ "version": 2, "workers": [ { "type": "router",
  "realms": [ { "name": "realm1", "roles": [ { "name": "anonymous", "permissions": [
    { "uri": "*", "allow": { "call": true, "register": true } } ] } ] } ],
  "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 0 } } ] } ] }
"""


def unit(t, name):
    """The settings of a unit, for the program and the folders that are here."""
    with open(os.path.join(UNITS, name), encoding="utf-8") as file:
        text = file.read()
    for there, here in (("/usr/local/bin/wampy-lua", harness.PROGRAM[0]), ("/srv/wampy", t.folder),
                        ("/etc/wampy", t.folder), ("%i", "shop")):
        text = text.replace(there, here)
    t.file(name, re.sub("(?m)^Documentation=.*\n", "", text))
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", text))


def is_valid(t, name):
    if shutil.which("systemd-analyze"):
        found = subprocess.run(["systemd-analyze", "verify", os.path.join(t.folder, name)],
                               capture_output=True, text=True, check=False)
        equal((found.returncode, found.stderr), (0, ""))


def lives_by(t, settings, cwd):
    """Starts, reloads and ends it as the unit says."""
    manager = Manager(t)
    command = settings["ExecStart"].split()
    service = t.start(*command[1:], program=command[:1], cwd=cwd,
                      env={"NOTIFY_SOCKET": manager.path})
    equal(settings["Type"], "notify")
    assert next_word(manager).startswith("READY=1")
    reload_command = settings["ExecReload"].replace("$MAINPID", str(service.pid)).split()
    subprocess.run(reload_command, check=True)
    assert next_word(manager).startswith("RELOADING=1")
    assert next_word(manager).startswith("READY=1")
    service.ends(0, signal.SIGTERM)


@test
def the_unit_of_an_app_works(t):
    settings = unit(t, "wampy-app@.service")
    is_valid(t, "wampy-app@.service")
    _, url = t.router()
    t.env["WAMPY_URL"] = url
    t.file("shop/main.lua", APP)
    lives_by(t, settings, settings["WorkingDirectory"])


@test
def the_unit_of_the_router_works(t):
    settings = unit(t, "wampy-router.service")
    is_valid(t, "wampy-router.service")
    t.file("router.json", ROUTER)
    lives_by(t, settings, t.folder)
