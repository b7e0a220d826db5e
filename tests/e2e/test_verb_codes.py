"""test_verb_codes.py: each row of the table of exit codes for each verb that connects, with the one
line that goes with it."""
import os
import signal
import subprocess

from harness import PATIENCE, PROGRAM, closed_port, equal, one_line, test, test_each
from raw_router import (ABORT, CALL, ERROR, GOODBYE, HELLO, REGISTER, ROLES, SUBSCRIBE, WELCOME,
                        RawRouter)

PUBLISH, CHALLENGE, AUTHENTICATE = 16, 4, 5
VERBS = {
    "call": ["call", "com.f"],
    "publish": ["publish", "com.t"],
    "subscribe": ["subscribe", "com.t"],
    "register": ["register", "com.p", "--echo"],
    "repl": ["repl"],
    "ls": ["ls"],
    "ping": ["ping"],
    "bench": ["bench", "call", "com.f", "-n", "1", "-c", "1", "--warmup", "0"],
    "doctor": ["doctor"],
}
EACH = {name: (verb,) for name, verb in VERBS.items()}
# What each asks the router for once it has joined.
ASKS = {"call": CALL, "publish": PUBLISH, "subscribe": SUBSCRIBE, "register": REGISTER,
        "repl": CALL, "ls": CALL, "bench": CALL}
ASKING = {name: (VERBS[name], kind) for name, kind in ASKS.items()}
TYPED = {"repl": 'call("com.f")\n'}  # what is on a verb's stdin


def begin(t, verb, *flags, **kw):
    return t.start(*verb, *flags, **{"stdin": TYPED.get(verb[0])} | kw)


def fails(t, code, complaint, verb, *flags, **kw):
    """The verb ends with this code and one line. A doctor has his own way to say why, on stdout."""
    done = begin(t, verb, *flags, **kw).ends(code)
    if verb[0] == "doctor":
        equal((done.err.all(), any(" failed " in line for line in done.out.all())), ([], True))
    else:
        one_line(done, complaint)
    return done


def listens(*verb):
    """A router that never answers anything but GOODBYE."""
    def behave(link):
        link.join()
        while True:
            message = link.recv()
            if message[0] == GOODBYE:
                link.send(GOODBYE, {}, "wamp.close.goodbye_and_out")
    return RawRouter(behave)


# ---- 0: done


@test_each({
    "call": ["call", "com.f", "1"], "publish": ["publish", "com.t", "1"],
    "subscribe": ["subscribe", "com.t", "--timeout", "0.05"],
    "register": ["register", "com.p", "--echo", "--count", "1"], "repl": ["repl"], "ls": ["ls"],
    "ping": ["ping"], "bench": VERBS["bench"], "doctor": ["doctor"]})
def code_0_is_done(t, *verb):
    _, url = t.router()
    t.start("register", "com.f", "--echo", "--url", url).err.wait("registered com.f")
    child = begin(t, verb, "--url", url)
    if verb[0] == "register":
        child.err.wait("registered com.p")
        t.run(0, "call", "com.p", "--url", url)
    child.ends(0)


# ---- 1: stdout cannot be written to


FULL = ["bash", "-c", 'exec "$@" >/dev/full', "-"]


@test_each({name: (VERBS[name],) for name in ("repl", "ls", "ping", "bench", "doctor")}
           | {"call": (["call", "com.f", "1"],), "publish": (["publish", "com.t", "--json"],)})
def code_1_is_an_output_that_is_full(t, verb):
    _, url = t.router()
    t.start("register", "com.f", "--value", "1", "--url", url).err.wait("registered com.f")
    one_line(begin(t, verb, "--url", url, program=FULL + PROGRAM).ends(1),
             "^error: stdout: No space left on device")


@test_each({" ".join(words): words for words in (
    ["check", "app.lua"], ["new", "shop", "-q"], ["keygen"], ["completion", "bash"], ["help"],
    ["version"], ["call", "com.f", "--dry-run"])})
def code_1_is_an_output_that_is_full_also_without_a_router(t, *words):
    t.file("app.lua", "return require('wampy').Client:extend('App')")
    one_line(t.run(1, *words, program=FULL + PROGRAM),
             r"^error: stdout: (No space left on device|not all could be written) \[W213\]$")


# ---- 2: usage


OTHERS = {
    "run": (["run", "app.lua"],), "router": (["router"],), "check": (["check", "app.lua"],),
    "new": (["new", "shop"],), "keygen": (["keygen"],), "passwd": (["passwd", "joe"],),
}


@test_each(EACH | OTHERS)
def code_2_is_a_flag_that_there_is_not(t, verb):
    one_line(t.run(2, *verb, "--colour"), "^error: unknown option '--colour' Did you mean '--color'")
    equal(os.listdir(t.folder), [])


@test_each({"completion": (["completion", "bash"],), "version": (["version"],),
            "no verb": ([],)})
def code_2_is_a_flag_that_is_like_none(t, verb):
    one_line(t.run(2, *verb, "--colour"), "^error: unknown option '--colour'")


@test_each({"completion": (["completion", "bsh"], "must be one of 'bash'"),
            "help": (["help", "cal"], "did you mean call"),
            "new": (["new", "a/b", "-t", "other"], "must be one of"),
            "passwd": (["passwd", "joe", "-m", "other"], "must be one of"),
            "bench": (["bench", "call", "a b"], "invalid URI"),
            "check": (["check"], "APP"), "run": (["run"], "missing argument"),
            "router": (["router", "--realm", "a b"], "realm"),
            "keygen": (["keygen", "--role", "user"], "--authid")})
def code_2_is_a_bad_word(t, words, complaint):
    one_line(t.run(2, *words), "^error: .*" + complaint)


@test_each(EACH)
def code_2_is_a_bad_value(t, verb):
    one_line(t.run(2, *verb, "--realm", "a b"), "^error: --realm: invalid realm 'a b'")
    one_line(t.run(2, *verb, "--url", "http://x"), "^error: --url: invalid url")
    one_line(t.run(2, *verb, "--secret-file", "/nowhere"), "^error: --secret-file: cannot read")


@test_each({
    "a URI": (["call", "a b"], "invalid URI 'a b'"),
    "arguments that are no list": (["call", "com.x", "--args", "{}"], "--args: expected a list"),
    "a file that is no JSON": (["call", "com.x", "@/dev/null"], "/dev/null: expected JSON"),
    "a keyword without a value": (["publish", "com.x", "-k", "a"], "expected NAME=VALUE, got 'a'"),
    "no way to answer": (["register", "com.x"], "how is it to answer"),
    "two ways to answer": (["register", "com.x", "--echo", "--value", "1"], "give one of"),
    "Lua that does not parse": (["register", "com.x", "--lua", "retrun 1"], "--lua:1:"),
    "something else to list": (["ls", "tables"], "must be one of 'procedures'"),
    "a profile that there is not": (["ping", "-p", "none"], "--profile none"),
    "no argument": (["call"], "missing argument 'uri'"),
    "a secret without a terminal": (["ping", "--ask-secret"], "no terminal"),
})
def code_2_is(t, verb, complaint):
    child = t.start(*verb, env={"XDG_CONFIG_HOME": t.folder}, program=["setsid", "-w"] + PROGRAM)
    one_line(child.ends(2), "^error: .*" + complaint)
    equal(child.out.all(), [])


@test
def code_2_is_an_option_that_cannot_be(t):
    _, url = t.router()
    one_line(t.run(2, "call", "com.f", "-o", "disclose_me=5", "--url", url),
             "disclose_me must be true or false")


# ---- 4: cannot connect


@test_each(EACH)
def code_4_is_a_port_where_nobody_listens(t, verb):
    fails(t, 4, "^error: .*connection refused", verb, "--url", "ws://127.0.0.1:%d" % closed_port())


@test_each(EACH)
def code_4_is_something_that_is_no_router(t, verb):
    def behave(link):
        link.request()
        link.answer("404 Not Found", "Content-Length: 0")
    with RawRouter(behave) as raw:
        fails(t, 4, "^error: .*HTTP 404.*/ws", verb, "--url", raw.url)


@test
def code_4_is_an_unknown_host_and_a_port_that_speaks_no_tls(t):
    one_line(t.run(4, "ping", "--url", "ws://nowhere.invalid/"), "^error: .*nowhere.invalid")
    _, url = t.router()
    one_line(t.run(4, "ping", "--url", url.replace("ws://", "wss://")), "^error: ")


@test
def verbs_try_again_when_they_are_told_to(t):
    def refuses(link):
        link.vanish()

    def joins(link):
        link.join()
        link.serve()
    with RawRouter(refuses, joins) as raw:
        done = t.run(0, "publish", "com.t", "--no-ack", "--retries", "1", "--url", raw.url)
        one_line(done, r"^warn: .*trying again in")


# ---- 5: the session is refused


@test_each(EACH)
def code_5_is_an_unknown_realm(t, verb):
    _, url = t.router()
    fails(t, 5, "^error: .*nowhere.*no_such_realm", verb, "--url", url, "--realm", "nowhere")


@test_each(EACH)
def code_5_is_a_secret_that_is_wrong(t, verb):
    def behave(link):
        link.upgrade()
        link.recv()
        link.send(CHALLENGE, "ticket", {})
        link.recv()
        link.send(ABORT, {"message": "not you"}, "wamp.error.authentication_failed")
    with RawRouter(behave) as raw:
        fails(t, 5, "^error: not you .*authentication_failed", verb, "--url", raw.url,
              "--authid", "joe", env={"WAMPY_TICKET": "secret"})
        equal(raw.wait(HELLO)[2]["authid"], "joe")


# ---- 6: the far side said ERROR


@test_each(ASKING)
def code_6_is_an_error_of_the_far_side(t, verb, kind):
    def behave(link):
        link.join()
        while True:
            message = link.recv()
            if message[0] == kind:
                link.send(ERROR, kind, message[1], {}, "com.no", ["not\nyou \x1b[31m"], {})
            elif message[0] == GOODBYE:
                link.send(GOODBYE, {}, "wamp.close.goodbye_and_out")
    with RawRouter(behave) as raw:
        done = fails(t, 6, r"^error: .*not you \?\[31m.*com\.no", verb, "--url", raw.url)
        # one line, and none of its escapes
        equal(done.out.all(), [])


@test
def code_6_is_a_router_that_may_not_be_asked(t):
    def denies(link, why):
        link.join()
        link.serve(call=lambda m: link.send(ERROR, CALL, m[1], {}, why))
    for why, line in (("wamp.error.not_authorized", "allow wamp.* to the role"),
                      ("wamp.error.no_such_procedure", "no meta API")):
        with RawRouter(lambda link, why=why: denies(link, why)) as raw:
            one_line(t.run(6, "ls", "--url", raw.url), "^error: .*" + line)
            one_line(t.run(6, "call", "com.f", "--url", raw.url), "^error: .*com.f.*" + why)


# ---- 7: timed out


@test_each(EACH)
def code_7_is_a_router_that_does_not_welcome(t, verb):
    def mute(link):
        link.upgrade()
        link.serve()
    with RawRouter(mute) as raw:
        fails(t, 7, "^error: ", verb, "--url", raw.url, "--connect-timeout", "300ms")


@test_each({name: (VERBS[name] + flags,) for name, flags in {
    "call": ["--timeout", "300ms"], "publish": ["--connect-timeout", "300ms"],
    "subscribe": ["--connect-timeout", "300ms"], "register": ["--connect-timeout", "300ms"],
    "ls": ["--connect-timeout", "300ms"], "bench": ["--timeout", "300ms"], "repl": []}.items()})
def code_7_is_an_answer_that_does_not_come(t, verb):
    with listens() as raw:
        fails(t, 7, "^error: .*no answer in time", verb, "--url", raw.url,
              env={"WAMPY_CALL_TIMEOUT": "300ms"})


@test
def code_7_is_a_subscription_that_hears_too_little(t):
    _, url = t.router()
    quiet = ["subscribe", "com.t", "-q", "--url", url, "--timeout", "50ms"]
    one_line(t.run(7, *quiet, "--count", "2"), "^error: 0 of 2 events came in 0.05 s")
    equal(t.run(0, *quiet).err.all(), [])


# ---- 8: the link is lost


@test_each(ASKING | {"publish": (VERBS["publish"] + ["--lines"], None)})
def code_8_is_a_link_that_is_lost(t, verb, kind):
    def behave(link):
        link.join()
        while link.recv()[0] != (kind or PUBLISH):
            pass
        link.vanish()
    with RawRouter(behave) as raw:
        lines = subprocess.PIPE if "--lines" in verb else None
        child = begin(t, verb, "--url", raw.url, **({"stdin": lines} if lines else {}))
        if lines:  # it stays open: the verb ends all the same
            child.child.stdin.write("1\n")
            child.child.stdin.flush()
        one_line(child.ends(8), "^error: .*(lost|closed)")


@test
def an_answer_counts_even_when_the_link_is_lost_behind_it(t):
    def answers(link, *answer):
        link.join()
        request = link.recv()[1]
        link.send(*[request if part == "id" else part for part in answer])
        link.vanish()
    for code, answer in ((0, [50, "id", {}, ["done"]]), (6, [ERROR, CALL, "id", {}, "com.no"])):
        with RawRouter(lambda link, answer=answer: answers(link, *answer)) as raw:
            t.run(code, "call", "com.f", "--url", raw.url)


@test
def code_8_is_also_an_abort_in_mid_session(t):
    def behave(link):
        link.join()
        link.recv()
        link.send(ABORT, {"message": "enough"}, "wamp.error.protocol_violation")
    with RawRouter(behave) as raw:
        one_line(t.run(8, "call", "com.f", "--url", raw.url), "^error: .*enough")


@test
def a_subscription_joins_again_when_it_is_told_to(t):
    def vanishes(link):
        link.join()
        link.send(33, link.recv()[1], 7)
        link.vanish()

    def stays(link):
        link.join()
        link.send(33, link.recv()[1], 8)
        link.send(36, 8, 1, {}, ["news"])
        link.serve()
    with RawRouter(vanishes, stays) as raw:
        child = t.run(0, "sub", "com.t", "--count", "1", "--retries", "3", "--url", raw.url)
        equal(child.out.all(), ['"news"'])


# ---- 130, 143: interrupted, terminated


@test_each({"%s, %s" % (name, word): (VERBS[name], kind, number, code)
            for name, kind in ASKS.items()
            for word, number, code in (("INT", signal.SIGINT, 130), ("TERM", signal.SIGTERM, 143))})
def a_signal_says_goodbye_and_is_its_code(t, verb, kind, number, code):
    with listens() as raw:
        child = begin(t, verb, "--url", raw.url)
        raw.wait(kind)
        child.ends(code, number)
        equal(raw.wait(GOODBYE)[2], "wamp.close.normal")
        equal([child.out.all(), child.err.all()], [[], []])


@test_each({"%s, %s" % (name, word): (VERBS[name], number, code)
            for name in VERBS
            for word, number, code in (("INT", signal.SIGINT, 130), ("TERM", signal.SIGTERM, 143))})
def a_signal_ends_a_verb_while_it_joins(t, verb, number, code):
    def mute(link):
        link.upgrade()
        link.serve()
    with RawRouter(mute) as raw:
        child = begin(t, verb, "--url", raw.url)
        raw.wait(HELLO)
        equal(child.ends(code, number).err.all(), [])


@test
def the_second_signal_ends_a_verb_at_once(t):
    def never_says_goodbye(link):
        link.join()
        while True:
            link.recv()
    with RawRouter(never_says_goodbye) as raw:
        child = t.start("call", "com.f", "--url", raw.url)
        raw.wait(CALL)
        child.signal(signal.SIGINT)
        raw.wait(GOODBYE)
        child.ends(130, signal.SIGINT)


# ---- what nobody reads, and secrets


@test
def a_reader_that_goes_away_ends_a_verb_in_silence(t):
    def behave(link):
        link.join()
        link.send(33, link.recv()[1], 7)
        while True:
            link.send(36, 7, 1, {}, ["news"])
    with RawRouter(behave) as raw:
        child = subprocess.Popen(PROGRAM + ["sub", "com.t", "-q", "--url", raw.url],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal(child.stdout.readline(), b'"news"\n')
        child.stdout.close()
        equal((child.stderr.read(), child.wait(PATIENCE)), (b"", 1))
        child.stderr.close()


class Terminal:
    """A verb with a terminal of its own, at which it asks for a secret."""

    def __init__(self, *args):
        self.master, slave = os.openpty()
        self.child = subprocess.Popen(
            ["setsid", "-cw"] + PROGRAM + list(args) + ["--ask-secret", "--authid", "joe"],
            stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(slave)
        equal(os.read(self.master, 100), b"secret of joe: ")

    def types(self, text):
        os.write(self.master, text)
        out, err = self.child.communicate(timeout=PATIENCE)
        shown = os.read(self.master, 100)
        os.close(self.master)
        return self.child.returncode, out, err, shown.strip()


@test
def a_secret_is_asked_for_at_the_terminal_and_not_shown(t):
    def behave(link):
        link.upgrade()
        link.recv()
        link.send(CHALLENGE, "ticket", {})
        link.recv()
        link.send(WELCOME, 1, ROLES)
        link.serve()
    with RawRouter(behave) as raw:
        terminal = Terminal("ping", "-q", "--url", raw.url, "--authmethod", "ticket")
        equal(terminal.types(b"my ticket\n"), (0, "", "", b""))
        equal(raw.wait(AUTHENTICATE)[1], "my ticket")


@test_each({"Ctrl-C": (b"\x03", 130, ""), "nothing": (b"\n", 2, "nothing was typed")})
def a_secret_that_is_not_given_ends_the_verb(t, typed, code, complaint):
    got, out, err, shown = Terminal("ping").types(typed)
    equal((got, out, complaint in err, shown in (b"", b"^C")), (code, "", True, True))
    equal(len(err.splitlines()), 1 if complaint else 0)
