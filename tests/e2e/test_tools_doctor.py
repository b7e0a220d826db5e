"""test_tools_doctor.py: wampy-lua doctor: each stage that can fail, with its exit code, its cause and
a cure."""
import json
import os
import signal
import socket

from certs import Certs
from harness import closed_port, equal, one_line, test, test_each
from raw_router import ABORT, HELLO, RawRouter

STAGES = ["dns", "tcp", "tls", "http", "subprotocol", "hello", "authentication", "features"]


def stages(process):
    """What each stage came to, {stage: result}; the cure, and the cause, when one failed."""
    found, cure, cause = {}, None, None
    for line in process.out.all():
        words = line.split(None, 2)
        if words[0] == "try":
            cure = line.split(None, 1)[1]
            continue
        found[words[0]] = words[1]
        cause = words[2] if words[1] == "failed" else cause
    return found, cure, cause


def fails(t, code, stage, cause, cure, *args, **kw):
    """doctor ends with this code at this stage, and says nothing of the ones behind it."""
    done = t.run(code, "doctor", *args, **kw)
    found, said, why = stages(done)
    equal(list(found), [s for s in list(found) if s != stage] + [stage])
    equal([s for s in found if found[s] == "failed"], [stage])
    assert cause in why and cure in said, (why, said)
    equal(done.err.all(), [])


@test
def doctor_is_content_with_a_good_router(t):
    _, url = t.router("--listen", "localhost:0")
    done = t.run(0, "doctor", "-u", url.replace("127.0.0.1", "localhost"))
    found, cure, _ = stages(done)
    equal(list(found), STAGES)
    equal([found[s] for s in STAGES], ["ok", "ok", "-"] + ["ok"] * 5)
    equal(cure, None)
    whole = json.loads(t.run(0, "doctor", "-u", url, "--json").out.all()[0])
    equal([s["stage"] for s in whole["stages"]], STAGES)
    equal((whole["ok"], whole.get("try")), (True, None))


@test
def doctor_names_what_fails_before_anything_is_sent(t):
    fails(t, 4, "dns", "nowhere.invalid", "spelling", "-u", "ws://nowhere.invalid")
    fails(t, 4, "tcp", "efused", "wampy-lua router", "-u", "ws://127.0.0.1:%d" % closed_port())
    fails(t, 4, "tcp", "No such file", "route to it", "-u", "ws+unix://%s/none.sock" % t.folder)


@test
def doctor_tells_time_over_from_refused(t):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        fails(t, 7, "http", "did not answer", "--connect-timeout", "--connect-timeout", "300ms",
              "-u", "ws://127.0.0.1:%d" % mute.getsockname()[1])


@test
def doctor_names_what_is_wrong_with_tls(t):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    _, url = t.router("--listen", "wss://127.0.0.1:0/", "--cert", cert, "--cert-key", key)
    fails(t, 4, "tls", "CA", "--ca", "-u", url)
    found, _, _ = stages(t.run(0, "doctor", "-u", url, "--ca", certs.ca))
    equal(found["tls"], "ok")
    _, plain = t.router()
    fails(t, 4, "tls", "TLS", "is it wss://", "-u", plain.replace("ws:", "wss:"))


def answers(status):
    def behave(link):
        link.request()
        link.answer(status, "Content-Length: 0")
    return behave


@test_each({
    "404": ("404 Not Found", "/ws"), "401": ("401 Unauthorized", "--header"),
    "403": ("403 Forbidden", "origins"), "500": ("502 Bad Gateway", "is not up"),
    "200": ("200 OK", "does not lead to"),
})
def doctor_names_the_http_status(t, status, cure):
    with RawRouter(answers(status)) as raw:
        fails(t, 4, "http", "HTTP " + status[:3], cure, "-u", raw.url)


@test
def doctor_names_a_wrong_subprotocol_and_one_who_hangs_up(t):
    with RawRouter(lambda link: link.upgrade("chat")) as raw:
        fails(t, 4, "subprotocol", "subprotocol", "--serializer", "-u", raw.url)
    with RawRouter(lambda link: link.request()) as raw:
        fails(t, 4, "http", "closed", "hangs up", "-u", raw.url)


@test
def doctor_names_a_refused_session(t):
    _, url = t.router()
    fails(t, 5, "hello", "no_such_realm", "--realm", "-u", url, "-r", "nowhere")
    fails(t, 5, "authentication", "anonymous", "other methods", "-u", url, "--authid", "joe",
          env={"WAMPYSECRET": "secret"})


@test
def doctor_names_a_wrong_secret(t):
    def behave(link):
        link.upgrade()
        link.recv()
        link.send(4, "ticket", {})
        link.recv()
        link.send(ABORT, {"message": "not you"}, "wamp.error.authentication_failed")
    with RawRouter(behave) as raw:
        fails(t, 5, "authentication", "not you", "--authid", "-u", raw.url, "--authid", "joe",
              env={"WAMPY_TICKET": "secret"})


@test
def doctor_names_a_router_that_does_not_welcome(t):
    def mute(link):
        link.upgrade()
        link.serve()
    with RawRouter(mute) as raw:
        fails(t, 7, "hello", "in time", "overloaded", "-u", raw.url, "--connect-timeout", "300ms")
    with RawRouter(mute) as raw:
        child = t.start("doctor", "-u", raw.url)
        raw.wait(HELLO)
        child.ends(130, signal.SIGINT)


@test
def doctor_says_which_features_there_are_not(t):
    def poor(link):
        link.join()
        link.serve()
    with RawRouter(poor) as raw:
        done = t.run(0, "doctor", "-u", raw.url)
        done.out.wait("^features +ok +the router does not have .*dealer.progressive_call_results")


@test
def doctor_knows_rawsocket(t):
    _, url = t.router("--listen", "rs://127.0.0.1:0")
    found, _, _ = stages(t.run(0, "doctor", "-u", url))
    equal((found["handshake"], found.get("http")), ("ok", None))
    _, plain = t.router()
    fails(t, 4, "handshake", "RawSocket", "host and port", "-u", plain.replace("ws:", "rs:"))


@test
def doctor_code_2_is_a_wrong_command_line(t):
    one_line(t.run(2, "doctor", "-u", "http://x"), "^error: --url: invalid url")
    one_line(t.run(2, "doctor", "--key", "/nowhere"), "^error: --key: cannot read the file")
