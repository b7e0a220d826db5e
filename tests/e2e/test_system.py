"""test_system.py: the apps of apps/, many callers at once, idleness, handlers that never end, the
installed program."""
import os
import re
import shutil
import signal
import subprocess
import time

import apps
from harness import PROGRAM, ROOT, equal, test

APPS = ["apps/%s/main.lua" % name for name in sorted(os.listdir(os.path.join(ROOT, "apps")))
        if name < "10" and not name.endswith("-test")]  # those have a procedure from another app
IDLE_SECONDS = 5
ASK_ALL = """
local wampy = require "wampy"
local kwargs = wampy.kwargs
local c <close> = wampy.Client { url = arg[1], call_timeout = 20 }:start()
local heard = wampy.queue()
c:subscribe("wampy-weather", function(message) heard:put(message) end)
print(c.rpc.say_hello("wampy"))
print(c.rpc.get_todays_date() == os.date("%Y-%m-%d"))
print(c.rpc.get_binary_number(kwargs { number = 100 }))
print(c.rpc.get_foo())
c:publish("foo", "bar", wampy.options { acknowledge = true })
while c.rpc.get_foo_count() < 1 do wampy.sleep(0) end
print(c.rpc.get_weather("Quito").degrees)
local ok, e = pcall(c.rpc.get_weather, "Atlantis")
print(ok, e.uri)
c:publish { topic = "global-weather", message = "rain" }
print(heard:get(10))
print(c.rpc.order("apple", 3).cents)
local sealing = dofile(arg[2]).Sealing(("k"):rep(32))
local sealed <close> = wampy.Client { url = arg[1], message_handler = sealing }:start()
print(sealed:call("com.example.notes.add", "milk"))
"""
ANSWERS = ["Hello wampy", "true", "0b1100100", "foo", "15",
           "false\tcom.example.weather.no_such_city", "rain", "90", "1"]


def serves_all_apps(t, **kw):
    app = t.start("run", *APPS, "--router=0", cwd=ROOT, env={"WAMPY_PAYLOAD_KEY": "6b" * 32})
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait("^ready")
    equal(t.script(ASK_ALL, url, os.path.join(ROOT, APPS[7]), **kw), ANSWERS)
    app.out.wait("^foo message received: bar$")
    app.ends(0, signal.SIGTERM)
    equal(app.err.all(), [])


@test
def the_eight_apps_answer_a_script(t):
    equal(len(APPS), 8)
    serves_all_apps(t)


@test
def the_eight_apps_answer_plain_lua(t):
    serves_all_apps(t, program=[shutil.which("lua5.4")], env={
        "LUA_PATH": os.path.join(ROOT, "lua/?.lua") + ";;",
        "LUA_CPATH": os.path.join(os.path.dirname(PROGRAM[0]), "?.so") + ";;"})


CALLERS = """
local wampy = require "wampy"
local function caller(n)
  local c <close> = wampy.Client { url = arg[1], call_timeout = 60 }:start()
  local right = 0
  for i = 1, 1000 do
    local text = ("%d:%d"):format(n, i)
    if c:call("echo", text) == text then right = right + 1 end
  end
  return right
end
local all = {}
for n = 1, 10 do all[n] = wampy.spawn(caller, n) end
print(table.unpack({ wampy.gather(table.unpack(all)) }))
"""
ECHO = """
local wampy = require "wampy"
local Echo = wampy.Client:extend("Echo")
Echo.echo = wampy.callee(function(_, text)
  if text:find("7$") then wampy.sleep(0) end -- some answers overtake others
  return text
end)
return Echo
"""


@test
def ten_callers_of_a_thousand_calls_get_their_own_answers(t):
    _, url = t.router()
    app = t.start("run", t.file("echo.lua", ECHO), "--url", url)
    app.out.wait("^ready")
    equal(t.script(CALLERS, url), ["\t".join(["1000"] * 10)])
    app.ends(0, signal.SIGTERM)


@test
def ten_processes_of_callers_get_their_own_answers(t):
    app = t.start("run", t.file("echo.lua", ECHO), "--router=0")
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait("^ready")
    one = t.file("one.lua", CALLERS.replace("for n = 1, 10", "for n = arg[2], arg[2]")
                 .replace("all[n]", "all[#all + 1]"))
    for process in [t.start(one, url, n) for n in range(10)]:
        equal(process.ends(0).out.all(), ["1000"])


@test
def an_idle_app_uses_no_cpu(t):
    router, url = t.router()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait("^ready")
    before = app.cpu(), router.cpu()
    time.sleep(IDLE_SECONDS)  # what is measured, not an order
    used = [after - first for after, first in zip((app.cpu(), router.cpu()), before)]
    budget = 0.05 * IDLE_SECONDS / 60  # 0.05 s in a minute
    assert used[0] < budget and used[1] < budget, "used %s s, budget %s" % (used, budget)


@test
def a_handler_that_computes_for_ever_is_named_and_TERM_ends_it(t):
    _, url = t.router()
    app = t.start("run", t.file("slow.lua", apps.SLOW), "--url", url)
    app.out.wait("^ready")
    t.start("-e", 'c = require("wampy").Client { url = "%s" }:start() c:call("spin")' % url)
    app.err.wait(r"warn: .*slow\.lua:4 has been computing for a second")
    app.ends(0, signal.SIGTERM)


@test
def what_handlers_raise_is_logged_with_its_line_and_the_app_goes_on(t):
    _, url = t.router()
    path = t.file("app.lua", apps.HELLO)
    app = t.start("run", path, "--url", url)
    app.out.wait("^ready")
    said = t.calls(url, "pcall(c.call, c, 'say_hello')")  # concatenates nil
    assert said[0] == "false" and "concatenate" in said[1] and "app.lua" not in said[1], said
    app.err.wait(r"error: in the handler of say_hello .*concatenate")
    equal(t.calls(url, "c:call('say_hello', 'again')"), ["Hello again"])
    app.ends(0, signal.SIGTERM)


@test
def run_is_callable_soon_and_small(t):
    began = time.monotonic()
    app = t.start("run", "apps/01-hello/main.lua", "--router=0", cwd=ROOT)
    app.out.wait("^ready")
    took = time.monotonic() - began
    with open("/proc/%d/status" % app.pid, encoding="ascii") as file:
        kib = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    app.ends(0, signal.SIGTERM)
    assert took < 1 and kib <= 10 * 1024, "%.3f s, %d KiB" % (took, kib)


@test
def the_installed_program_and_module_work(t):
    mode = os.path.basename(os.path.dirname(PROGRAM[0]))
    subprocess.run(["make", "-C", ROOT, "MODE=" + mode, "install", "DESTDIR=" + t.folder,
                    "PREFIX=/usr"], check=True, env=t.env, timeout=120, capture_output=True)
    usr = os.path.join(t.folder, "usr")
    app = t.start("run", t.file("app.lua", apps.HELLO), "--router=0",
                  program=[os.path.join(usr, "bin/wampy-lua")])
    url = app.out.wait(r"^router +(ws\S+)").group(1)
    app.out.wait("^ready")
    equal(t.calls(url, "c:call('say_hello', 'you')", program=[shutil.which("lua5.4")], env={
        "LUA_PATH": os.path.join(usr, "share/lua/5.4/?.lua"),
        "LUA_CPATH": os.path.join(usr, "lib/lua/5.4/?.so")}), ["Hello you"])
    app.ends(0, signal.SIGTERM)
