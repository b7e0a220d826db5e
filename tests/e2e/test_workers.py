"""test_workers.py: `run --workers N`: several processes of one app, and the parent that looks after
them."""
import os
import re
import signal
import socket
import time

from harness import PATIENCE, equal, one_line, test, test_each

READY = "^ready. +%d worker"
APP = """
local wampy = require "wampy"
local number = os.getenv("WAMPY_WORKER")
local App = wampy.Client:extend("App")
local free = wampy.event()
local shared = { invoke = "roundrobin" }
local function callee(uri) return wampy.callee { uri, invoke = "roundrobin" } end
App.who = callee "who" (function() return number end)
App.version = callee "version" (function() return "one" end)
App.work = callee "work" (function() wampy.sleep(0.01) return "one" end)
App.hold = callee "hold" (function()
  wampy.progress(number)
  free:wait()
  return number
end)
App.free = wampy.subscriber "free" (function() free:set() end)
App.die = wampy.callee("die." .. number) (function() os.execute("kill -9 $PPID") end)
App.leave = wampy.callee("leave." .. number) (function() wampy.stop() end)
App.stick = wampy.callee("stick." .. number) (function()
  print("stuck") io.stdout:flush()
  io.open("fifo") -- nobody ever writes to it
end)
return App
"""
JOIN = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], call_timeout = 20 }:start()
"""


def crew(t, workers, *args, app=APP):
    """A router, a crew that is ready on it: its process and the router's URL."""
    _, url = t.router()
    process = t.start("run", t.file("app.lua", app), "--workers", workers, "--url", url, *args)
    process.out.wait(READY % workers)
    return process, url


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def is_gone(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def stick(t, app, url):
    """Worker 1 waits where neither the loop nor a signal reaches it."""
    os.mkfifo(os.path.join(t.folder, "fifo"))
    t.start(t.file("stick.lua", JOIN + "c:call('stick.1')"), url)
    app.out.wait("^stuck$")


def all_gone(pids):
    end = time.monotonic() + PATIENCE
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < end, "still there: %s of %s" % (
            [pid for pid in pids if not is_gone(pid)], pids)
        time.sleep(0.01)


@test
def every_worker_is_a_process_and_serves(t):
    app, url = crew(t, 3)
    equal(len(set(children(app.pid))), 3)
    equal(sorted(t.calls(url, "c:call('who'), c:call('who'), c:call('who')")), ["1", "2", "3"])
    app.ends(0, signal.SIGTERM)
    equal(app.err.all(), [])


@test
def what_is_registered_is_printed_once_and_ready_last(t):
    app, _ = crew(t, 2)
    app.ends(0, signal.SIGTERM)
    lines = [line.split()[:2] for line in app.out.all()]
    equal(lines[0], ["registered", "who"])
    equal(lines[-2:], [["and", "3"], ["ready.", "2"]])
    equal(len(lines), 7)


@test_each({"INT": (signal.SIGINT,), "TERM": (signal.SIGTERM,)})
def the_first_signal_ends_everybody_with_goodbye_and_0(t, number):
    app, url = crew(t, 3)
    workers = children(app.pid)
    app.ends(0, number)
    all_gone(workers)
    said = t.calls(url, "pcall(c.call, c, 'who')")
    assert "no_such_procedure" in said[1], said
    equal(app.err.all(), [])


@test
def the_second_signal_kills_whom_the_first_did_not_end(t):
    app, url = crew(t, 2)
    workers = children(app.pid)
    stick(t, app, url)
    app.signal(signal.SIGTERM)
    all_gone(workers[1:])
    app.ends(143, signal.SIGTERM)
    all_gone(workers)


@test
def workers_end_when_their_parent_is_killed(t):
    app = t.start("run", t.file("app.lua", APP), "--workers", "2", "--router=0")
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait(READY % 2)
    processes = children(app.pid)
    equal(len(processes), 3)
    stick(t, app, url)
    app.ends(-9, signal.SIGKILL)
    all_gone(processes)


HOLD = JOIN + """
local told, held = wampy.queue(), {}
for i = 1, 6 do
  held[i] = { call = c:call_async("hold", wampy.options { on_progress = function(number)
    held[i].by = number
    told:put(i)
  end }) }
end
for _ = 1, 6 do told:get(10) end
pcall(c.call, c, "die.2")
for _, h in ipairs(held) do
  if h.by == "2" then
    local ok, e = pcall(h.call.wait, h.call)
    print(h.by, ok, e.uri)
  end
end
c:publish("free", wampy.options { acknowledge = true })
for _, h in ipairs(held) do
  if h.by ~= "2" then print(h.by, h.call:wait()) end
end
"""


@test
def a_killed_worker_loses_only_the_calls_it_held_and_those_get_an_error(t):
    app, url = crew(t, 3)
    equal(sorted(t.script(HOLD, url)),
          ["1\t1"] * 2 + ["2\tfalse\twamp.error.canceled"] * 2 + ["3\t3"] * 2)
    app.err.wait(r"^warn: worker 2 \(pid \d+\) was ended by signal 9.*starting again in 0\.1 s")
    app.err.wait(r"^info: worker 2 \(pid \d+\) is ready again")
    equal(sorted(t.calls(url, "c:call('who'), c:call('who'), c:call('who')")), ["1", "2", "3"])
    app.ends(0, signal.SIGTERM)


# Eight callers until somebody says "enough": how many answers of which kind, and which errors.
LOAD = JOIN + """
local enough, answers, callers = false, {}, {}
c:subscribe("enough", function() enough = true end)
local function count(what) answers[what] = (answers[what] or 0) + 1 end
for i = 1, 8 do
  callers[i] = wampy.spawn(function()
    while not enough do
      local ok, e = pcall(c.call, c, "work")
      count(ok and "answer " .. e or e.uri or tostring(e))
    end
  end)
end
print("calling")
io.stdout:flush()
wampy.gather(table.unpack(callers))
for what, n in pairs(answers) do print(what, n) end
"""


def load(t, url):
    process = t.start(t.file("load.lua", LOAD), url)
    process.out.wait("calling")
    return process


def what_came(t, process, url):
    t.calls(url, "c:publish('enough')")
    lines = process.ends(0).out.all()[1:]
    return {what: int(n) for what, n in (line.split("\t") for line in lines)}


@test
def under_load_each_call_is_answered_while_workers_are_killed(t):
    app, url = crew(t, 3)
    process = load(t, url)
    for number in "1231":
        seen = len([1 for line in app.err.lines if "worker %s " % number in line])
        t.calls(url, "pcall(c.call, c, 'die.%s')" % number)
        end = time.monotonic() + PATIENCE
        while len([1 for line in app.err.lines if "worker %s " % number in line]) < seen + 2:
            assert time.monotonic() < end, app.err.lines
            time.sleep(0.01)
    came = what_came(t, process, url)
    assert came.pop("answer one") > 50, came
    lost = came.pop("wamp.error.canceled", 0)
    assert lost <= 4 * 8, lost  # each killed worker held eight calls at most
    equal(came, {})
    app.ends(0, signal.SIGTERM)


@test
def HUP_replaces_one_worker_after_the_other_and_loses_no_call(t):
    app, url = crew(t, 3)
    before, process = children(app.pid), load(t, url)
    t.file("app.lua", APP.replace('"one"', '"two"'))
    app.signal(signal.SIGHUP)
    for number in 1, 2, 3:
        app.err.wait(r"^info: worker %d \(pid \d+\) is ready again" % number)
    equal(t.calls(url, "c:call('version'), c:call('version'), c:call('version')"), ["two"] * 3)
    came = what_came(t, process, url)
    assert came.pop("answer one") > 0 and came.pop("answer two") > 0, came
    equal(came, {})
    assert not set(before) & set(children(app.pid)), "some worker is still the old one"
    app.ends(0, signal.SIGTERM)
    equal([line.split()[2] for line in app.err.all()], ["1", "2", "3"])


@test
def HUP_lets_a_handler_finish_within_the_grace_time(t):
    app, url = crew(t, 1)
    caller = t.start(t.file("hold.lua", JOIN + """
print(c:call("hold", wampy.options { on_progress = function()
  print("held") io.stdout:flush()
end }))"""), url)
    caller.out.wait("held")
    app.signal(signal.SIGHUP)
    t.script(JOIN + """
local ok = true
while ok do ok = pcall(c.call, c, "who") end -- it has unregistered
c:publish("free", wampy.options { acknowledge = true })""", url)
    equal(caller.ends(0).out.all(), ["held", "1"])
    app.err.wait("worker 1 .* is ready again")
    app.ends(0, signal.SIGTERM)


@test
def HUP_with_a_broken_app_keeps_the_workers_that_are_left(t):
    app, url = crew(t, 2, "-q")
    t.file("app.lua", "error('broken')")
    app.signal(signal.SIGHUP)
    app.err.wait("^error: worker 1: .*app.lua:1: broken")
    app.err.wait("^error: worker 1 does not come up again; the other workers go on")
    equal(t.calls(url, "c:call('who'), c:call('who')"), ["2", "2"])
    t.file("app.lua", APP.replace('"one"', '"two"'))
    app.signal(signal.SIGHUP)
    t.script(JOIN + """
local old = true
while old do
  old = false
  for _ = 1, 2 do
    local ok, version = pcall(c.call, c, "version")
    old = old or not ok or version ~= "two"
  end
end""", url)
    app.ends(0, signal.SIGTERM)


@test
def an_app_that_does_not_load_is_said_once_and_ends_everything_with_3(t):
    path = t.file("app.lua", "\nlocal x = = 1")
    one_line(t.run(3, "run", path, "--workers", "3"), r"^error: worker 1: .*app\.lua:2: ")


@test
def a_realm_that_is_refused_is_said_once_and_ends_everything_with_5(t):
    _, url = t.router()
    one_line(t.run(5, "run", t.file("app.lua", APP), "--workers", "3", "--url", url, "-r", "nope"),
             "^error: worker 1: .*no_such_realm")


@test
def a_router_that_is_not_there_ends_everything_with_4_where_retries_are_0(t):
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        one_line(t.run(4, "run", t.file("app.lua", APP), "--workers", "2", "--retries", "0",
                       "--url", "ws://127.0.0.1:%d/" % closed.getsockname()[1]),
                 "^error: worker 1: .*refused")


@test
def a_worker_that_dies_at_once_is_started_again_after_growing_pauses(t):
    app = t.start("run", t.file("app.lua", "os.execute('kill -9 $PPID')"), "--workers", "1")
    app.err.wait("starting again in 0.8 s")
    before = app.cpu()
    app.ends(0, signal.SIGTERM)
    assert before < 0.5, before
    lines = app.err.all()
    equal([re.search(r"worker 1 .*again in (\S+) s", line).group(1) for line in lines],
          ["0.1", "0.2", "0.4", "0.8"])


@test
def a_worker_that_ends_by_itself_is_not_started_again(t):
    app, url = crew(t, 2)
    first = children(app.pid)[:1]
    t.calls(url, "pcall(c.call, c, 'leave.1')")
    all_gone(first)
    equal(t.calls(url, "c:call('who'), c:call('who')"), ["2", "2"])
    t.calls(url, "pcall(c.call, c, 'leave.2')")
    app.ends(0)


@test
def once_ends_when_each_worker_has_run_once(t):
    path = t.file("app.lua", "print('ran as ' .. os.getenv('WAMPY_WORKER'))")
    lines = t.run(0, "run", path, "--workers", "3", "--once").out.all()
    equal(sorted(lines), ["ran as 1", "ran as 2", "ran as 3"])


@test
def lines_of_the_log_say_which_worker_they_are_from(t):
    log = 'require("wampy").log.warn("here")\n'
    app, _ = crew(t, 2, app=log + APP)
    app.ends(0, signal.SIGTERM)
    equal(sorted(app.err.all()), ["warn: worker 1: here", "warn: worker 2: here"])


@test
def workers_draw_different_random_numbers(t):
    path = t.file("app.lua", "print(math.random(0))")
    lines = t.run(0, "run", path, "--workers", "3", "--once").out.all()
    equal(len(set(lines)), 3)


@test
def with_a_router_of_their_own_the_workers_share_one(t):
    app = t.start("run", t.file("app.lua", APP), "--workers", "2", "--router=0", "-r", "mine")
    url, realm = app.out.wait(r"^router +(ws://127\.0\.0\.1:\d+/) +(\S+)$").groups()
    equal(realm, "mine")
    app.out.wait(READY % 2)
    equal(sorted(t.calls(url, "c:call('who'), c:call('who')", "mine")), ["1", "2"])
    processes = children(app.pid)
    app.ends(0, signal.SIGTERM)
    all_gone(processes)
    equal(app.err.all(), [])


@test
def a_killed_router_comes_back_where_it_was(t):
    app = t.start("run", t.file("app.lua", APP), "--workers", "2", "--router=0")
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait(READY % 2)
    os.kill(children(app.pid)[0], signal.SIGKILL)
    app.err.wait(r"^warn: router \(pid \d+\) was ended by signal 9")
    app.err.wait(r"^info: router \(pid \d+\) is ready again")
    for number in 1, 2:
        app.err.wait("^info: worker %d: .*joined realm1 again" % number)
    equal(sorted(t.calls(url, "c:call('who'), c:call('who')")), ["1", "2"])
    app.ends(0, signal.SIGTERM)


@test
def a_port_that_is_taken_ends_everything_with_4(t):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one_line(t.run(4, "run", t.file("app.lua", APP), "--workers", "2",
                       "--router=%d" % taken.getsockname()[1]), "^error: router: ")


@test
def a_router_configuration_that_is_wrong_ends_with_3(t):
    one_line(t.run(3, "run", t.file("app.lua", APP), "--workers", "2", "--router", "--config",
                   t.file("config.json", "{}")), "^error: .*config.json")


@test_each({text: (text,) for text in ["0", "-1", "two", "1.5", "257", "nan", ""]})
def a_number_of_workers_that_is_none_is_usage(t, text):
    one_line(t.run(2, "run", "app.lua", "--workers=" + text),
             r"^error: .*--workers: expected a number from 1 to 256, got '%s'" % re.escape(text))
