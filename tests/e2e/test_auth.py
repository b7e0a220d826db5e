"""test_auth.py: authentication as `run` sees it: where secrets come from, routers that do not play
by the rules, and that no secret is ever printed."""
import signal

import apps
from harness import equal, one_line, test, test_each
from raw_router import ABORT, HELLO, RawRouter, REGISTERED, SUBSCRIBED, WELCOME

CHALLENGE, AUTHENTICATE = 4, 5
SECRET = "s3cr3t-0f-joe"
KEY = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"
JOE = {"WAMPY_AUTHID": "joe", "WAMPYSECRET": SECRET}
SCRAM = JOE | {"WAMPY_AUTHMETHOD": "wamp-scram"}


def challenges(method, extra, *then):
    """Sends CHALLENGE; each of `then` gets the link and AUTHENTICATE; plays along after WELCOME."""
    def behave(link):
        link.upgrade()
        hello = link.recv()
        link.send(CHALLENGE, method, extra(hello) if callable(extra) else extra)
        answer = link.recv()
        for step in then:
            step(link, answer)
        link.serve()
    return behave


def welcomes(link, _, **details):
    link.send(WELCOME, 7, {"roles": {"broker": {}, "dealer": {}}} | details)


def refuses(link, _):
    link.send(ABORT, {"message": "wrong signature"}, "wamp.error.authentication_failed")


def scram(hello, **changed):
    nonce = hello[2]["authextra"]["nonce"]
    return {"nonce": nonce + "AAAA", "salt": "aBc+fx0NAVA=", "kdf": "pbkdf2",
            "iterations": 4096} | changed


def silent(process):
    """Nothing that was printed has the secret in it, in any spelling."""
    text = "\n".join(process.out.all() + process.err.all())
    for secret in (SECRET, KEY, KEY[:16]):
        assert secret not in text, text
    return process


def runs(t, behave, code, *flags, env=None):
    with RawRouter(behave) as raw:
        app = t.run(code, "run", t.file("app.lua", apps.HELLO), "--url", raw.url, *flags,
                    env=JOE if env is None else env)
        return silent(app), raw


# ---- where secrets come from

def offers(t, env, *flags):
    """What HELLO offers."""
    def behave(link):
        link.upgrade()
        link.recv()
        link.send(ABORT, {"message": "enough"}, "wamp.error.authentication_failed")
    app, raw = runs(t, behave, 5, *flags, env=env)
    one_line(app, "^error: enough")
    details = raw.wait(HELLO)[2]
    return details.get("authmethods"), details.get("authid"), details.get("authextra", {})


@test_each({
    "nothing": ({}, None, None),
    "a secret that nobody goes with": ({"WAMPYSECRET": SECRET}, None, None),
    "a secret and an authid": (JOE, ["wampcra"], "joe"),
    "a secret and methods": (SCRAM | {"WAMPY_AUTHMETHOD": "wampcra, ticket"},
                             ["wampcra", "ticket"], "joe"),
    "a ticket": ({"WAMPY_TICKET": SECRET}, ["ticket"], None),
    "a key": ({"WAMPY_PRIVATE_KEY": KEY}, ["cryptosign"], None),
    "an empty secret": ({"WAMPYSECRET": "", "WAMPY_AUTHID": "joe"}, None, "joe"),
})
def the_environment_says_who_joins(t, env, methods, authid):
    got = offers(t, env)
    equal(got[:2], (methods, authid))


@test
def flags_win_over_the_environment(t):
    ticket = t.file("ticket", SECRET + "\n")
    equal(offers(t, JOE, "--ticket-file", ticket, "--authid", "ann")[:2], (["ticket"], "ann"))
    equal(offers(t, JOE, "--secret-file", ticket)[:2], (["wampcra"], "joe"))
    equal(offers(t, JOE, "--authmethod", "ticket")[:2], (["ticket"], "joe"))
    key = t.file("key", "private-key-ed25519: %s\n" % KEY)
    methods, _, extra = offers(t, JOE, "--key", key)
    equal(methods, ["cryptosign"])
    equal(extra["pubkey"], "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d")


@test_each({
    "two secrets": (2, ["--secret-file", "a", "--key", "b"], "--secret-file or --key, not both"),
    "no such file": (3, ["--secret-file", "absent"], "--secret-file: cannot read the file: No such file"),
    "an empty file": (3, ["--ticket-file", "/dev/null"], "--ticket-file: .* not empty"),
    "no key": (3, ["--key", "/dev/null"], "--key: expected 64 hex digits"),
    "an unknown method": (3, ["--authmethod", "kerberos"], "unknown authentication method"),
})
def a_bad_flag_is_named(t, code, flags, line):
    one_line(t.run(code, "run", t.file("app.lua", apps.HELLO), *flags), "^error: .*" + line)


@test
def a_bad_variable_is_named(t):
    app = t.run(3, "run", t.file("app.lua", apps.HELLO), env={"WAMPY_PRIVATE_KEY": KEY + "0"})
    one_line(silent(app), "WAMPY_PRIVATE_KEY: expected 64 hex digits")


# ---- a router that plays by the rules

@test
def a_challenge_is_answered_and_the_app_runs(t):
    with RawRouter(challenges("wampcra", {"challenge": "x"}, welcomes)) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url, "--log", "trace",
                      env=JOE)
        app.out.wait("^ready")
        silent(app.ends(0, signal.SIGTERM))
        equal(len(raw.wait(AUTHENTICATE)[1]), 44)


@test
def a_refusal_is_final(t):
    app, raw = runs(t, challenges("wampcra", {"challenge": "x"}, refuses), 5, "--log", "trace")
    app.err.wait("^error: wrong signature .*authentication_failed")
    equal(len(raw.links), 1)


@test
def no_secret_is_final_and_names_the_variable(t):
    app, raw = runs(t, challenges("wampcra", {"challenge": "x"}), 5,
                    env={"WAMPY_AUTHMETHOD": "wampcra"})
    one_line(app, "^error: .*WAMPYSECRET")
    equal(raw.wait(ABORT), [ABORT, {"message": "the challenge was not answered"},
                            "wamp.error.cannot_authenticate"])


# ---- routers that do not

@test_each({
    "a method that was not offered": (JOE, "ticket", {}, '"ticket", which was not offered'),
    "a method of no name": (JOE, "", {}, "not offered"),
    "no challenge": (JOE, "wampcra", {}, "has no challenge"),
    "a challenge that is a list": (JOE, "wampcra", {"challenge": []}, "type table, not string"),
    "a derivation that takes hours": (JOE, "wampcra", {
        "challenge": "x", "salt": "s", "iterations": 4000000000}, "4000000000, which is not in"),
    "a key of a megabyte": (JOE, "wampcra", {"challenge": "x", "salt": "s", "keylen": 1048576},
                            "keylen = 1048576"),
    "a nonce of its own": (SCRAM, "wamp-scram", lambda hello: scram(hello, nonce="AAAA"),
                           "does not continue ours"),
    "a derivation that is too cheap": (SCRAM, "wamp-scram",
                                       lambda hello: scram(hello, iterations=1),
                                       "iterations = 1, which is not in 4096"),
    "a gigabyte of Argon2": (SCRAM, "wamp-scram", lambda hello: scram(
        hello, kdf="argon2id13", iterations=1, memory=1048576), "memory = 1048576|does not have"),
    "a challenge of cryptosign that is a text": (
        {"WAMPY_PRIVATE_KEY": KEY}, "cryptosign", {"challenge": "I owe you 10"}, "64 hex digits"),
})
def gets_no_answer_to(t, env, method, extra, line):
    app, raw = runs(t, challenges(method, extra), 5, env=env)
    one_line(app, "^error: .*" + line)
    equal(raw.wait(ABORT)[2], "wamp.error.cannot_authenticate")
    assert not [m for m in raw.seen if m[0] == AUTHENTICATE]


@test_each({
    "no verifier": ({}, "WELCOME has no verifier"),
    "a wrong verifier": ({"authextra": {"verifier": "A" * 43 + "="}}, "wrong verifier"),
})
def is_not_believed_with(t, details, line):
    app, raw = runs(t, challenges("wamp-scram", scram,
                                  lambda link, m: welcomes(link, m, **details)), 5, env=SCRAM)
    one_line(app, "^error: .*" + line)
    equal(raw.wait(ABORT)[2], "wamp.error.cannot_authenticate")
    equal({m[0] for m in raw.seen}, {HELLO, AUTHENTICATE, ABORT})


@test
def is_not_believed_without_a_challenge(t):
    app, _ = runs(t, lambda link: (link.join(), link.serve()), 5, env=SCRAM)
    one_line(app, "^error: .*proves nothing")


@test
def two_challenges_end_the_session(t):
    def again(link, _):
        link.send(CHALLENGE, "wampcra", {"challenge": "y"})
    app, raw = runs(t, challenges("wampcra", {"challenge": "x"}, again), 4, "--retries", "0")
    one_line(app, "^error: .*CHALLENGE is not allowed")
    equal(raw.wait(ABORT)[2], "wamp.error.protocol_violation")
    equal(len([m for m in raw.seen if m[0] == AUTHENTICATE]), 1)


@test
def welcome_before_the_answer_ends_the_session(t):
    def behave(link):
        link.upgrade()
        link.recv()
        link.send(CHALLENGE, "wampcra", {"challenge": "x"})
        welcomes(link, None)
        link.serve()
    with RawRouter(behave) as raw:
        app = t.file("app.lua", """
            local wampy = require "wampy"
            local c = wampy.Client { roles = { authmethods = { "ticket" , "wampcra" } },
              auth = function() wampy.sleep(20) return "late" end }
            local ok, e = pcall(c.start, c)
            print(ok, e.name)""")
        equal(t.run(0, app, env={"WAMPY_URL": raw.url}).out.all(), ["false\tWampProtocolError"])
        assert not [m for m in raw.seen if m[0] == AUTHENTICATE]


@test
def silence_after_the_answer_ends_in_time(t):
    app, _ = runs(t, challenges("wampcra", {"challenge": "x"}), 7, "--retries", "0",
                  "--connect-timeout", "0.5")
    one_line(app, "^error: ")


@test
def a_link_that_ends_after_the_answer_is_tried_again(t):
    good = challenges("wampcra", {"challenge": "x"}, welcomes)
    with RawRouter(challenges("wampcra", {"challenge": "x"}, lambda link, _: link.vanish()),
                   good) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url, env=JOE)
        app.out.wait("^ready")
        silent(app.ends(0, signal.SIGTERM))


@test
def a_refusal_when_joining_again_is_final(t):
    def once(link, _):
        welcomes(link, None)
        link.send(REGISTERED, link.recv()[1], 1)
        link.send(SUBSCRIBED, link.recv()[1], 2)
        link.vanish()
    with RawRouter(challenges("wampcra", {"challenge": "x"}, once),
                   challenges("wampcra", {"challenge": "x"}, refuses)) as raw:
        app = silent(t.run(5, "run", t.file("app.lua", apps.HELLO), "--url", raw.url, env=JOE))
        app.err.wait("^error: wrong signature")
        equal(len(raw.links), 2)


@test
def workers_have_the_flags_of_their_run(t):
    with RawRouter(challenges("wampcra", {"challenge": "x"}, welcomes)) as raw:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url", raw.url, "--workers", "2",
                      "--authid", "joe", "--secret-file", t.file("secret", SECRET))
        app.out.wait("^ready")
        silent(app.ends(0, signal.SIGTERM))
        equal(len([m for m in raw.seen if m[0] == AUTHENTICATE]), 2)


@test
def hello_announces_the_roles_that_are_given(t):
    def behave(link):
        link.upgrade()
        link.recv()
        welcomes(link, None, authid="joe", authrole="user", authmethod="x", authprovider=None)
        link.serve()
    with RawRouter(behave) as raw:
        lines = t.script("""
            local wampy = require "wampy"
            local client <close> = wampy.Client { roles = { authid = "joe", authmethods = { "anonymous" },
              roles = { subscriber = {}, callee = { shared_registration = true, features = {} } } } }
            client:start()
            local s = client.session
            print(s.authid, s.authrole, s.authmethod, s.authprovider)""",
                         env={"WAMPY_URL": raw.url})
        equal(lines, ["joe\tuser\tx\tnil"])
        details = raw.wait(HELLO)[2]
        equal(set(details["roles"]), {"subscriber", "callee"})
        equal(details["roles"]["callee"], {"features": {"shared_registration": True}})
        assert details["roles"]["subscriber"]["features"]["pattern_based_subscription"]
        equal((details["authid"], details["authmethods"]), ("joe", ["anonymous"]))


# ---- nothing is printed

@test_each({level: (level,) for level in ("error", "warn", "info", "debug", "trace")})
def no_secret_is_printed_at_level(t, level):
    answers = {
        "wampcra": (JOE, {"challenge": "x", "salt": "s"}),
        "ticket": ({"WAMPY_TICKET": SECRET}, {}),
        "cryptosign": ({"WAMPY_PRIVATE_KEY": KEY}, {"challenge": "ff" * 32}),
        "wamp-scram": (SCRAM, scram),
    }
    for method, (env, extra) in answers.items():
        runs(t, challenges(method, extra, refuses), 5, "--log", level, env=env)
        runs(t, challenges("unheard-of", extra), 5, "--log", level, env=env)
        runs(t, challenges(method, []), 4, "--log", level, "--retries", "0", env=env)


@test
def no_secret_is_in_the_traceback_of_a_script(t):
    with RawRouter(challenges("ticket", {}, refuses)) as raw:
        app = t.file("script.lua", """
            local wampy = require "wampy"
            local client = wampy.Client { auth = { ticket = "%s" } }
            print(client, client.config)
            client:start()""" % SECRET)
        script = t.run(1, app, env={"WAMPY_URL": raw.url})
        script.err.wait("wrong signature")
        silent(script)


@test
def a_ticket_is_not_sent_in_the_open(t):
    app = t.run(5, "run", t.file("app.lua", apps.HELLO), "--url", "ws://192.0.2.1:9/",
                env={"WAMPY_TICKET": SECRET})
    one_line(silent(app), "^error: the ticket would travel unencrypted to 192.0.2.1")
