"""test_tools_bench.py: wampy-lua bench: what it counts and prints, and how it ends. No number of it is
compared with a clock."""
import json
import signal

from harness import closed_port, equal, one_line, test
from raw_router import CALL, RawRouter


def answering(t):
    """The URL of a router where com.echo is answered."""
    _, url = t.router()
    callee = t.start("register", "com.echo", "--echo", "-u", url)
    callee.err.wait("registered com.echo")
    return url


@test
def bench_counts_so_many_calls(t):
    url = answering(t)
    words = ["bench", "call", "com.echo", "-u", url, "-n", "200", "-c", "3", "--warmup", "0"]
    whole = json.loads(t.run(0, *words, "--parallel", "2", "--json").out.all()[0])
    equal([whole[k] for k in ("what", "uri", "count", "clients", "parallel", "size")],
          ["call", "com.echo", 200, 3, 2, 128])
    times = whole["latency"]
    assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["p99.9"] <= times["max"], times
    assert abs(whole["rate"] * whole["seconds"] - 200) < 0.01, whole
    said = t.run(0, *words).out.all()
    assert said[0].startswith("call com.echo: 200 in "), said
    assert said[1].startswith("p50 ") and said[1].endswith(" ms"), said


@test
def bench_sends_what_it_is_told_to_and_warms_up(t):
    _, url = t.router()
    ear = t.start("sub", "com.t", "--raw", "-u", url)
    ear.err.wait("subscribed com.t")
    t.run(0, "bench", "publish", "com.t", "-u", url, "-n", "5", "-c", "1", "--size", "7",
          "--warmup", "0")
    ear.out.wait("^xxxxxxx$")
    whole = t.run(0, "bench", "publish", "com.t", "-u", url, "--duration", "50ms", "--warmup",
                  "50ms", "--json", "--size", "0").out.all()
    assert json.loads(whole[0])["count"] > 0, whole


@test
def bench_without_acknowledgement_knows_no_times(t):
    _, url = t.router()
    ear = t.start("sub", "com.t", "--raw", "-u", url)
    ear.err.wait("subscribed com.t")
    done = t.run(0, "bench", "publish", "com.t", "-u", url, "-n", "300", "-c", "2", "--no-ack",
                 "--warmup", "0", "--json")
    whole = json.loads(done.out.all()[0])
    equal((whole["count"], "latency" in whole), (300, False))
    t.run(0, "pub", "com.t", "end", "-u", url)
    ear.out.wait("^end$")
    equal(len(ear.out.lines), 300 + 2 + 1)  # what settles comes besides: one of each client


@test
def bench_ends_with_the_code_of_the_first_failure(t):
    url = answering(t)
    one_line(t.run(2, "bench", "call", "com.echo", "-n", "0"), "^error: --count: expected a number")
    one_line(t.run(4, "bench", "call", "com.f", "-u", "ws://127.0.0.1:%d" % closed_port()),
             "^error: .*refused")
    one_line(t.run(5, "bench", "call", "com.f", "-u", url, "-r", "nope"), "^error: .*no_such_realm")
    one_line(t.run(6, "bench", "call", "com.eco", "-u", url), r"did you mean com\.echo\?")


@test
def bench_ends_when_nobody_answers_the_link_is_lost_or_a_signal_comes(t):
    def mute(link):
        link.join()
        link.serve(call=lambda message: None)

    def vanishes(link):
        link.join()
        while link.recv()[0] != CALL:
            pass
        link.vanish()
    words = ["bench", "call", "com.f", "-c", "2", "-u"]
    with RawRouter(mute) as raw:
        one_line(t.run(7, *words, raw.url, "--timeout", "300ms"), "^error: .*no answer in time")
    with RawRouter(vanishes) as raw:
        one_line(t.run(8, *words, raw.url), "^error: .*(lost|closed)")
    with RawRouter(mute) as raw:
        child = t.start(*words, raw.url)
        raw.wait(CALL)
        child.ends(130, signal.SIGINT)
