"""test_watch.py: `run --watch` and HUP: new code for an app that goes on serving."""
import os
import shutil
import signal

from harness import closed_port, equal, test, test_each

READY = "^ready"
APP = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
App.version = wampy.callee "version" (function(self) return %s, self.session.id end)
return App
"""
HEAD = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
"""
CALL = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], call_timeout = 25 }:start()
"""


def save(t, name, text):
    """As an editor does it: a new file in the place of the old one."""
    os.rename(t.file(name + ".new", text), os.path.join(t.folder, name))


def watched(t, text, *args, name="app.lua"):
    _, url = t.router()
    app = t.start("run", t.file(name, text), "--url", url, "--watch", *args)
    app.out.wait(READY)
    return app, url


def reloads(app):
    return sum(line.startswith("reloaded") for line in app.out.lines)


def reloaded(app, times=1):
    with app.out.changed:
        assert app.out.changed.wait_for(lambda: reloads(app) >= times, 30), app.out.lines


HAMMER = CALL + """
local session, last
local function caller()
  while last ~= 100 do
    local version, id = c:call("version")
    assert(not session or id == session, "another session")
    session = id
    if version ~= last then
      assert(not last or version > last, "the former code answers after the new one")
      last = version
      print("version " .. version)
      io.stdout:flush()
    end
  end
end
local callers = {}
for i = 1, 8 do callers[i] = wampy.spawn(caller) end
for _, each in ipairs(callers) do each:wait() end
"""


@test
def a_file_saved_a_hundred_times_under_load_loses_no_call_and_keeps_the_session(t):
    app, url = watched(t, APP % 0)
    caller = t.start(t.file("hammer.lua", HAMMER), url)
    caller.out.wait("^version 0$")
    for i in range(1, 101):
        if i % 2:
            save(t, "app.lua", APP % i)
        else:
            t.file("app.lua", APP % i)
        caller.out.wait("^version %d$" % i)
    caller.ends(0)
    assert app.child.poll() is None
    app.ends(0, signal.SIGTERM)
    equal(app.err.all(), [])
    equal(sum(line.startswith("registered") for line in app.out.all()), 1)


REGISTRATIONS = CALL + """
print(c:call("wamp.registration.lookup", "stays"), c:call("wamp.subscription.lookup", "topic"))
"""
ROLES = HEAD + """
App.stays = wampy.callee "stays" (function() return %(n)d end)
App.%(name)s = wampy.callee "%(name)s" (function() return %(n)d end)
App.heard = wampy.subscriber "topic" (function() print("heard %(n)d") io.stdout:flush() end)
return App
"""


@test
def uris_that_stay_keep_their_registration_and_others_come_and_go(t):
    app, url = watched(t, ROLES % {"n": 1, "name": "old"})
    before = t.script(REGISTRATIONS, url)
    save(t, "app.lua", ROLES % {"n": 2, "name": "new"})
    reloaded(app)
    equal(t.script(REGISTRATIONS, url), before)
    assert "nil" not in before[0], before
    equal(t.calls(url, "c:call('stays'), c:call('new'), pcall(c.call, c, 'old')")[:3],
          ["2", "2", "false"])
    t.calls(url, "c:publish('topic', wampy.options { acknowledge = true })")
    app.out.wait("^heard 2$")
    assert not app.out.find("^heard 1$"), app.out.lines
    app.out.wait("^unregistered +old +.*app.lua:6$")
    app.out.wait("^registered +new +.*app.lua:6$")
    app.ends(0, signal.SIGTERM)


@test
def another_option_of_a_uri_registers_it_anew(t):
    text = HEAD + """
App.f = wampy.callee { "f"%s } (function() return 1 end)
return App
"""
    app, url = watched(t, text % "")
    save(t, "app.lua", text % ', invoke = "roundrobin"')
    reloaded(app)
    script = CALL + """
print(c:call("wamp.registration.get", c:call("wamp.registration.lookup", "f")).invoke, c:call("f"))
"""
    equal(t.script(script, url), ["roundrobin\t1"])
    app.ends(0, signal.SIGTERM)


IN_FLIGHT = HEAD + """
local go = wampy.event()
local name = "%(name)s"
App.hold = wampy.callee "hold" (function(self)
  wampy.progress("held")
  wampy.state.go = wampy.state.go or go
  wampy.state.go:wait()
  return name, self:%(helper)s()
end)
App.%(helper)s = function() return "%(name)s's helper" end
App.go = wampy.callee "go" (function() wampy.state.go:set() end)
return App
"""
HOLD = CALL + """
local held = wampy.event()
local function hold()
  held:clear()
  local f = c:call_async("hold", wampy.options { on_progress = function() held:set() end })
  held:wait()
  return f
end
local old = hold()
print("held") io.stdout:flush()
io.read()
local new = hold()
c:call("go")
print(old:wait())
print(new:wait())
"""


@test
def calls_in_flight_finish_on_the_old_code_with_its_methods(t):
    app, url = watched(t, IN_FLIGHT % {"name": "old", "helper": "help"})
    caller = t.start(t.file("hold.lua", HOLD), url, stdin=-1)
    caller.out.wait("^held$")
    save(t, "app.lua", IN_FLIGHT % {"name": "new", "helper": "assist"})
    reloaded(app)
    caller.child.stdin.write("\n")
    caller.child.stdin.close()
    equal(caller.ends(0).out.all()[1:], ["old\told's helper", "new\tnew's helper"])
    app.ends(0, signal.SIGTERM)


@test_each({
    "a syntax error": ("x = = 1", r"^error: .*app\.lua:2: unexpected symbol near '='; the former"),
    "an error at load": ("error('boom')", r"^error: .*app\.lua:2: boom; the former code goes on \[W300\]$"),
    "a role that is wrong": (HEAD + "App.call = wampy.callee(function(self) end) return App",
                             r"^error: .*app\.lua:4: a role cannot be named .call.*; the former"),
    "a file without a class": ("return {}", r"^error: .*returns no class any more; the former"),
    "a module that is not there": ("require 'nothing'", r"^error: .*app\.lua:2: module 'nothing' not found; the"),
})
def a_file_that_does_not_load_keeps_the_old_code(t, text, error):
    app, url = watched(t, APP % 1)
    before = t.calls(url, "c:call('version')")
    save(t, "app.lua", "-- broken\n" + text if "extend" not in text else text)
    app.err.wait(error)
    equal(t.calls(url, "c:call('version')"), before)
    save(t, "app.lua", APP % 2)
    reloaded(app)
    equal(t.calls(url, "c:call('version')"), ["2", before[1]])
    app.ends(0, signal.SIGTERM)


WITH_MODULE = HEAD + """
local lib = require "lib.answer"
App.version = wampy.callee "version" (function() return lib.answer end)
return App
"""


@test
def modules_of_the_apps_own_tree_are_watched_and_loaded_anew(t):
    t.file("lib/answer.lua", "return { answer = 1 }")
    app, url = watched(t, WITH_MODULE)
    save(t, "lib/answer.lua", "return { answer = 2 }")
    reloaded(app)
    equal(t.calls(url, "c:call('version')"), ["2"])
    save(t, "lib/answer.lua", "return { answer = } }")
    app.err.wait(r"^error: .*answer\.lua:1: unexpected symbol near '}'")
    equal(t.calls(url, "c:call('version')"), ["2"])
    save(t, "lib/answer.lua", "return { answer = 3 }")
    reloaded(app, 2)
    equal(t.calls(url, "c:call('version')"), ["3"])
    app.ends(0, signal.SIGTERM)


@test
def a_module_that_is_missing_is_waited_for(t):
    app, url = watched(t, APP % 1)
    save(t, "app.lua", WITH_MODULE.replace("lib.answer", "answer", 1))
    app.err.wait("module 'answer' not found")
    save(t, "answer.lua", "return { answer = 7 }")
    reloaded(app)
    equal(t.calls(url, "c:call('version')"), ["7"])
    app.ends(0, signal.SIGTERM)


STATE = HEAD + """
wampy.state.loads = (wampy.state.loads or 0) + 1
App.loads = wampy.callee "loads" (function() return wampy.state.loads end)
return App
"""


@test
def a_folder_that_is_replaced_goes_on_being_watched(t):
    folder = os.path.join(t.folder, "app")
    app, url = watched(t, APP % 1, name="app/main.lua")
    shutil.rmtree(folder)
    app.err.wait("^warn: cannot watch .*/app: No such file or directory; trying again$")
    t.file("app/main.lua", APP % 2)
    reloaded(app)
    equal(t.calls(url, "c:call('version')")[0], "2")
    save(t, "app/main.lua", APP % 3)
    reloaded(app, 2)
    equal(t.calls(url, "c:call('version')")[0], "3")
    app.ends(0, signal.SIGTERM)


@test
def a_link_to_the_file_is_followed_and_may_be_replaced(t):
    t.file("one/main.lua", APP % 1)
    t.file("two/main.lua", APP % 2)
    os.symlink("one/main.lua", os.path.join(t.folder, "app.lua"))
    _, url = t.router()
    app = t.start("run", "app.lua", "--url", url, "--watch")
    app.out.wait(READY)
    save(t, "one/main.lua", APP % 10)
    reloaded(app)
    equal(t.calls(url, "c:call('version')")[0], "10")
    os.symlink("two/main.lua", os.path.join(t.folder, "new"))
    os.rename(os.path.join(t.folder, "new"), os.path.join(t.folder, "app.lua"))
    reloaded(app, 2)
    equal(t.calls(url, "c:call('version')")[0], "2")
    app.ends(0, signal.SIGTERM)


@test
def a_client_without_a_link_joins_again_with_the_new_code(t):
    port = closed_port()
    first, url = t.router("--listen", str(port))
    app = t.start("run", t.file("app.lua", APP % 1), "--url", url, "--watch")
    app.out.wait(READY)
    first.ends(0, signal.SIGTERM)
    app.err.wait("trying again in")
    save(t, "app.lua", APP % 2)
    reloaded(app)
    t.router("--listen", str(port))
    app.err.wait("joined realm1 again")
    equal(t.calls(url, "c:call('version')")[0], "2")
    app.ends(0, signal.SIGTERM)


@test
def what_the_app_keeps_in_wampy_state_survives(t):
    app, url = watched(t, STATE)
    save(t, "app.lua", STATE)
    reloaded(app)
    equal(t.calls(url, "c:call('loads')"), ["2"])
    app.ends(0, signal.SIGTERM)


TIMER = HEAD + """
App.tick = wampy.timer { interval = %s } (function() print("tick %s") io.stdout:flush() end)
function App:on_leave() print("left %s") io.stdout:flush() end
return App
"""


@test
def timers_and_hooks_are_exchanged(t):
    app, _ = watched(t, TIMER % ("0.05", "one", "one"))
    app.out.wait("^tick one$")
    save(t, "app.lua", TIMER % ("0.05", "two", "two"))
    app.out.wait("^tick two$")
    save(t, "app.lua", TIMER % ("0.04", "three", "three"))
    app.out.wait("^tick three$")
    app.ends(0, signal.SIGTERM)
    lines = app.out.all()
    after = lines[lines.index("tick three"):]
    assert "tick one" not in after and "tick two" not in after, lines
    app.out.wait("^left three$")


OWN = """
local wampy = require "wampy"
local client = wampy.Client { url = %r }:start()
client:register("version", function() return %d end)
print("serving %d") io.stdout:flush()
wampy.run()
"""


@test
def a_file_that_makes_its_own_clients_is_started_again(t):
    _, url = t.router()
    app = t.start("run", t.file("app.lua", OWN % (url, 1, 1)), "--watch")
    app.out.wait("^serving 1$")
    save(t, "app.lua", OWN % (url, 2, 2))
    app.out.wait("^restarting +.*app.lua is in its main chunk$")
    app.out.wait("^serving 2$")
    equal(t.calls(url, "c:call('version')"), ["2"])
    save(t, "app.lua", "x = = 1")
    app.err.wait("waiting for a change")
    save(t, "app.lua", OWN % (url, 3, 3))
    app.out.wait("^serving 3$")
    app.ends(0, signal.SIGTERM)


@test_each({
    "clients": ("wampy.Client { }", "makes its own clients"),
    "after": ("wampy.after(1, print)", "starts tasks"),
    "spawn": ("wampy.spawn(print)", "starts tasks"),
    "a process": ("wampy.process.spawn { 'true' }", "starts processes"),
    "a router": ("wampy.routers.Embedded { listen = 0 }:start()", "starts a router"),
    "run": ("wampy.run()", "runs the loop"),
    "caught": ("pcall(wampy.Client, {})", "makes its own clients"),
    "the end": ("if debug.traceback():find('trial') then os.exit(1) end", "ends the process"),
    "waiting": ("wampy.sleep(0)", "waits"),
})
def what_a_trial_cannot_do_is_a_restart(t, line, why):
    app, url = watched(t, APP % 1)
    save(t, "app.lua", (APP % 2).replace("return App", line + "\nreturn App"))
    app.out.wait("^restarting +.*app.lua %s$" % why)
    app.out.wait("^ready", 20)
    while len([x for x in app.out.lines if x == "ready."]) < 2 and app.child.poll() is None:
        with app.out.changed:
            app.out.changed.wait(1)
    equal(t.calls(url, "c:call('version')")[0], "2")
    app.ends(0, signal.SIGTERM)


@test
def hup_reloads_without_watch(t):
    _, url = t.router()
    app = t.start("run", t.file("app.lua", APP % 1), "--url", url)
    app.out.wait(READY)
    before = t.calls(url, "c:call('version')")
    save(t, "app.lua", APP % 2)
    app.signal(signal.SIGHUP)
    reloaded(app)
    equal(t.calls(url, "c:call('version')"), ["2", before[1]])
    app.ends(0, signal.SIGTERM)


@test
def a_file_that_does_not_load_at_first_ends_with_3_also_when_it_is_watched(t):
    t.run(3, "run", t.file("app.lua", "x = = 1"), "--watch", "--router=0")
    t.run(2, "run", t.file("app.lua", APP % 1), "--watch", "--once")


@test
def registrations_made_by_hooks_are_named_in_a_warning(t):
    text = (APP % 1).replace("return App", """
function App:on_join() self:register("live", function() return 1 end) print("live") end
return App""")
    app, _ = watched(t, text)
    app.out.wait("^live$")
    save(t, "app.lua", text)
    app.err.wait("^warn: App: 1 registration made by register or subscribe keeps the former code .W915.$")
    app.ends(0, signal.SIGTERM)


@test
def every_worker_reloads(t):
    _, url = t.router()
    text = (APP.replace('"version"', '{ "version", invoke = "roundrobin" }'))
    app = t.start("run", t.file("app.lua", text % 1), "--url", url, "--watch", "--workers", "2")
    app.out.wait("^ready. +2 workers")
    save(t, "app.lua", text % 2)
    script = CALL + """
local seen = 0
while seen < 4 do seen = c:call("version") == 2 and seen + 1 or 0 wampy.sleep(0.01) end
"""
    t.script(script, url)
    app.ends(0, signal.SIGTERM)
    equal(app.err.all(), [])


@test
def workers_that_cannot_reload_are_replaced_one_by_one(t):
    _, url = t.router()
    text = OWN.replace("return %d end", "return %d end, { invoke = 'roundrobin' }")
    app = t.start("run", t.file("app.lua", text % (url, 1, 1)), "--watch", "--workers", "2")
    app.out.wait("^ready. +2 workers$")
    save(t, "app.lua", text % (url, 2, 2))
    app.out.wait("^restarting +.*app.lua is in its main chunk$")
    t.script(CALL + """
local seen = 0
while seen < 4 do seen = c:call("version") == 2 and seen + 1 or 0 wampy.sleep(0.01) end
""", url)
    app.ends(0, signal.SIGTERM)
