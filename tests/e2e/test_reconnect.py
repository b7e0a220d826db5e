"""test_reconnect.py: what an app does when its link to the router fails in each of the known ways,
and when the router is killed and comes back, again and again, under load."""
import os
import re
import signal
import subprocess
import time

from crossbar import Crossbar
from harness import PATIENCE, closed_port, equal, one_line, test
from proxy import Proxy

SERVICE = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
App.defaults = { reconnect = { initial = 0.05, factor = 1.5, max = 0.2 } }
App.echo = wampy.callee(function(_, x) return x end)
App.slow = wampy.callee(function() wampy.sleep(60) end)
App.heard = wampy.subscriber "com.example.news" (function(_, text) print("heard " .. text) end)
function App:on_join() print("joined " .. self.session.id) io.stdout:flush() end
function App:on_disconnect(reason) print("disconnected: " .. reason) io.stdout:flush() end
function App:on_leave(reason) print("left: " .. reason) io.stdout:flush() end
return App
"""


def port_of(url):
    return int(re.search(r":(\d+)/", url).group(1))


def serve(t, url, *flags):
    app = t.start("run", t.file("service.lua", SERVICE), "--url", url, *flags)
    app.out.wait("^ready")
    return app


def until(fn, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not fn():
        assert time.monotonic() < end, "not within %g s: %s" % (seconds, what)
        time.sleep(0.02)


def joins(app):
    return [line for line in app.out.lines if line.startswith("joined ")]


def serves_again(t, app, direct, times):
    """The app has joined so many times, each time as another session, and answers and hears."""
    until(lambda: len(joins(app)) >= times, "%d joins, got %s" % (times, app.out.lines))
    equal(len(set(joins(app))), len(joins(app)))
    equal(t.calls(direct, "c:call('echo', 'again')"), ["again"])
    t.calls(direct, "c:publish('com.example.news', 'number %d')" % times)
    app.out.wait("^heard number %d$" % times)


@test
def a_cut_link_is_made_anew_with_everything_on_it(t):
    _, direct = t.router()
    with Proxy(port_of(direct)) as proxy:
        app = serve(t, proxy.url)
        serves_again(t, app, direct, 1)
        for times in range(2, 7):
            proxy.cut()
            serves_again(t, app, direct, times)
        equal(len([1 for line in app.out.lines if line.startswith("disconnected")]), 5)
        app.ends(0, signal.SIGTERM)


@test
def a_link_cut_in_the_middle_of_a_message_is_made_anew(t):
    _, direct = t.router()
    with Proxy(port_of(direct)) as proxy:
        app = serve(t, proxy.url)
        proxy.limit = 5000
        t.calls(direct, "c:publish('com.example.news', ('x'):rep(20000))")
        app.out.wait("^disconnected: .*in the middle of a message")
        serves_again(t, app, direct, 2)
        app.ends(0, signal.SIGTERM)


@test
def a_slow_link_is_no_lost_link(t):
    _, direct = t.router()
    with Proxy(port_of(direct)) as proxy:
        app = serve(t, proxy.url, "--ping", "0.3")
        proxy.delay = 0.2
        equal(t.calls(direct, "c:call('echo', 1), c:call('echo', 2), c:call('echo', 3)"),
              ["1", "2", "3"])
        equal(len(joins(app)), 1)
        app.ends(0, signal.SIGTERM)


@test
def a_half_open_link_is_found_by_pings(t):
    _, direct = t.router()
    with Proxy(port_of(direct)) as proxy:
        app = serve(t, proxy.url, "--ping", "0.2")
        serves_again(t, app, direct, 1)
        proxy.freeze()
        app.out.wait("^disconnected: .*no answer to a ping")
        proxy.thaw()
        serves_again(t, app, direct, 2)
        app.ends(0, signal.SIGTERM)


@test
def a_registration_that_the_dead_session_holds_is_retried(t):
    _, direct = t.router()
    with Proxy(port_of(direct)) as proxy:
        holder = t.start(t.file("holder.lua", HOLDER), direct)
        holder.out.wait("^held$")
        app = t.start("run", t.file("service.lua", SERVICE), "--url", proxy.url, "--retries", "0",
                      "--log", "debug")
        app.ends(6)  # at the start it is an error
        holder.signal(signal.SIGTERM)
        holder.exit()
        app = serve(t, proxy.url)
        proxy.refusing = True
        proxy.cut()
        app.out.wait("^disconnected")
        holder = t.start(t.file("holder.lua", HOLDER), direct)
        holder.out.wait("^held$")
        proxy.refusing = False
        app.err.wait("procedure_already_exists.*trying again")  # after a loss it mends itself
        holder.signal(signal.SIGTERM)
        serves_again(t, app, direct, 2)
        app.ends(0, signal.SIGTERM)


HOLDER = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1] }:start()
c:register("echo", function() end)
print("held") io.stdout:flush()
wampy.run()
"""


PENDING = """
local wampy = require "wampy"
local c = wampy.Client { url = arg[1], reconnect = { initial = 0.05 } }:start()
local futures = {}
for i = 1, 25 do futures[i] = c:call_async("slow") end
c:call("echo", 1)
print("waiting") io.stdout:flush()
local t0, names = nil, {}
for _, f in ipairs(futures) do
  local ok, e = pcall(f.wait, f)
  t0 = t0 or wampy.now()
  names[e.name] = (names[e.name] or 0) + 1
end
print(names.ConnectionError, wampy.now() - t0 < 1)
print(pcall(c.call, c, "echo", 2))
while not c.connected do wampy.sleep(0.01) end
print(c:call("echo", 3))
c:stop()
"""


@test
def every_pending_call_fails_at_once_when_the_link_is_lost(t):
    _, direct = t.router()
    serve(t, direct)
    with Proxy(port_of(direct)) as proxy:
        caller = t.start(t.file("pending.lua", PENDING), proxy.url)
        caller.out.wait("^waiting$")
        proxy.cut()
        caller.ends(0)
        lines = caller.out.all()
        equal(lines[1].split(), ["25", "true"])
        assert lines[2].startswith("false") and "not connected" in lines[2], lines
        equal(lines[3], "3")


@test
def a_realm_that_is_gone_when_the_router_comes_back_ends_the_app_with_5(t):
    router, url = t.router()
    app = serve(t, url)
    router.ends(-signal.SIGKILL, signal.SIGKILL)
    t.router("--listen", str(port_of(url)), "--realm", "another")
    app.ends(5)
    one_line_of = [line for line in app.err.all() if "no_such_realm" in line]
    equal(len(one_line_of), 1)


@test
def an_app_that_may_not_retry_ends_with_8(t):
    router, url = t.router()
    app = t.start("run", t.file("service.lua", SERVICE.replace("{ initial = 0.05, factor = 1.5, "
                                                               "max = 0.2 }", "false")),
                  "--url", url)
    app.out.wait("^ready")
    router.ends(-signal.SIGKILL, signal.SIGKILL)
    app.ends(8)


# ---- restarts under load -------------------------------------------------------------------------
#
# The load keeps CALLS calls under way and publishes, acknowledged, one number after the other. Its
# two promises: every call is answered or fails within its timeout, and every number whose
# publication was acknowledged is heard, or was lost together with the listener's link, which was
# told of it (on_disconnect).

LOAD = """
local wampy = require "wampy"
local calls, timeout = 20, 10
local function client()
  return wampy.Client { url = arg[1], call_timeout = timeout, ping_interval = 1, ping_timeout = 5,
    reconnect = { initial = 0.05, factor = 1.5, max = 0.2 } }
end
local caller, listener = client(), client()
local count = { answered = 0, failed = 0, wrong = 0, late = 0, acked = 0, refused = 0 }
local acked, journal, stopping = {}, {}, false -- journal: numbers heard, "lost" where a link ended
function listener:on_disconnect() journal[#journal + 1] = "lost" end
local fresh = false -- whether no call has been answered since the caller joined
function caller:on_join() fresh = true end
listener:start()
caller:start()
listener:subscribe("com.example.count", function(n) journal[#journal + 1] = n end)

local running = 0
local function call_again(id)
  running = running + 1
  local n = 0
  while not stopping do
    n = n + 1
    local begun = wampy.now()
    local ok, e = pcall(caller.call, caller, "echo", id * 1000000 + n)
    if wampy.now() - begun > timeout + 2 then count.late = count.late + 1 end
    if not ok then
      count.failed = count.failed + 1
      wampy.sleep(0.005)
    elseif e == id * 1000000 + n then
      count.answered = count.answered + 1
      if fresh then print("answered") io.stdout:flush() end
      fresh = false
    else
      count.wrong = count.wrong + 1
    end
  end
  running = running - 1
end

local function publish_again()
  running = running + 1
  local n = 0
  while not stopping do
    n = n + 1
    local ok = pcall(caller.publish, caller, "com.example.count", n,
      wampy.options { acknowledge = true })
    if ok then acked[#acked + 1] = n count.acked = count.acked + 1
    else count.refused = count.refused + 1 wampy.sleep(0.005) end
  end
  running = running - 1
end

for id = 1, calls do wampy.spawn(call_again, id) end
wampy.spawn(publish_again)
while not wampy.readable(0, 1) do end -- standard input ends: stop
stopping = true
while running > 0 do wampy.sleep(0.01) end
wampy.sleep(0.5)

local silent = 0
local at, lost_before = {}, {}
local losses = 0
for i, what in ipairs(journal) do
  if what == "lost" then losses = losses + 1 else at[what] = i lost_before[what] = losses end
end
local before = 0 -- losses noted when the last number was heard
for i, n in ipairs(acked) do
  if at[n] then
    before = lost_before[n]
  else
    local after = losses
    for j = i + 1, #acked do
      if at[acked[j]] then after = lost_before[acked[j]] break end
    end
    if after == before then silent = silent + 1 end
  end
end
print(("answered %d failed %d wrong %d late %d acked %d refused %d heard %d silent %d"):format(
  count.answered, count.failed, count.wrong, count.late, count.acked, count.refused,
  #journal - losses, silent))
"""


class Load:
    """The load as a process; it stops when its standard input ends."""

    def __init__(self, t, url):
        self.process = t.start(t.file("load.lua", LOAD), url, stdin=subprocess.PIPE)
        self.process.out.wait("^answered$")

    def answered_since(self, restarts):
        """A call has been answered behind this restart."""
        until(lambda: self.process.out.lines.count("answered") > restarts,
              "answer behind restart %d" % restarts, 60)

    def finish(self):
        self.process.child.stdin.close()
        self.process.ends(0)
        words = self.process.out.all()[-1].split()
        return {words[i]: int(words[i + 1]) for i in range(0, len(words), 2)}


def check_promises(got, restarts):
    equal([got["wrong"], got["late"], got["silent"]], [0, 0, 0])
    assert got["answered"] > restarts, got
    assert got["failed"] >= 20, got


@test
def a_service_survives_a_hundred_restarts_of_our_router_under_load(t):
    port = closed_port()
    listen = ("--listen", str(port))
    router, url = t.router(*listen)
    app, load = serve(t, url), Load(t, url)
    for i in range(2, 102):
        number = signal.SIGKILL if i % 2 else signal.SIGTERM
        router.ends(-number if i % 2 else 0, number)
        router, _ = t.router(*listen)
        until(lambda i=i: len(joins(app)) >= i, "join %d" % i)
        equal(t.calls(url, "c:call('echo', %d)" % i), [str(i)])
        load.answered_since(i - 1)
    check_promises(load.finish(), 100)
    equal(len(joins(app)), 101)
    app.ends(0, signal.SIGTERM)


@test
def a_service_survives_three_restarts_of_crossbar_under_load(t):
    node = Crossbar()
    node.__enter__()
    try:
        url = "ws://127.0.0.1:%d/" % node.port
        app = serve(t, url, "--ping", "1")
        load = Load(t, url)
        for i in range(2, 5):
            os.killpg(node.process.pid, signal.SIGKILL if i % 2 else signal.SIGTERM)
            node.process.wait(30)
            node.__exit__()
            again = Crossbar()
            again.port, node = node.port, again
            node.__enter__()
            until(lambda i=i: len(joins(app)) >= i, "join %d" % i, 60)
            equal(t.calls(url, "c:call('echo', %d)" % i), [str(i)])
            load.answered_since(i - 1)
        check_promises(load.finish(), 3)
        app.ends(0, signal.SIGTERM)
    finally:
        node.__exit__()
