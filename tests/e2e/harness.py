"""harness.py: what the tests of this folder are written with.

A test is a function marked @test that gets a `Case`: a temporary folder, and the processes it
started, which end with it whatever happens. Nothing sleeps for order's sake: tests wait for lines,
messages and exits, each for a bounded time. Tests share nothing, so that they run side by side.
"""
import concurrent.futures
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = [os.path.join(ROOT, "build/release/wampy-lua")]  # run.py puts another one there
PATIENCE = 60
TESTS = {}  # module -> [(name, function)]; modules import each other


def test(fn):
    TESTS.setdefault(fn.__module__, []).append((fn.__name__.replace("_", " "), fn))
    return fn


def test_each(cases):
    """One test for each entry of a dict: name = arguments."""
    def mark(fn):
        for name, args in cases.items():
            TESTS.setdefault(fn.__module__, []).append(
                ("%s: %s" % (fn.__name__.replace("_", " "), name),
                 lambda t, args=args: fn(t, *args)))
        return fn
    return mark


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Output:
    """The lines of one stream of a child, as they come."""

    def __init__(self, stream):
        self.lines, self.ended, self.changed = [], False, threading.Condition()
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def find(self, pattern):
        return next((m for m in (re.search(pattern, line) for line in self.lines) if m), None)

    def wait(self, pattern, seconds=PATIENCE):
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.find(pattern), seconds)
            found = self.find(pattern)
        assert found, "no line like %r in %s" % (pattern, self.lines)
        return found

    def all(self):
        with self.changed:
            self.changed.wait_for(lambda: self.ended, PATIENCE)
        return self.lines


class Process:
    def __init__(self, command, env, cwd, stdin):
        self.command = command
        self.child = subprocess.Popen(
            command, env=env, cwd=cwd, text=True, errors="replace", stdout=subprocess.PIPE,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.pid = self.child.pid
        self.out, self.err = Output(self.child.stdout), Output(self.child.stderr)
        if isinstance(stdin, str):  # with subprocess.PIPE it stays open until the test closes it
            with contextlib.suppress(BrokenPipeError):  # it may have ended without reading
                self.child.stdin.write(stdin)
                self.child.stdin.close()

    def signal(self, number):
        self.child.send_signal(number)

    def exit(self, seconds=PATIENCE):
        """Waits for the end: the exit code."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s did not end; stdout: %s; stderr: %s" % (
                self.command, self.out.lines, self.err.lines)) from None

    def ends(self, code, signal=None):
        """Sends the signal, if one is given, and checks the exit code."""
        if signal:
            self.signal(signal)
        got = self.exit()
        assert got == code, "%s ended with %s, not %s; stdout: %s; stderr: %s" % (
            self.command, got, code, self.out.all(), self.err.all())
        return self

    def cpu(self):
        """Seconds of CPU used so far."""
        with open("/proc/%d/schedstat" % self.pid, encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9


class Case:
    def __init__(self, env):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="wampy-e2e-"))
        self.processes = []
        self.env = {k: v for k, v in os.environ.items()
                    if not re.match("WAMPY|LUA_|MAKE|MFLAGS|(?i:https?_proxy|no_proxy)", k)} | env

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, *args, env=None, stdin=None, cwd=None, program=None):
        command = (program or PROGRAM) + [str(a) for a in args]
        process = Process(command, self.env | (env or {}), cwd or self.folder, stdin)
        self.processes.append(process)
        return process

    def run(self, code, *args, **kw):
        """Starts the program and waits for its end, which must have this exit code."""
        return self.start(*args, **kw).ends(code)

    def router(self, *args):
        """A router of ours on a free port: the process and its URL."""
        process = self.start("router", *(args or ("--listen", "0")))
        return process, process.out.wait(r"^router +(\S+://\S+)").group(1)

    def script(self, text, *args, **kw):
        """Runs a Lua script to its good end: its lines."""
        kw.setdefault("env", {})
        process = self.start(self.file("script_%d.lua" % len(self.processes), text), *args, **kw)
        return process.ends(0).out.all()

    def calls(self, url, expression, *args, **kw):
        """What a client `c` that joined url gets for an expression, as lines."""
        return self.script(CALLER % expression, url, *args, **kw)

    def close(self):
        for process in self.processes:
            if process.child.poll() is None:
                process.child.kill()
            process.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


CALLER = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], realm = arg[2], call_timeout = 20 }:start()
for _, v in ipairs(table.pack(%s)) do print(v) end
"""


def equal(got, wanted):
    assert got == wanted, "got %r, wanted %r" % (got, wanted)


def one_line(process, pattern):
    """stderr is one line, and that is like the pattern. An error closes with its code."""
    lines = process.err.all()
    assert len(lines) == 1 and re.search(pattern, lines[0]), "wanted one line like %r, got %s" % (
        pattern, lines)
    coded = not lines[0].startswith("error: ") or re.search(r" \[W\d{3}\]$", lines[0])
    assert coded, "no code: " + lines[0]


def attempt(name, fn, env):
    case, begun = Case(env), time.monotonic()
    try:
        fn(case)
        failure = None
    except Exception as error:  # pylint: disable=broad-except
        at = traceback.extract_tb(error.__traceback__)
        where = next((f for f in reversed(at) if "test_" in f.filename), at[-1])
        failure = "%s:%d: %s: %s" % (os.path.basename(where.filename), where.lineno,
                                     type(error).__name__, error)
    finally:
        case.close()
    return name, failure, time.monotonic() - begun


def run(tests, workers, verbose):
    """Runs the tests side by side: how many passed, and how many failed."""
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(attempt, *one) for one in tests]):
            name, failure, seconds = done.result()
            passed, failed = passed + (not failure), failed + bool(failure)
            if failure:
                print("FAILED  %s\n        %s" % (name, failure))
            elif verbose:
                print("passed  %s (%.1f s)" % (name, seconds))
            sys.stdout.flush()
    return passed, failed
