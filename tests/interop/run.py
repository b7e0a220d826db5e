#!/usr/bin/python3
"""run.py: foreign peers and ours, each as tester of each other's service.

usage: run.py PATH/TO/wampy-lua [WORD...]    only pairs whose name holds one of the words

On our own router every tester meets every service; on a real Crossbar.io our app meets every
foreign tester, and our tester the foreign services. A pair is two processes that talk below a
prefix of their own: the service says "ready", the tester prints TAP and ends. js/scenario.js says
what they do.
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
LEAST = 10  # tests that every tester has


def foreign(*command):
    return {
        "serve": lambda url, prefix: [*command, "serve", url, prefix],
        "test": lambda url, prefix, flavour: [*command, "test", url, prefix, flavour],
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
FLAVOURS = {"autobahn-js": "js", "wampy-js": "js", "wampy-python": "wampy"}
ENV = dict(os.environ, NODE_PATH=os.path.join(PEERS, "node/node_modules"),
           PYTHONDONTWRITEBYTECODE="1")


class Process:
    """A child whose output is read line by line, with time limits, and which never outlives us."""

    def __init__(self, command):
        self.lines, self.seen = queue.Queue(), []
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=ENV, text=True, errors="replace")
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


def pair(router, url, tester, service):
    """Runs one pair: name, passed, failures."""
    name = "%s: %s tests %s" % (router, tester, service)
    prefix = "interop.%s_%s" % (tester.replace("-", "_"), service.replace("-", "_"))
    with Process(KINDS[service]["serve"](url, prefix)) as server:
        try:
            server.wait_line("^ready")
        except RuntimeError as error:
            return name, 0, ["the service did not start: %s" % error] + server.seen
        flavour = FLAVOURS.get(service, "")
        with Process(KINDS[tester]["test"](url, prefix, flavour)) as client:
            lines = client.output(30)
    passed = sum(line.startswith("ok ") for line in lines)
    failures = [line for line in lines if line.startswith("not ok ")]
    if passed + len(failures) < LEAST:
        failures += ["ended after %d tests" % (passed + len(failures))] + lines[-20:]
    return name, passed, failures


def matrix(router, url):  # what foreign peers do among themselves on Crossbar.io is not our concern
    for tester in KINDS:
        for service in KINDS:
            if router == "crossbar" and "lua" not in (tester, service):
                continue
            if not ONLY or any(word in (router, tester, service) for word in ONLY):
                yield router, url, tester, service


def run(pairs):
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, good, failures in pool.map(lambda each: pair(*each), pairs):
            passed += good
            failed += len(failures) and max(1, sum(f.startswith("not ok") for f in failures))
            print("%-50s %3d passed %3d failed" % (name, good, len(failures)), flush=True)
            for failure in failures:
                print("    " + failure.replace("\\n", "\n    "), flush=True)
    return passed, failed


def main():
    listen = [WAMPY, "router", "--listen", "ws://127.0.0.1:0/", "--realm", "realm1"]
    with Process(listen) as router:
        url = router.wait_line(r"(ws://127\.0\.0\.1:\d+/)").group(1)
        ours = run(matrix("router", url))
    with Crossbar() as url:
        theirs = run(matrix("crossbar", url))
    passed, failed = ours[0] + theirs[0], ours[1] + theirs[1]
    print("interop: %d passed, %d failed" % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
