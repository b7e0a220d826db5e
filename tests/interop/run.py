#!/usr/bin/python3
"""run.py: foreign peers and ours, each as tester of each other's service.

usage: run.py PATH/TO/wampy-lua [WORD...]    only the pairs that a word names, "formats", "weather",
                                             "auth", "kept" or "features"

On our own router every tester meets every service; on a real Crossbar.io our app meets every
foreign tester, and our tester the foreign services. A pair is two processes that talk below a
prefix of their own: the service says "ready", the tester prints TAP and ends. js/scenario.js says
what they do. Then some of them do it again in other formats, mixed: each finds its own in
WAMPY_SERIALIZER. The foreign peers prove who they are to our router (auth/), and use the events
that it keeps (kept/). Then apps/06-weather serves them, by `run --router` and on Crossbar.io.
"""
import concurrent.futures
import os
import queue
import re
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(ROOT, "build/peers")
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
from crossbar import Crossbar  # noqa: E402 pylint: disable=wrong-import-position

WAMPY = os.path.abspath(sys.argv[1])
ONLY = sys.argv[2:]
# tests that every tester has
LEAST, LEAST_WEATHER, LEAST_AUTH, LEAST_KEPT, LEAST_RPC = 10, 5, 6, 4, 5
LEAST_FEATURES = 10
WEATHER = [WAMPY, "run", os.path.join(ROOT, "apps/06-weather/main.lua")]


def foreign(*command):
    return {
        "serve": lambda url, prefix: [*command, "serve", url, prefix],
        "test": lambda url, prefix, flavour: [*command, "test", url, prefix, flavour],
        "weather": lambda url: [*command, "weather", url],
    }


PYTHON = os.path.join(PEERS, "python/bin/python")
KINDS = {
    "autobahn-js": foreign("node", os.path.join(HERE, "js/autobahn_peer.js")),
    "wampy-js": foreign("node", os.path.join(HERE, "js/wampy_peer.js")),
    "autobahn-python": foreign(PYTHON, os.path.join(HERE, "py/autobahn_peer.py")),
    "wampy-python": foreign(PYTHON, os.path.join(HERE, "py/wampy_peer.py")),
    "lua": {
        "serve": lambda url, prefix: [
            WAMPY, "run", os.path.join(HERE, "lua/service.lua"), "--url", url, "--", prefix],
        "test": lambda url, prefix, flavour: [
            WAMPY, os.path.join(HERE, "lua/tester.lua"), url, prefix, flavour],
    },
}
AUTH = {  # Crossbar.io's Python has all that autobahn-python needs for cryptosign
    "autobahn-python": [os.path.join(PEERS, "crossbar/bin/python"), "autobahn_peer.py"],
    "wampy-python": [PYTHON, "wampy_peer.py"],
    "autobahn-js": ["node", "autobahn_peer.js"],
    "wampy-js": ["node", "wampy_peer.js"],
}
MIXED = {  # router: (tester, its format, service, its format), each peer in each format both ways
    "router": [
        ("autobahn-js", "msgpack", "autobahn-python", "cbor"),
        ("autobahn-js", "cbor", "wampy-js", "msgpack"),
        ("autobahn-js", "json", "lua", "cbor"),
        ("wampy-js", "msgpack", "autobahn-js", "json"),
        ("wampy-js", "cbor", "autobahn-python", "msgpack"),
        ("wampy-js", "json", "lua", "msgpack"),
        ("autobahn-python", "msgpack", "wampy-js", "cbor"),
        ("autobahn-python", "cbor", "lua", "json"),
        ("autobahn-python", "json", "autobahn-js", "msgpack"),
        ("lua", "msgpack", "autobahn-js", "cbor"),
        ("lua", "cbor", "autobahn-python", "json"),
        ("lua", "msgpack", "lua", "cbor"),
    ],
    "crossbar": [
        ("lua", "cbor", "autobahn-js", "json"),
        ("lua", "msgpack", "autobahn-python", "cbor"),
        ("autobahn-python", "cbor", "lua", "msgpack"),
        ("autobahn-js", "json", "lua", "cbor"),
    ],
}
RPC = {
    "autobahn-python": [PYTHON, os.path.join(HERE, "rpc/autobahn_calls.py")],
    "autobahn-js": ["node", os.path.join(HERE, "rpc/autobahn_calls.js")],
    "wampy-js": ["node", os.path.join(HERE, "rpc/wampy_calls.js")],
    "lua and wampy-js": [WAMPY, os.path.join(HERE, "rpc/parts.lua")],
    "lua and wampy-js, sealed": [WAMPY, os.path.join(HERE, "rpc/sealed.lua")],
}
KEPT = {"autobahn-python": [PYTHON, "kept.py"], "autobahn-js": ["node", "kept.js"]}
FEATURES = {  # the Python of Crossbar.io has what Autobahn encrypts with
    "autobahn-python": [os.path.join(PEERS, "crossbar/bin/python"), "features.py"],
    "autobahn-js": ["node", "features.js"],
}
FLAVOURS = {"autobahn-js": "js", "wampy-js": "js", "wampy-python": "wampy"}
ENV = dict(os.environ, NODE_PATH=os.path.join(PEERS, "node/node_modules"),
           PYTHONDONTWRITEBYTECODE="1")


class Process:
    """A child whose output is read line by line, with time limits, and which never outlives us."""

    def __init__(self, command, serializer="json"):
        self.lines, self.seen = queue.Queue(), []
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(ENV, WAMPY_SERIALIZER=serializer), text=True, errors="replace")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait_line(self, pattern, seconds=20):
        """The first line that matches; RuntimeError when the output ends or nothing comes."""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                line = None
            if line is None:
                raise RuntimeError("no line like %s" % pattern)
            self.seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def output(self, seconds):
        try:
            while self.wait_line("", seconds):
                pass
        except RuntimeError:
            return self.seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def pair(router, url, tester, service, formats=("json", "json")):
    """Runs one pair: name, passed, failures. The formats are the tester's and the service's."""
    name = "%s: %s tests %s" % (router, tester, service)
    if formats != ("json", "json"):
        name += " (%s, %s)" % formats
    prefix = "interop.%s_%s_%s_%s" % (tester.replace("-", "_"), service.replace("-", "_"), *formats)
    with Process(KINDS[service]["serve"](url, prefix), formats[1]) as server:
        try:
            server.wait_line("^ready")
        except RuntimeError as error:
            return name, 0, ["the service did not start: %s" % error] + server.seen
        flavour = FLAVOURS.get(service, "")
        return (name, *tested(KINDS[tester]["test"](url, prefix, flavour), LEAST, formats[0]))


def tested(command, least, serializer="json"):
    """Runs a tester to its end: how many passed, and what went wrong."""
    with Process(command, serializer) as client:
        lines = client.output(30)
    passed = sum(line.startswith("ok ") for line in lines)
    failures = [line for line in lines if line.startswith("not ok ")]
    if passed + len(failures) < least:
        failures += ["ended after %d tests" % (passed + len(failures))] + lines[-20:]
    return passed, failures


def weather(router, url):
    """The foreign peers one after the other as clients of one app that runs on."""
    command = WEATHER + (["--url", url] if url else ["--router=0"])
    with Process(command) as app:
        if not url:
            url = app.wait_line(r"(ws://127\.0\.0\.1:\d+/)").group(1)
        app.wait_line("^ready")
        for tester in KINDS:
            if tester != "lua":
                yield ("%s: %s asks the weather app" % (router, tester),
                       *tested(KINDS[tester]["weather"](url), LEAST_WEATHER))


def configured(name, peers, title, least):
    """Foreign peers on our router with the configuration of the folder `name`."""
    folder = os.path.join(HERE, name)
    listen = [WAMPY, "router", "--listen", "ws://127.0.0.1:0/",
              "--config", os.path.join(folder, "router.json")]
    for peer, (runner, script) in peers.items():
        with Process(listen) as router:  # each has his own: failed attempts make an address wait
            url = router.wait_line(r"(ws://127\.0\.0\.1:\d+/)").group(1)
            prefix = "interop.%s." % peer.replace("-", "_")
            yield ("router: %s %s" % (peer, title),
                   *tested([runner, os.path.join(folder, script), url, prefix], least))


def calls(router, url):
    """What a library does around calls, with itself: busy callees, parts, cancelling."""
    for peer, command in RPC.items():
        if router == "router" or "wampy-js" not in peer:  # what Crossbar.io does not have
            yield ("%s: %s and its calls" % (router, peer),
                   *tested([*command, url, router], LEAST_RPC))


def matrix(router, url):  # what foreign peers do among themselves on Crossbar.io is not our concern
    for tester in KINDS:
        for service in KINDS:
            if router == "crossbar" and "lua" not in (tester, service):
                continue
            if not ONLY or any(word in (router, tester, service) for word in ONLY):
                yield router, url, tester, service


def mixed(router, url):
    for tester, one, service, other in MIXED[router]:
        if not ONLY or "formats" in ONLY:
            yield router, url, tester, service, (one, other)


def results():
    """Everything there is to run, as (name, passed, failures)."""
    listen = [WAMPY, "router", "--listen", "ws://127.0.0.1:0/", "--realm", "realm1"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with Process(listen) as router:
            url = router.wait_line(r"(ws://127\.0\.0\.1:\d+/)").group(1)
            yield from pool.map(lambda each: pair(*each), matrix("router", url))
            yield from pool.map(lambda each: pair(*each), mixed("router", url))
            if not ONLY or "rpc" in ONLY:
                yield from calls("router", url)
        if not ONLY or "auth" in ONLY:
            yield from configured("auth", AUTH, "joins", LEAST_AUTH)
        if not ONLY or "kept" in ONLY:
            yield from configured("kept", KEPT, "and events that are kept", LEAST_KEPT)
        if not ONLY or "features" in ONLY:
            yield from configured("features", FEATURES, "and what is announced", LEAST_FEATURES)
        if not ONLY or "weather" in ONLY:
            yield from weather("router", None)
        with Crossbar() as url:
            yield from pool.map(lambda each: pair(*each), matrix("crossbar", url))
            yield from pool.map(lambda each: pair(*each), mixed("crossbar", url))
            if not ONLY or "rpc" in ONLY:
                yield from calls("crossbar", url)
            if not ONLY or "weather" in ONLY:
                yield from weather("crossbar", url)


def main():
    passed = failed = 0
    for name, good, failures in results():
        bad = len(failures) and max(1, sum(text.startswith("not ok") for text in failures))
        passed, failed = passed + good, failed + bad
        print("%-60s %3d passed %3d failed" % (name, good, bad), flush=True)
        for failure in failures:
            print("    " + failure.replace("\\n", "\n    "), flush=True)
    print("interop: %d passed, %d failed" % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
