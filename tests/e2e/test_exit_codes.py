"""test_exit_codes.py: each row of the table of exit codes, with the one line that goes with it."""
import signal
import socket

import apps
from harness import closed_port, equal, one_line, test, test_each
from raw_router import ABORT, CALL, ERROR, GOODBYE, REGISTER, RawRouter


def plays_along(link):
    link.join()
    link.serve()


@test_each({"INT": (signal.SIGINT,), "TERM": (signal.SIGTERM,)})
def the_first_signal_ends_run_with_goodbye_and_0(t, number):
    with RawRouter(plays_along) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url)
        app.out.wait("^ready")
        app.ends(0, number)
        equal(raw.wait(GOODBYE)[2], "wamp.close.normal")
        equal(app.err.all(), [])


@test_each({"INT": (signal.SIGINT, 130), "TERM": (signal.SIGTERM, 143)})
def the_second_signal_ends_run_at_once(t, number, code):
    def never_says_goodbye(link):
        link.join()
        link.serve(goodbye=False)
    with RawRouter(never_says_goodbye) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url)
        app.out.wait("^ready")
        app.signal(number)
        raw.wait(GOODBYE)
        app.child.send_signal(number)
        equal(app.exit(), code)


@test
def code_1_is_an_error_in_a_script(t):
    t.run(1, t.file("script.lua", "error('broken')"))
    t.run(1, "-e", "error('broken')")


@test
def code_1_is_an_error_in_a_main_chunk_that_has_run(t):
    _, url = t.router()
    app = t.file("app.lua", """local wampy = require "wampy"
        local c = wampy.Client { url = arg[1] }:start()
        wampy.after(0, function() wampy.stop() end)
        wampy.run()
        error("late")""")
    t.run(1, "run", app, "-q", "--", url).err.wait(r"^error: .*app.lua:5: late$")


@test
def a_task_that_never_ran_does_not_keep_an_app_that_fails(t):
    app = t.file("app.lua", 'require("wampy").spawn(function() require("wampy").sleep(900) end)\n'
                            "error('no luck')")
    one_line(t.run(3, "run", "-q", app, "--grace", "800s"), "no luck")


@test_each({
    "unknown flag": (["run", "--retires", "0", "x.lua"], "--retires.*[Dd]id you mean.*--retries"),
    "unknown flag of router": (["router", "--lisen", "0"], "--lisen.*[Dd]id you mean.*--listen"),
    "unknown verb": (["rum", "x.lua"], "rum.*[Dd]id you mean.*run"),
    "run without an app": (["run"], "app"),
    "a flag without its value": (["run", "x.lua", "--url"], "--url"),
    "a number that is none": (["run", "x.lua", "--retries", "many"], "many"),
    "a time that is none": (["run", "x.lua", "--grace", "5y"], "5y"),
    "a level that is none": (["run", "x.lua", "--log", "loud"], "--log.*debug"),
    "a port that is none": (["router", "--listen", "99999"], "99999"),
    "a realm that is none": (["router", "--realm", "a b"], "a b"),
    "no help for it": (["help", "frob"], "frob"),
})
def code_2_is_usage(t, args, line):
    one_line(t.run(2, *args), "^error: .*" + line)


@test
def code_2_is_no_verb_with_short_help(t):
    done = t.run(2)
    done.err.wait("^Usage: wampy-lua")
    equal(done.out.all(), [])


APP = 'local wampy = require "wampy"\nlocal App = wampy.Client:extend("App")\n%s\nreturn App\n'
BAD_APPS = {
    "does not parse": ("local x = = 1", r"app\.lua:1: .*near '='"),
    "raises while it loads": ("\nerror('no luck')", r"app\.lua:2: no luck"),
    "raises a table": ("error { no = 'luck' }", "table"),
    "returns a number": ("return 7", r"app\.lua returned a number"),
    "returns a table of numbers": ("return { a = 7 }", r"app\.lua returned a table.* a is a number"),
    "declares a procedure twice": (APP % (
        'App.a = wampy.callee "same" (function() end)\n'
        'App.b = wampy.callee "same" (function() end)'), r"app\.lua:[34].*same"),
    "has a bad option of callee": (
        APP % "App.a = wampy.callee { invok = 'single' } (function() end)",
        r"app\.lua:3: .*invok"),
    "has a bad value of an option": (
        APP % "App.a = wampy.callee { invoke = 'sometimes' } (function() end)",
        r"app\.lua:3: .*invoke"),
    "has a URI that is none": (
        APP % "App.a = wampy.callee 'a b' (function() end)", r"app\.lua:3: .*a b"),
    "has a handler that is no method": (
        APP % "App.a = wampy.callee(function(name) end)", r"app\.lua:3: .*self"),
}


@test_each({name: case for name, case in BAD_APPS.items()})
def code_3_is_an_app_that(t, text, line):
    _, url = t.router()
    app = t.run(3, "run", t.file("app.lua", text), "--url", url)
    lines = [one for one in app.err.all() if one.startswith("error: ")]
    equal(len(lines), 1)
    equal(app.err.all()[0], lines[0])
    app.err.wait("^error: .*" + line)
    equal(app.out.all(), [])


@test_each({
    "file": (["nothere.lua"], r"nothere\.lua does not exist"),
    "file with a class": (["nothere.lua:App"], r"nothere\.lua does not exist"),
    "module": (["not.here:App"], r'"not\.here"'),
    "class": (["hello.lua:Nope"], r'hello\.lua has no class "Nope" \(it has Hello\)'),
})
def code_3_is_a_missing(t, args, line):
    t.file("hello.lua", apps.HELLO)
    one_line(t.run(3, "run", *args), "^error: .*" + line)


NO_REALM = '{"version": 2, "workers": [{"type": "router", "realms": {}, "transports": []}]}'
CONFIGS = {
    "missing": (None, r"config\.json: No such file"),
    "not JSON": ("{", r"config\.json: not JSON"),
    "a list": ("[]", r"config\.json: expected an object, got a list"),
    "wrong inside": (NO_REALM, r"config\.json\.workers\[0\]\.realms: expected a list"),
    "without a realm": ('{"workers": []}', r"config\.json: no realm"),
}


@test_each(CONFIGS)
def code_3_is_a_configuration_of_run_that_is(t, text, line):
    if text is not None:
        t.file("config.json", text)
    one_line(t.run(3, "run", t.file("app.lua", apps.HELLO), "--config", "config.json"),
             "^error: .*" + line)


@test_each(CONFIGS)
def code_3_is_a_configuration_of_router_that_is(t, text, line):
    if text is not None:
        t.file("config.json", text)
    one_line(t.run(3, "router", "--config", "config.json"), "^error: .*" + line)


@test
def code_4_is_refused_with_retries_0(t):
    port = closed_port()
    one_line(t.run(4, "run", t.file("app.lua", apps.HELLO), "--retries", "0", "--url",
                   "ws://127.0.0.1:%d/" % port), "^error: .*127.0.0.1:%d.*refused" % port)


@test
def code_4_is_an_unknown_host(t):
    one_line(t.run(4, "run", t.file("app.lua", apps.HELLO), "--retries", "0", "--url",
                   "ws://nowhere.invalid/"), "^error: .*nowhere.invalid")


@test_each({"run": (["run", "app.lua", "--router="],), "router": (["router", "--listen="],)})
def code_4_is_a_port_in_use(t, args):
    t.file("app.lua", apps.HELLO)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        args = args[:-1] + [args[-1] + str(port)]
        one_line(t.run(4, *args), "^error: .*%d.*in use" % port)


@test
def code_5_is_an_unknown_realm_of_our_router(t):
    _, url = t.router()
    one_line(t.run(5, "run", t.file("app.lua", apps.HELLO), "--url", url, "--realm", "nope"),
             "^error: .*realm.*no_such_realm")


@test_each({"realm": ("wamp.error.no_such_realm",), "authentication": (
    "wamp.error.authentication_failed",), "authorization": ("wamp.error.not_authorized",)})
def code_5_is_a_session_refused_for(t, reason):
    def refuse(link):
        link.upgrade()
        link.recv()
        link.send(ABORT, {"message": "go away"}, reason)
    with RawRouter(refuse) as raw:
        one_line(t.run(5, "run", t.file("app.lua", apps.HELLO), "--url", raw.url),
                 "^error: .*go away.*" + reason)


@test
def code_6_is_a_procedure_that_exists_already(t):
    _, url = t.router()
    path = t.file("app.lua", apps.HELLO)
    t.start("run", path, "--url", url).out.wait("^ready")
    one_line(t.run(6, "run", path, "--url", url, "--retries", "0"),
             "^error: .*say_hello.*procedure_already_exists")


@test
def code_7_is_a_router_that_says_nothing(t):
    def deaf(link):
        link.request()
        link.more()
    with RawRouter(deaf) as raw:
        one_line(t.run(7, "run", t.file("app.lua", apps.HELLO), "--url", raw.url,
                       "--connect-timeout", "0.5", "--retries", "0"), "^error: .*timed? ?out|within")


@test
def code_7_is_a_router_that_upgrades_and_does_not_welcome(t):
    def mute(link):
        link.upgrade()
        link.serve()
    with RawRouter(mute) as raw:
        one_line(t.run(7, "run", t.file("app.lua", apps.HELLO), "--url", raw.url,
                       "--connect-timeout", "0.5", "--retries", "0"), "^error: ")


@test
def code_8_is_a_link_lost_for_good(t):
    router, url = t.router()
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url, "--retries", "0")
    app.out.wait("^ready")
    router.ends(-9, signal.SIGKILL)
    app.ends(8)
    one_line(app, "^error: ")


@test
def code_8_is_a_link_lost_for_good_also_in_a_main_chunk_that_runs(t):
    router, url = t.router()
    app = t.start("run", t.file("app.lua", """local wampy = require "wampy"
        wampy.Client { url = arg[1], reconnect = false }:start()
        wampy.run()"""), "--", url)
    app.out.wait("^ready")
    router.signal(signal.SIGKILL)
    app.ends(8)


@test
def code_8_is_also_an_abort_in_mid_session(t):
    def aborts(link):
        link.join()
        link.serve(call=lambda m: link.send(ABORT, {}, "wamp.error.protocol_violation"))
    with RawRouter(aborts) as raw:
        app = t.start("run", t.file("app.lua", apps.CALLER), "--url", raw.url, "--retries", "0")
        raw.wait(CALL)
        app.ends(8)
        app.out.wait("^call\tfalse\tConnectionError$")


@test
def a_refused_registration_says_what_the_router_said(t):
    def refuses(link):
        link.join()
        link.serve(register=lambda m: link.send(
            ERROR, REGISTER, m[1], {}, "com.example.full", ["no room"], {}))
    with RawRouter(refuses) as raw:
        one_line(t.run(6, "run", t.file("app.lua", apps.HELLO), "--url", raw.url),
                 "^error: .*say_hello|com.example.full")
