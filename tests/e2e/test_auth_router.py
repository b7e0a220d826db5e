"""test_auth_router.py: authentication by a router of ours that a configuration describes: what it
refuses to start with, whom it lets in, and that no secret is ever printed."""
import json
import signal

import apps
from harness import equal, one_line, test, test_each
from test_run import READY, crossbar_config

SECRET = "s3cr3t-0f-joe"
ECHO = "c:register('echo', function(x) return x end) and c:call('echo', 'back')"


def configured(t, auth):
    """A configuration whose role is "user", with an auth section."""
    config = json.loads(crossbar_config(0, "realm1"))
    worker = config["workers"][0]
    worker["realms"][0]["roles"][0]["name"] = "user"
    worker["transports"][0]["paths"]["ws"]["auth"] = auth
    return t.file("config.json", json.dumps(config))


def wampcra(**changed):
    joe = {"secret": SECRET, "role": "user", "salt": "salt123", "iterations": 100, "keylen": 16}
    return {"wampcra": {"type": "static", "users": {"joe": joe | changed}}}


def silent(*processes):
    for process in processes:
        text = "\n".join(process.out.all() + process.err.all())
        assert SECRET not in text, text


@test_each({
    "a role that is not there": (wampcra(role="usr"), r"users\.joe\.role: there is no role \"usr\""),
    "a mistyped key": (wampcra(secert="x"), r"users\.joe: unknown key \"secert\""),
    "a mistyped method": ({"wampcar": {}}, r"auth: unknown key \"wampcar\""),
    "a dynamic authenticator without a procedure": (
        {"ticket": {"type": "dynamic"}}, r"auth\.ticket\.authenticator: expected the URI"),
    "an authenticator in a realm that is not there": (
        {"ticket": {"type": "dynamic", "authenticator": "com.x", "authenticator-realm": "realm9"}},
        r"auth\.ticket\.authenticator-realm: there is no realm \"realm9\""),
    "a secret that is a number": (wampcra(secret=7), r"users\.joe\.secret: expected a string"),
    "too many iterations": (wampcra(iterations=10 ** 7), r"iterations: expected an integer from 1"),
})
def does_not_start_with(t, auth, complaint):
    router = t.run(3, "router", "--config", configured(t, auth), "--check")
    one_line(router, r"config\.json\.workers\[0\]\.transports\[0\]\.paths\.ws\." +
             ("" if complaint.startswith("auth") else ".*") + complaint)
    silent(router)


@test
def lets_in_who_proves_it_and_nobody_else(t):
    router, url = t.router("--config", configured(t, wampcra()), "--listen", "0", "--log", "trace")
    hello = t.file("hello.lua", apps.HELLO)

    def joins(code, **env):
        return t.run(code, "run", hello, "--url", url, "--retries", "0", "--once", "--log", "trace",
                     env=env)
    good = joins(0, WAMPY_AUTHID="joe", WAMPYSECRET=SECRET)
    good.out.wait("say_hello")
    wrong = joins(5, WAMPY_AUTHID="joe", WAMPYSECRET="another")
    nobody = joins(5, WAMPY_AUTHID="ann", WAMPYSECRET=SECRET)
    equal(wrong.err.wait("error: .*").group(0), nobody.err.wait("error: .*").group(0))
    joins(5).err.wait("this realm offers: wampcra")
    router.ends(0, signal.SIGTERM)
    silent(router, good, wrong, nobody)


@test
def takes_a_secret_from_its_environment(t):
    router = t.start("router", "--config", configured(t, wampcra(secret="$JOES_SECRET")),
                     "--listen", "0", env={"JOES_SECRET": SECRET})
    url = router.out.wait(r"^router +(ws\S+)").group(1)
    env = {"WAMPY_AUTHID": "joe", "WAMPYSECRET": SECRET}
    equal(t.calls(url, ECHO, "realm1", env=env), ["back"])
    router.ends(0, signal.SIGTERM)
    one_line(t.run(3, "router", "--config", configured(t, wampcra(secret="$JOES_SECRET"))),
             "the environment variable JOES_SECRET is not set")


@test
def apps_of_the_same_process_prove_it_too(t):
    def run(env):
        return t.start("run", t.file("hello.lua", apps.HELLO), "--router=0", "--config",
                       configured(t, wampcra()), env=env)
    app = run({"WAMPY_AUTHID": "joe", "WAMPYSECRET": SECRET})
    app.out.wait(READY)
    app.ends(0, signal.SIGTERM)
    run({}).ends(5)
