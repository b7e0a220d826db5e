"""test_verbs.py: call, publish, subscribe, register, ls and ping from a shell: what they print. What
they say when something goes wrong is in test_verb_codes.py."""
import json
import os
import signal

from harness import closed_port, equal, one_line, test, test_each

SERVICE = """
local wampy = require "wampy"
local Service = wampy.Client:extend("Service")
Service.echo = wampy.callee "com.echo" (function(self, ...) return ... end)
Service.pair = wampy.callee "com.pair" (function(self) return 1, wampy.kwargs { k = "v" } end)
Service.lost = wampy.callee "com.lost" (function(self) return self:call("com.not.there") end)
Service.fail = wampy.callee "com.fail" (function(self) error(wampy.error("com.bad", "why")) end)
Service.parts = wampy.callee "com.parts" (function(self, n)
  for i = 1, n do wampy.progress(i) end
  return "end"
end)
return Service
"""


def service(t):
    """The URL of a router with the service."""
    app = t.start("run", t.file("service.lua", SERVICE), "--router=0", "--grace", "0")
    url = app.out.wait(r"^router +(\S+)").group(1)
    app.out.wait("^ready")
    return url


def says(t, url, *args, **kw):
    return t.run(0, args[0], "--url", url, *args[1:], **kw).out.all()


@test
def call_prints_what_comes_back(t):
    url = service(t)
    equal(says(t, url, "call", "com.echo", "word"), ['"word"'])
    equal(says(t, url, "call", "com.echo", "word", "--raw"), ["word"])
    equal(says(t, url, "call", "com.echo", "7", "-S"), ['"7"'])
    equal(says(t, url, "call", "com.echo", '{"a": [1.5, null]}'), ['{"a":[1.5,null]}'])
    equal(says(t, url, "call", "com.echo", "9007199254740993"), ["9007199254740993"])
    equal(says(t, url, "call", "com.echo", "--", "-1"), ["-1"])
    equal(json.loads(says(t, url, "call", "com.pair")[0]), {"args": [1], "kwargs": {"k": "v"}})
    equal(json.loads(says(t, url, "call", "com.echo")[0]), {"args": [], "kwargs": {}})
    whole = says(t, url, "call", "com.echo", "1", "-k", "a=2", "-k", "b=x y", "--json")
    equal(json.loads(whole[0]), {"args": [1], "kwargs": {"a": 2, "b": "x y"}})
    whole = says(t, url, "call", "com.echo", "--args", "[1, 2]", "--kwargs", '{"c": {}}')
    equal(json.loads(whole[0]), {"args": [1, 2], "kwargs": {"c": {}}})


@test
def call_reads_values_from_files_and_stdin(t):
    url = service(t)
    path = t.file("value.json", '{"from": "a file"}\n')
    equal(says(t, url, "call", "com.echo", "@" + path), ['{"from":"a file"}'])
    child = t.start("call", "com.echo", "@-", "--url", url, stdin='["from stdin"]')
    equal(child.ends(0).out.all(), ['["from stdin"]'])


@test
def call_many_times_and_in_parts(t):
    url = service(t)
    equal(says(t, url, "call", "com.echo", "1", "--repeat", "5", "--parallel", "3"), ["1"] * 5)
    equal(says(t, url, "call", "com.parts", "3", "--progress"), ["1", "2", "3", '"end"'])
    timed = t.run(0, "call", "com.echo", "1", "--time", "--url", url)
    one_line(timed, r"^\d+\.\d\d ms$")
    dry = t.run(0, "call", "com.echo", "1", "-k", "a=b", "--dry-run", "--url", "ws://nowhere.example")
    equal(json.loads(dry.out.all()[0]), [48, 1, {}, "com.echo", [1], {"a": "b"}])


@test
def subscribe_prints_what_publish_says(t):
    url = service(t)
    ear = t.start("sub", "com.n.", "--match", "prefix", "--details", "--count", "3", "--url", url)
    first = t.start("sub", "com.n.a", "--count", "1", "--url", url)
    for what in ("com.n.", "com.n.a"):  # both are there
        t.script(THERE, url, what)
    says(t, url, "publish", "com.n.a", "it rains")
    equal(first.ends(0).out.all(), ['"it rains"'])
    told = t.run(0, "pub", "com.n.b", "1", "-k", "k=v", "--json", "--url", url).out.all()
    says(t, url, "pub", "com.n.c", "--no-ack", "x")
    events = [json.loads(line) for line in ear.ends(0).out.all()]
    equal([(e["topic"], e["args"], e["kwargs"]) for e in events],
          [("com.n.a", ["it rains"], {}), ("com.n.b", [1], {"k": "v"}), ("com.n.c", ["x"], {})])
    equal(events[1]["details"]["publication"], json.loads(told[0])["publication"])


THERE = """
local c <close> = require "wampy".Client { url = arg[1] }:start()
local function there()
  for _, match in ipairs { "exact", "prefix", "wildcard" } do
    local ok, id = pcall(c.call, c, "wamp.subscription.lookup", arg[2], { match = match })
    if ok and id then return true end
  end
end
while not there() do require "wampy".sleep(0.01) end
"""


@test
def publish_takes_lines_and_keeps_events(t):
    url = service(t)
    ear = t.start("sub", "com.lines", "--count", "3", "--url", url)
    t.script(THERE, url, "com.lines")
    t.start("pub", "com.lines", "--lines", "--url", url, stdin='1\n"two"\nthree\n').ends(0)
    equal(ear.ends(0).out.all(), ["1", '"two"', '"three"'])
    says(t, url, "pub", "com.state", "on", "--retain")
    equal(says(t, url, "sub", "com.state", "--retained", "--count", "1"), ['"on"'])
    out = says(t, url, "sub", "com.state", "--retained", "--count", "1", "--exec", "tr a-z A-Z")
    equal(out, ['"ON"'])


@test_each({
    "a value": (["--value", '{"a": 1}'], '{"a":1}'),
    "what was given": (["--echo"], '"x"'),
    "Lua": (["--lua", "return (...) .. '!'"], '"x!"'),
    "a command": (["--", "tr", "x", "y"], '{"kwargs":{},"args":["y"]}'),
})
def register_answers_with(t, way, answer):
    url = service(t)
    callee = t.start("register", "com.own", "--count", "1", "--url", url, *way)
    callee.err.wait("registered com.own")
    got = says(t, url, "call", "com.own", "x")
    equal(json.loads(got[0]), json.loads(answer))
    callee.ends(0)


@test
def register_names_no_line_of_its_own(t):
    url = service(t)
    callee = t.start("register", "com.own", "--lua", "nil + 1", "--count", "1", "--url", url)
    callee.err.wait("registered com.own")
    t.run(6, "call", "com.own", "--url", url)
    callee.ends(0)
    assert any(line.startswith("error: in the handler of com.own: --lua:1: ") for line in callee.err.all())


@test
def register_fails_when_it_is_to(t):
    url = service(t)
    for way, complaint in ((["--fail", "com.no"], r"com\.no"),
                           (["--", "sh", "-c", "echo broken >&2; exit 3"], "broken")):
        callee = t.start("register", "com.own", "--count", "1", "--url", url, *way)
        callee.err.wait("registered com.own")
        one_line(t.run(6, "call", "com.own", "--url", url), complaint)
        callee.ends(0)


@test
def ls_lists_what_there_is(t):
    url = service(t)
    lines = says(t, url, "ls")
    equal([line.split() for line in lines if "com.pair" in line],
          [["com.pair", "exact", "single", "1"]])
    equal(len(says(t, url, "ls", "procedures", "com.p")), 2)
    ear = t.start("sub", "com.t", "--url", url)
    t.script(THERE, url, "com.t")
    equal(json.loads(says(t, url, "ls", "topics", "--json")[0])["uri"], "com.t")
    equal(len(says(t, url, "ls", "sessions")), 3)  # the service, the subscriber, ls itself
    ear.ends(143, signal.SIGTERM)


@test
def ping_says_how_long(t):
    url = service(t)
    times = json.loads(says(t, url, "ping", "--json")[0])
    assert set(times) == {"connect", "welcome", "goodbye"} and min(times.values()) > 0, times
    equal(says(t, url, "ping", "-q"), [])


@test
def profiles_and_files_of_variables_say_where(t):
    url = service(t)
    t.file("wampy-lua/profiles.json", json.dumps({"here": {"url": url, "connect-timeout": "9s"}}))
    env = {"XDG_CONFIG_HOME": t.folder}
    equal(t.run(0, "call", "com.echo", "1", "-p", "here", env=env).out.all(), ["1"])
    equal(t.run(0, "call", "com.echo", "1", env=env | {"WAMPY_PROFILE": "here"}).out.all(), ["1"])
    env["WAMPY_URL"] = "ws://127.0.0.1:%d" % closed_port()
    t.run(4, "call", "com.echo", "1", "-p", "here", env=env)
    path = t.file("env", '# where\nWAMPY_URL="%s"\nWAMPY_REALM=realm1\n' % url)
    equal(t.run(0, "call", "com.echo", "1", "--env-file", path).out.all(), ["1"])
    one_line(t.run(2, "ping", "--env-file", t.file("bad", "WAMPY_URL\n")), "bad:1: expected NAME=VALUE")


@test
def what_a_file_of_variables_says_commands_have_too(t):
    url = service(t)
    path = t.file("env", "WAMPY_URL=%s\nexport COLOUR='deep blue'\nHOME=/nowhere\n" % url)
    callee = t.start("reg", "com.env", "--env-file", path, "--count", "1", "--",
                     "sh", "-c", 'echo "$COLOUR $HOME"', env={"HOME": "/home"})
    callee.err.wait("registered com.env")
    equal(says(t, url, "call", "com.env"), ['"deep blue /home"'])
    callee.ends(0)


@test
def an_error_of_a_callees_own_call_is_not_taken_for_a_wrong_name(t):
    url = service(t)
    one_line(t.run(6, "call", "com.lost", "--url", url), r"^error: com\.lost: .*no_such_procedure\) \[W601\]$")
    one_line(t.run(6, "call", "com.eco", "--url", url), r"did you mean com\.echo\? \[W601\]$")
    one_line(t.run(6, "call", "com.fail", "--url", url), r"^error: com\.fail: why \(com\.bad\) \[W600\]$")
    one_line(t.run(6, "reg", "com.echo", "--echo", "--url", url), "procedure_already_exists")


@test
def register_answers_as_often_as_it_is_told_and_bounded(t):
    url = service(t)
    callee = t.start("reg", "com.own", "--count", "20", "--url", url, "--", "cat")
    callee.err.wait("registered com.own")
    equal(len(says(t, url, "call", "com.own", "--repeat", "20", "--parallel", "20")), 20)
    callee.ends(0)
    equal([line for line in says(t, url, "ls", "--raw") if line == "com.own"], [])


@test
def exec_runs_one_command_after_the_other_in_order(t):
    url = service(t)
    ear = t.start("sub", "com.jobs", "--count", "5", "--url", url, "--exec",
                  "read n; echo begin $n; echo end $n; [ $n != 3 ]")
    ear.err.wait("subscribed com.jobs")
    t.start("pub", "com.jobs", "--lines", "--url", url, stdin="1\n2\n3\n4\n5\n").ends(0)
    equal(ear.ends(0).out.all(), [w % n for n in range(1, 6) for w in ("begin %d", "end %d")])
    equal([line for line in ear.err.all() if "warn" in line],
          ["warn: --exec: read n; echo begin $n; echo end $n; [ $n != 3 ] ended with 1"])


@test
def stdout_is_data_alone_and_colours_are_for_terminals(t):
    url = service(t)
    done = t.run(6, "call", "com.fail", "--url", url, "--color", "always")
    equal(done.err.all(), ["\x1b[31merror\x1b[0m: com.fail: why (com.bad) [W600]"])
    done = t.run(6, "call", "com.fail", "--url", url, "--log-format", "json")
    equal([json.loads(line) for line in done.err.all()],
          [{"level": "error", "text": "com.fail: why (com.bad) [W600]"}])
    equal(t.run(0, "call", "com.echo", "1", "-v", "--url", url).out.all(), ["1"])


@test
def a_url_without_tls_reads_no_ca_and_loads_no_other_verb(t):
    url = service(t)
    fifo = t.file("ca", "")
    os.remove(fifo)
    os.mkfifo(fifo)  # whoever opens it waits for ever
    env = {"SSL_CERT_FILE": fifo, "SSL_CERT_DIR": fifo, "WAMPY_CA": fifo}
    equal(t.run(0, "call", "com.echo", "1", "--url", url, env=env).out.all(), ["1"])
    loaded = t.script("""
        require("wampy.cli").parse { "call", "com.echo" }
        for name in pairs(package.loaded) do print(name) end
    """)
    equal([name for name in loaded if name in ("wampy.cli_run", "wampy.cli_ls", "wampy.routers")], [])
