"""test_trace.py: --trace and WAMPY_TRACE: messages on stderr, without secrets."""
import os
import signal
import subprocess

import harness
from harness import PATIENCE, equal, one_line, test

APP = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
App.add = wampy.callee "com.add" (function(self, a, b) return a + b end)
function App:on_join()
  self:call("com.add", 1, wampy.kwargs { b = 2 })
  wampy.stop()
end
return App
"""
CALLED = [
    'trace: N > CALL [48,2,{},"com.add",[1],{"b":2}]',
    'trace: N < INVOCATION [68,1,1,{},[1],{"b":2}]',
    'trace: N > YIELD [70,1,{},[3]]',
    'trace: N < RESULT [50,2,{},[3]]',
]


def traced(t, *args, **kw):
    """The lines on stderr, an N for the session id."""
    process = t.start("run", t.file("app.lua", APP), "--router=0", *args, **kw).ends(0)
    lines = process.err.all()
    return [" ".join(["trace:", "N"] + line.split(" ")[2:]) for line in lines]


@test
def shows_what_is_asked_for_in_both_directions(t):
    equal(traced(t, "--trace=call"), CALLED)
    equal(traced(t, "--trace=uri:com.add", "-s", "msgpack")[2:], CALLED)
    equal(traced(t, "-q", env={"WAMPY_TRACE": "call"}), CALLED)
    equal(traced(t, "--trace=event", env={"WAMPY_TRACE": "call"}), [])
    equal([line.split()[3] for line in traced(t, "--trace")],
          ["HELLO", "WELCOME", "REGISTER", "REGISTERED", "CALL", "INVOCATION", "YIELD", "RESULT",
           "GOODBYE", "GOODBYE"])


@test
def says_what_is_wrong_with_it(t):
    wrong = "^error: %s: expected call, pub, .*got 'nonsense' \\[W205\\]$"
    app = t.file("app.lua", APP)
    one_line(t.run(2, "run", app, "--trace=nonsense"), wrong % "--trace")
    one_line(t.run(2, "run", app, env={"WAMPY_TRACE": "nonsense"}), wrong % "WAMPY_TRACE")


@test
def a_script_is_traced_by_the_variable(t):
    _, url = t.router()
    text = """
local c <close> = require "wampy".Client { url = arg[1] }:start()
c:publish("com.topic", 1)
"""
    process = t.start(t.file("s.lua", text), url, env={"WAMPY_TRACE": "pub"}).ends(0)
    one_line(process, r'^trace: \d+ > PUBLISH \[16,1,\{\},"com\.topic",\[1\]\]$')


@test
def the_router_is_traced_without_tickets(t):
    config = t.file("config.json", """
{ "version": 2, "workers": [ { "type": "router",
  "realms": [ { "name": "realm1", "roles": [ { "name": "user", "permissions": [] } ] } ],
  "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 0 },
    "auth": { "ticket": { "type": "static",
      "principals": { "joe": { "ticket": "geheim", "role": "user" } } } } } ] } ] }
""")
    router = t.start("router", "--config", config, "--trace")
    url = router.out.wait(r"^router +(ws\S+)").group(1)
    t.script("""
local c <close> = require "wampy".Client { url = arg[1],
  auth = { authid = "joe", ticket = "geheim" } }:start()
""", url)
    router.err.wait(r'^trace: - < AUTHENTICATE \[5,"\*\*\*",\{\}\]$')
    router.err.wait(r"^trace: \d+ > WELCOME ")
    router.ends(0, signal.SIGTERM)
    assert not router.err.find("geheim"), router.err.lines


@test
def a_log_in_a_file_has_no_escapes(t):
    process = t.start("run", t.file("app.lua", APP), "--router=0", "--trace", "-v").ends(0)
    text = "\n".join(process.out.all() + process.err.all())
    assert all(c == "\n" or c.isprintable() for c in text), text


def log_line(file, *args, env=None):
    """What a router that cannot listen writes on this descriptor."""
    command = harness.PROGRAM + ["router", "--listen", "256.256.256.256:1", *args]
    kept = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(command, stderr=file, check=False, timeout=PATIENCE,
                   env=kept | {"TERM": "xterm"} | (env or {}))


def on_terminal(*args, env=None):
    reader, terminal = os.openpty()
    log_line(terminal, *args, env=env)
    said = os.read(reader, 10000).decode()
    os.close(terminal)
    os.close(reader)
    return said


@test
def a_terminal_gets_color_unless_it_does_not_want_it(_):
    red = "\x1b[31merror\x1b[0m: "
    assert on_terminal().startswith(red)
    assert on_terminal(env={"NO_COLOR": "1"}).startswith("error: ")
    assert on_terminal(env={"TERM": "dumb"}).startswith("error: ")
    assert on_terminal("--color", "never").startswith("error: ")
    assert on_terminal("--color", "always", env={"NO_COLOR": "1"}).startswith(red)


@test
def the_journal_gets_priorities(t):
    path = os.path.join(t.folder, "log")
    with open(path, "w", encoding="utf-8") as file:
        stat = os.fstat(file.fileno())
        log_line(file, env={"JOURNAL_STREAM": "%d:%d" % (stat.st_dev, stat.st_ino)})
        log_line(file, env={"JOURNAL_STREAM": "1:2"})
    with open(path, encoding="utf-8") as file:
        equal([line.split(":")[0] for line in file], ["<3>error", "error"])
