"""test_mistakes.py: what people do wrong, each with the one line that they get, its code, the exit
code, and what to do next.

A row of MISTAKES is (exit code, code, pattern of the line, arguments...). Words in the arguments
stand for what has been made ready: URL, a router of ours with a service; CLOSED, a port at which
nobody listens; and so on (Scene). stderr is a terminal, as for somebody who looks on: below the line
are at most the app's own frames, and the last line says what to try and where more is said.
"""
import json
import os
import re
import signal
import socket
import subprocess
import threading

import harness
from certs import Certs
from harness import PATIENCE, closed_port, equal, test, test_each
from raw_router import RawRouter

SERVICE = """
local wampy = require "wampy"
local Shop = wampy.Client:extend("Shop")
Shop.add = wampy.callee "com.shop.add" (function(self, a, b) return a + b end)
Shop.slow = wampy.callee "com.shop.slow" (function(self) wampy.sleep(900) end)
Shop.refuse = wampy.callee "com.shop.refuse" (function(self)
  error(wampy.error("com.shop.closed", "come back tomorrow"))
end)
return Shop
"""

APP = """local wampy = require "wampy"
local App = wampy.Client:extend("App")
%s
return App
"""

ACCOUNTS = {"version": 2, "workers": [{"type": "router", "realms": [{"name": "realm1", "roles": [
    {"name": "user", "permissions": [
        {"uri": "com.shop.", "match": "prefix", "allow": {"call": True}}]}]}],
    "transports": [{"type": "websocket", "endpoint": {"type": "tcp", "port": 0}, "auth": {
        "ticket": {"type": "static", "principals": {"joe": {"ticket": "let me in", "role": "user"}}}
    }}]}]}


def web_server(link):
    link.request()
    link.answer("404 Not Found", "Content-Length: 0", "Connection: close")


def something_else(link):
    link.request()
    link.raw(b"220 mail.example.com ready\r\n")


def deaf(link):
    link.request()
    link.more()


PEERS = {"WEB": web_server, "OTHER": something_else, "DEAF": deaf}


class Scene:
    """What the words in capitals of a row stand for; made when a row has them."""

    def __init__(self, t):
        self.t, self.peers, self.sockets = t, [], []

    def close(self):
        for peer in self.peers:
            peer.__exit__(None, None, None)
        for one in self.sockets:
            one.close()

    def make(self, word):
        if word in PEERS:
            self.peers.append(RawRouter(PEERS[word]))
            return self.peers[-1].__enter__().url
        return getattr(self, word.lower())()

    def url(self):
        url = self.t.router()[1]
        self.t.start("run", self.t.file("shop.lua", SERVICE), "--url", url).out.wait("^ready")
        return url

    def accounts(self):
        return self.t.router("--config", self.t.file("accounts.json", json.dumps(ACCOUNTS)))[1]

    def plain(self):
        return self.t.router()[1].replace("ws:", "wss:")

    def raw(self):
        return self.t.router()[1].replace("ws:", "rs:")

    def closed(self):
        return "ws://127.0.0.1:%d/" % closed_port()

    def taken(self):
        self.sockets.append(socket.create_server(("127.0.0.1", 0)))
        return "127.0.0.1:%d" % self.sockets[-1].getsockname()[1]

    def secure(self):
        certs = Certs(os.path.join(self.t.folder, "certs"))
        cert, key = certs.issue("router")
        url = self.t.router("--listen", "wss://127.0.0.1:0/", "--cert", cert, "--cert-key", key)[1]
        return url.replace("127.0.0.1", "localhost")


def fill(scene, words):
    made = {}
    for word in words:
        for name in re.findall(r"\b[A-Z]{3,}\b", word):
            if name in PEERS or hasattr(Scene, name.lower()):
                made[name] = made.get(name) or scene.make(name)
    for name, value in made.items():
        words = [re.sub(r"\b%s\b" % name, value, word) for word in words]
    return words


def at_a_terminal(t, *args, env=None):
    """Runs the program with a terminal for stderr: the exit code, and the lines there."""
    reader, terminal = os.openpty()
    child = subprocess.Popen(harness.PROGRAM + list(args), cwd=t.folder, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=terminal,
                             env=t.env | {"NO_COLOR": "1", "TERM": "xterm"} | (env or {}))
    os.close(terminal)
    said = []

    def read():
        try:
            while True:
                said.append(os.read(reader, 65536))
        except OSError:  # all who could write have gone
            pass
    thread = threading.Thread(target=read)
    thread.start()
    try:
        child.communicate(timeout=PATIENCE)
    finally:
        child.kill()
        thread.join(PATIENCE)
        os.close(reader)
    return child.returncode, b"".join(said).decode().replace("\r\n", "\n").splitlines()


def explained(t, code):
    """What the program says of a code."""
    text = "\n".join(t.run(0, "help", code).out.all())
    assert text.startswith(code + "  ") and "\nCause: " in text and "\nCure: " in text, text
    return text


FRAME = r"^(stack traceback:|\t.*)$"


def check(t, said, code, line):
    error, rest, last = said[0], said[1:-1], said[-1]
    assert re.search(line, error), "%r is not like %r" % (error, line)
    assert error.startswith("error: ") and error.endswith(" [%s]" % code), error
    strange = [one for one in rest if not re.search(FRAME, one)]
    assert not strange and len(said) > 1, said
    assert not any("wampy/" in one for one in rest), "frames that are not the app's: %s" % rest
    assert re.search(r"^try: .*wampy-lua help %s$" % code, last), last
    explained(t, code)


MISTAKES = {
    # ---- where the router is
    "wrong port": (4, "W401", "connection refused", "call", "com.shop.add", "--url", "CLOSED"),
    "wrong host": (4, "W402", "unknown host nowhere.invalid", "ping", "--url", "ws://nowhere.invalid/"),
    "no scheme": (2, "W311", "localhost:8080.*expected ws://", "ping", "--url", "localhost:8080"),
    "TLS at a port without": (4, "W415", "is it wss:// that is spoken", "ping", "--url", "PLAIN"),
    "a web server": (4, "W404", "404", "ping", "--url", "WEB"),
    "another service": (4, "W415", "closed the connection", "ping", "--url", "OTHER"),
    "RawSocket at a port without": (4, "W407", "RawSocket", "ping", "--url", "RAW"),
    "nobody answers": (7, "W701", "0.5 s", "ping", "--url", "DEAF", "--connect-timeout", "0.5"),
    "unknown CA": (4, "W408", "unknown CA|not trusted|self", "ping", "--url", "SECURE"),
    # ---- who and where one is
    "wrong realm": (5, "W501", "no_such_realm", "ping", "--url", "URL", "--realm", "reaml1"),
    "wrong secret": (5, "W502", "authentication_failed", "ping", "--url", "ACCOUNTS", "--authid",
                     "joe", "--ticket-file", "wrong.txt"),
    "unknown name": (5, "W502", "authentication_failed|no_such", "ping", "--url", "ACCOUNTS",
                     "--authid", "jeo", "--ticket-file", "right.txt"),
    "no secret": (5, "W502", "offers: ticket", "ping", "--url", "ACCOUNTS"),
    "not allowed": (6, "W603", "not_authorized", "call", "com.bank.pay", "--url", "ACCOUNTS",
                    "--authid", "joe", "--ticket-file", "right.txt"),
    # ---- what is asked for
    "misspelt procedure": (6, "W601", "did you mean com.shop.add", "call", "com.shop.ad", "1",
                           "--url", "URL"),
    "invalid URI": (2, "W208", "com shop", "call", "com shop", "--url", "URL"),
    "too many arguments": (6, "W604", "takes 2.*got 3", "call", "com.shop.add", "1", "2", "3",
                           "--url", "URL"),
    "an argument of the wrong type": (6, "W606", "arithmetic", "call", "com.shop.add", "{}", "2",
                                      "--url", "URL"),
    "what the callee refuses": (6, "W600", "come back tomorrow", "call", "com.shop.refuse",
                                "--url", "URL"),
    "too little time": (7, "W702", "com.shop.slow", "call", "com.shop.slow", "--timeout", "0.2s",
                        "--url", "URL"),
    "a name that is taken": (6, "W602", "com.shop.add", "register", "com.shop.add", "--echo",
                             "--url", "URL"),
    "events that do not come": (7, "W700", "0 of 1", "sub", "-q", "com.shop.news", "--count", "1",
                                "--timeout", "0.2s", "--url", "URL"),
    # ---- the command line
    "unknown verb": (2, "W202", "[Dd]id you mean", "rnu", "app.lua"),
    "unknown flag": (2, "W201", "[Dd]id you mean.*--realm", "ping", "--reaml", "x"),
    "a flag without its value": (2, "W204", "--url", "ping", "--url"),
    "a time that is none": (2, "W205", "5y", "call", "com.x", "--timeout", "5y"),
    "arguments that are no JSON": (2, "W206", "--args", "call", "com.x", "--args", "[1,"),
    "no such profile": (2, "W210", "live", "ping", "--profile", "live"),
    "flags against each other": (2, "W207", "not both", "router", "--config", "x.json", "--realm", "r"),
    # ---- apps
    "no such file": (3, "W301", "ap.lua does not exist", "run", "ap.lua"),
    "not Lua": (3, "W302", r"app\.lua:3: ", "run", "app.lua"),
    "no such class": (3, "W303", "Shpo.*did you mean Shop", "run", "shop.lua:Shpo"),
    "an error at load": (3, "W300", r"app\.lua:3: .*did you mean wampy\.callee", "run", "app.lua"),
    "the wrong thing returned": (3, "W304", "returned a number", "run", "app.lua"),
    "a handler without self": (3, "W305", r"app\.lua:3: .*self, not name", "run", "app.lua"),
    "a misspelt option": (3, "W306", r"app\.lua:3: .*did you mean invoke", "run", "app.lua"),
    "an invalid URI in an app": (3, "W307", r'app\.lua:3: .*"a b"', "run", "app.lua"),
    "a procedure declared twice": (3, "W308", r"app\.lua:[34]: .*same", "run", "app.lua"),
    "a misspelt field": (3, "W312", r"app\.lua:3: .*did you mean realm", "run", "app.lua"),
    "a field of the wrong type": (3, "W313", r"app\.lua:3: .*connect_timeout", "run", "app.lua"),
    "a class that is not returned": (3, "W304", "its class App is not run.*return App", "run", "app.lua"),
    "a decorator without its function": (3, "W310", r'app\.lua:3: App\.x has no function: write callee "com\.x"',
                                         "run", "app.lua"),
    "a function within the brackets": (3, "W310", r"app\.lua:3: callee: expected one argument, got 2",
                                       "run", "app.lua"),
    "a folder": (3, "W301", r"^error: \. is a folder; did you mean \./app\.lua\?", "run", "."),
    "a call at load that nobody answers": (3, "W601", r"app\.lua:3: com\.nosuch: ", "run", "app.lua",
                                           "--url", "URL"),
    "a value that cannot be sent": (3, "W320", r"app\.lua:3: args\[1\]", "run", "app.lua", "--url",
                                    "URL"),
    # ---- routers
    "a port in use": (4, "W410", "in use", "router", "--listen", "TAKEN"),
    "no such configuration": (3, "W350", "x.json: No such file", "router", "--config", "x.json"),
    "a configuration that is no JSON": (3, "W351", "conf.json: not JSON", "router", "--config",
                                        "conf.json"),
    "a wrong value in a configuration": (3, "W354", r"conf\.json\.workers", "router", "--config",
                                         "conf.json"),
    "no such certificate": (4, "W411", "none.pem", "router", "--listen", "wss://127.0.0.1:0/",
                            "--cert", "none.pem", "--cert-key", "none.key"),
    "a folder that is not there": (2, "W212", "public", "router", "--web", "public"),
}

FILES = {
    "not Lua": APP % "App.x = = 1",
    "an error at load": APP % "App.x = wampy.calee(function(self) end)",
    "the wrong thing returned": "return 7",
    "a handler without self": APP % "App.x = wampy.callee(function(name) end)",
    "a misspelt option": APP % "App.x = wampy.callee { invok = 'single' } (function(self) end)",
    "an invalid URI in an app": APP % "App.x = wampy.callee 'a b' (function(self) end)",
    "a procedure declared twice": APP % (
        "App.x = wampy.callee 'same' (function(self) end)\n"
        "App.y = wampy.callee 'same' (function(self) end)"),
    "a misspelt field": APP % "local client = App { relm = 'x' }",
    "a field of the wrong type": APP % "local client = App { connect_timeout = '5s' }",
    "a class that is not returned": (APP % "App.x = wampy.callee 'x' (function(self) end)").replace(
        "return App", ""),
    "a decorator without its function": APP % "App.x = wampy.callee 'com.x'",
    "a function within the brackets": APP % "App.x = wampy.callee('com.x', function(self) end)",
    "a folder": "",
    "a call at load that nobody answers": APP % "App():start():call('com.nosuch')",
    "a value that cannot be sent": APP % "App():start():call('com.shop.add', print)",
    "a configuration that is no JSON": "{",
    "a wrong value in a configuration": '{"version": 2, "workers": {}}',
}


@test_each({name: (name, *row) for name, row in MISTAKES.items()})
def a_line_a_code_and_a_next_step_for(t, name, exit_code, code, line, *words):
    t.file("wrong.txt", "let me out\n")
    t.file("right.txt", "let me in\n")
    t.file("shop.lua", SERVICE)
    if name in FILES:
        t.file("conf.json" if "configuration" in name else "app.lua", FILES[name])
    scene = Scene(t)
    try:
        args = fill(scene, words)
        got, said = at_a_terminal(t, *args)
    finally:
        scene.close()
    assert got == exit_code and said, "ended with %d, not %d: %s" % (got, exit_code, said)
    check(t, said, code, line)


@test_each({
    "a realm": ({"WAMPY_REALM": "a b"}, "WAMPY_REALM: invalid realm 'a b'"),
    "a URL": ({"WAMPY_URL": "here"}, 'WAMPY_URL: invalid url "here"'),
})
def a_variable_is_named_that_is_not(t, env, line):
    harness.one_line(t.run(2, "ping", env=env), "^error: " + line)
    _, url = t.router()
    t.run(0, "ping", "--url", url, "--realm", "realm1", env=env)


@test
def the_next_step_names_the_verb(t):
    equal(at_a_terminal(t, "ping", "--reaml")[1][1], "try: wampy-lua ping --help; wampy-lua help W201")
    equal(at_a_terminal(t, "--reaml")[1][1], "try: wampy-lua --help; wampy-lua help W201")


@test
def of_a_flag_of_one_letter_no_others_are_proposed(t):
    harness.one_line(t.run(2, "ping", "-x"), r"^error: unknown option '-x' \[W201\]$")


@test
def who_reads_json_gets_no_other_lines(t):
    port = "127.0.0.1:%d" % closed_port()
    for args in (["call", "com.x", "--url", "ws://" + port], ["router", "--listen", "256.256.256.256:1"]):
        _, said = at_a_terminal(t, *args, "--log-format", "json")
        equal([json.loads(line)["level"] for line in said], ["error"])


# ---- in an app that goes on

GOES_ON = {
    "a handler": ("W901", r"in the handler of com\.x \(app\.lua:3\).*app\.lua:4: .*did you mean "
                  r"self:publish\?", """App.x = wampy.callee "com.x" (function(self)
  self:pubilsh("com.y", 1)
end)
function App:on_join() self:call_async("com.x") end"""),
    "a subscriber": ("W901", r"in the handler of com\.y \(app\.lua:3\).*app\.lua:3: .*nil value",
                     """App.x = wampy.subscriber "com.y" (function(self, a) return a.b.c end)
function App:on_join()
  self:publish { topic = "com.y", message = {}, options = { exclude_me = false } }
end"""),
    "a timer": ("W902", r"in timer x of App: app\.lua:4: .*did you mean wampy\.sleep\?",
                """App.x = wampy.timer { interval = 0.05 } (function(self)
  wampy.slep(1)
end)"""),
    "a hook": ("W902", r"in on_join of App: app\.lua:3: .*did you mean self:subscribe\?",
               "function App:on_join() self:subscribbe('com.x', print) end"),
    "an argument": ("W901", r"in the handler of com\.x \(app\.lua:3\): app\.lua:4: bad argument #1 to 'call'",
                    """App.x = wampy.callee "com.x" (function(self)
  local answer = self:call(nil)
  return answer
end)
function App:on_join() self:call_async("com.x") end"""),
    "a yield": ("W901", r"in the handler of com\.x \(app\.lua:3\): app\.lua:4: coroutine\.yield outside",
                """App.x = wampy.callee "com.x" (function(self)
  coroutine.yield()
end)
function App:on_join() self:call_async("com.x") end"""),
    "a task": ("W900", r"in a spawned task: app\.lua:3: no luck",
               "wampy.spawn(function() error('no luck') end)"),
    "an event's keywords": ("W911", r"subscriber of com\.y \(app\.lua:3\).*\(city\).*\(town\)",
                            """App.x = wampy.subscriber "com.y" (function(self, town) end)
function App:on_join()
  self:publish { topic = "com.y", city = "Oslo", options = { exclude_me = false } }
end"""),
}


@test_each(GOES_ON)
def an_app_goes_on_after_a_mistake_in(t, code, line, body):
    t.file("app.lua", APP % body)
    app = t.start("run", "app.lua", "--router=0")
    app.out.wait("^ready")
    app.err.wait(r"^(error|warn): %s.* \[%s\]$" % (line, code))
    explained(t, code)
    app.ends(0, signal.SIGTERM)
    frames = [one for one in app.err.all() if one.startswith("\t")]
    assert all(one.startswith("\tapp.lua:") for one in frames), frames


@test_each({"a folder wampy": ("wampy/app.lua",), "a file *_wampy.lua": ("my_wampy.lua",)})
def frames_are_the_apps_too_where_it_is_in(t, path):
    t.file(path, APP % "local function f() error('no luck') end\nf()")
    app = t.run(3, "run", path).err.all()
    equal(app[0], "error: %s:3: no luck [W300]" % path)
    equal(app[2:], ["\t%s:3: in local 'f'" % path, "\t%s:4: in main chunk" % path])


@test
def a_router_that_is_killed_ends_an_app_that_does_not_try_again(t):
    router, url = t.router()
    app = t.start("run", t.file("app.lua", SERVICE), "--url", url, "--retries", "0")
    app.out.wait("^ready")
    router.ends(-9, signal.SIGKILL)
    app.ends(8)
    harness.one_line(app, r"^error: .*connection was lost.* \[W801\]$")
    explained(t, "W801")


@test
def a_router_that_is_killed_is_waited_for(t):
    router, url = t.router()
    app = t.start("run", t.file("app.lua", SERVICE), "--url", url)
    app.out.wait("^ready")
    router.ends(-9, signal.SIGKILL)
    app.err.wait(r"^warn: .*lost; joining again \[W801\]$")
    app.err.wait(r"^warn: .*connection refused.*; trying again in .* \[W401\]$")
    app.ends(0, signal.SIGTERM)


# ---- scripts: as lua says it, with what may have been meant

@test_each({
    "a name": ('local client = wampy.Client {}\nclient:pubilsh("com.x")',
               r"script\.lua:3: .*'pubilsh'\); did you mean client:publish\?$"),
    "a module": ("client = wampi.Client {}", r"script\.lua:2: .*'wampi'\); did you mean wampy\?$"),
    "an argument": ('local n = wampy.sleep("long")\nprint(n)', r"script\.lua:2: bad argument #1 to 'sleep'"),
    "a value": ('wampy.Client { realm = 7 }', r"script\.lua:2: .*field realm.* \[W313\]$"),
    "a router": ('wampy.Client { url = "%s" }:start()', r"script\.lua:2: .*refused.* \[W401\]$"),
})
def a_script_ends_with_1_and_the_line_for(t, text, line):
    if "%s" in text:
        text = text % ("ws://127.0.0.1:%d/" % closed_port())
    t.file("script.lua", 'local wampy = require "wampy"\n' + text)
    done = t.run(1, "script.lua")
    assert re.search("^wampy-lua: " + line, done.err.all()[0]), done.err.all()


@test
def there_are_thirty_and_more(_):
    assert len(MISTAKES) >= 30
