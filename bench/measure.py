"""measure: servers and apps under test, and one run of the load generator against them.

It knows how each thing is started, where it listens and which process is charged; it does not know
what is compared with what, nor any limit: that is `run`. A measurement returns a dict: `cost`
(microseconds of CPU for each call or event, unless it says otherwise), `bad` (messages lost or
wrong), and for calls `rate` (a second), `p50` and `p99` (microseconds).

Everything runs on one core, both ends included: the CPU time of the process under test is then
what the scheduler gave it, and not what two cores waited for each other.
"""
import contextlib
import itertools
import json
import os
import pathlib
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
sys.path.append(str(ROOT / "tests" / "e2e"))

from wire import Session, frame  # noqa: E402 pylint: disable=wrong-import-position

BUILD = ROOT / "build" / "bench"
PEERS = ROOT / "build" / "peers"
TOOLS = {
    "load": (["load", "peer", "packed", "meter", "wire", "tls"], ["-lssl", "-lcrypto"]),
    "start": (["start", "peer", "packed", "wire"], ["-lcrypto"]),
    "relay": (["relay", "wire"], ["-lcrypto"]),
    "echo": (["echo", "wire"], ["-lcrypto"]),
    "lws_echo": (["lws_echo", "wire"], ["-lcrypto", "-lwebsockets"]),
}
STEP_LIMIT = 60  # s, one run of the load generator


class Failed(Exception):
    """Something could not be built, started or measured."""


# --- building ----------------------------------------------------------------------------------


def build_tools():
    BUILD.mkdir(parents=True, exist_ok=True)
    newest = max(p.stat().st_mtime for p in BENCH.glob("*.[ch]"))
    for name, (parts, libraries) in TOOLS.items():
        tool = BUILD / name
        if tool.exists() and tool.stat().st_mtime > newest:
            continue
        sources = [str(BENCH / f"{part}.c") for part in parts]
        command = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O2", *sources,
                   "-o", str(tool), *libraries]
        if subprocess.run(command).returncode != 0:
            raise Failed(f"cannot build {name}")


# --- processes ---------------------------------------------------------------------------------

cores = sorted(os.sched_getaffinity(0))
log = tempfile.TemporaryFile("w+")


def on_one_core():
    os.sched_setaffinity(0, {cores[-1]})


def spawn(command, **more):
    """Starts a command on the core of measurement; what it says on stderr goes to the log."""
    env = dict(os.environ, NODE_PATH=str(PEERS / "node" / "node_modules"))
    more.setdefault("stdout", subprocess.DEVNULL)
    more.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.Popen(
            [str(word) for word in command], stderr=log, text=True, env=env,
            preexec_fn=on_one_core, **more)
    except OSError as error:
        raise Failed(f"cannot start {command[0]}: {error.strerror}") from error


def stop(process, sign=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(sign)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


@contextlib.contextmanager
def running(command, **more):
    process = spawn(command, **more)
    try:
        yield process
    finally:
        stop(process)


def first_line(process, what, patience=20):
    """The first line of its output: that it is up, and where."""
    ready, _, _ = select.select([process.stdout], [], [], patience)
    line = process.stdout.readline() if ready else ""
    if not line:
        raise Failed(f"{what} did not start")
    return line


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process under test that listens: its port and the process whose time counts."""

    def __init__(self, name, command):
        self.name = name
        self.process = spawn(command, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        try:
            # a bare number from the floors, "router  ws://127.0.0.1:PORT/  realm" from ours
            self.port = int(re.search(r"(\d+)(?:/.*)?$", first_line(self.process, name)).group(1))
        except BaseException:
            self.stop()
            raise

    def stop(self):
        stop(self.process)


def certificate(directory):
    """A certificate that nobody trusts, and its key."""
    paths = [str(pathlib.Path(directory, name)) for name in ("cert.pem", "cert.key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-out", paths[0], "-keyout", paths[1]], check=True, stderr=subprocess.DEVNULL)
    return paths


class Crossbar(Server):
    """Controller and worker; only the worker, which routes, is charged."""

    def __init__(self, directory):
        self.name, self.port = "Crossbar.io", free_port()
        everything = {"uri": "", "match": "prefix", "allow": {
            "call": True, "register": True, "publish": True, "subscribe": True}}
        worker = {
            "type": "router",
            "realms": [{"name": "realm1", "roles": [
                {"name": "anonymous", "permissions": [everything]}]}],
            "transports": [{
                "type": "websocket", "serializers": ["json"],
                "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": self.port}}],
        }
        config = {"version": 2, "controller": {}, "workers": [worker]}
        pathlib.Path(directory, "config.json").write_text(json.dumps(config))
        self.process = spawn([PEERS / "crossbar" / "bin" / "crossbar", "start", "--cbdir",
                              directory, "--loglevel", "warn"])
        try:
            self.wait_until_up()
            self.pid = self.worker()
        except BaseException:
            self.stop()
            raise

    def wait_until_up(self):
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(
                    ("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise Failed("Crossbar.io did not start")

    def worker(self):
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    return int(path.parent.name)
        raise Failed("Crossbar.io has no worker")


# --- measurements ------------------------------------------------------------------------------


def options(**flags):
    return [word for name, value in flags.items() for word in (f"--{name}", str(value))]


def report(line, what):
    if not line:
        raise Failed(f"{what}: the load generator gave up")
    return json.loads(line)


def load(mode, port, **flags):
    """One run of the load generator: its report."""
    command = [BUILD / "load", mode, *options(port=port, **flags)]
    with running(command, stdout=subprocess.PIPE) as process:
        try:
            line, _ = process.communicate(timeout=STEP_LIMIT)
        except subprocess.TimeoutExpired:
            line = ""
    return report(line, mode)


def cost(result):
    """Microseconds of CPU for each call, event or frame, and what goes with it."""
    return {
        "cost": result["cpu_ns"] / result["count"] / 1000,
        "rate": result["count"] / result["elapsed_ns"] * 1e9,
        "p50": result["p50_ns"] / 1000,
        "p99": result["p99_ns"] / 1000,
        "bad": result["errors"] + result["lost"],
    }


def router_call(server, count, window=1, size=32, tls=0, **formats):
    return cost(load("call", server.port, pid=server.pid, window=window, size=size, tls=tls,
                     warmup=count // 5, count=count, **formats))


def router_fanout(server, count):
    return cost(load("publish", server.port, pid=server.pid, window=64, subscribers=10,
                     warmup=count // 5, count=count))


def echo_call(server, count, window, raw):
    """Two frames in and two out are the traffic of one call."""
    result = cost(load("echo", server.port, pid=server.pid, window=window, raw=raw,
                       warmup=count // 5, count=count))
    return dict(result, cost=2 * result["cost"], rate=result["rate"] / 2)


def app_callee(command, router, count, window=64, watch=None, size=32, **formats):
    """The app answers; its own CPU time counts, or that of `watch`."""
    with running([*command, router.url]) as app:
        return cost(load("call", router.port, pid=(watch or app).pid, callees=0, window=window,
                         size=size,
                         warmup=max(2000, count // 4), count=count, **formats))


def app_subscriber(command, router, count):
    with running([*command, router.url]) as app:
        return cost(load("flood", router.port, pid=app.pid,
                         warmup=max(2000, count // 4), count=count))


def app_caller(command, router, count):
    """The app calls; the load generator answers, and says when it is enough."""
    serve = [BUILD / "load", "serve",
             *options(port=router.port, warmup=max(1000, count // 4), count=count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running(serve, **pipes) as callee:
        first_line(callee, "the load generator")
        with running([*command, router.url]) as app:
            try:
                line, _ = callee.communicate(f"{app.pid}\n", timeout=STEP_LIMIT)
            except subprocess.TimeoutExpired:
                line = ""
    return cost(report(line, "serve"))


def resident_kib(pid, row="VmRSS"):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(row + r":\s+(\d+)", status).group(1))


GIANT = 16384  # KiB of the longest message


def giant(program, callee, router_command):
    """What an echo of the longest message adds to the peak of caller, router or callee, whoever
    takes most of it, in sizes of the message."""
    router, pipes = Server("wampy-lua router", router_command), {"stdout": subprocess.PIPE}
    url = f"ws://127.0.0.1:{router.port}"
    caller = [program, BENCH / "apps" / "giant.lua", url]
    try:
        with running([*callee, url], **pipes) as server:
            until_line(server, "ready.")
            with running(caller, stdin=subprocess.PIPE, **pipes) as process:
                pids = (process.pid, router.pid, server.pid)
                until_line(process, "before")
                before = [resident_kib(pid, "VmHWM") for pid in pids]
                process.stdin.write("\n")
                process.stdin.flush()
                until_line(process, "behind", STEP_LIMIT)
                grown = [resident_kib(pid, "VmHWM") - b for pid, b in zip(pids, before)]
    finally:
        router.stop()
    return {"cost": max(grown) / GIANT, "bad": 0, "each": grown}


@contextlib.contextmanager
def idle_sessions(server, count, topics=0):
    command = [BUILD / "load", "idle",
               *options(port=server.port, sessions=count, topics=topics)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running(command, **pipes) as process:
        first_line(process, "idle sessions")
        yield


def idle(router_command, found):
    """A router of its own: a call without and with 5,000 idle sessions, and their memory."""
    server = Server("wampy-lua router", router_command)
    try:
        found["without"] = router_call(server, 12000)
        empty = resident_kib(server.pid)
        with idle_sessions(server, 2000):
            grown = [(resident_kib(server.pid) - empty) / 2000]
            with idle_sessions(server, 3000):
                grown.append((resident_kib(server.pid) - empty) / 5000)
                found["with"] = router_call(server, 12000)
        found["memory"] = {"cost": max(grown), "bad": 0}
    finally:
        server.stop()
    return found["with"]


def among_topics(router_command, found):
    """An event to one of ten, among 10 and among 100,000 subscriptions to other topics."""
    for name, sessions, topics in (("few", 1, 10), ("many", 10, 10000)):
        server = Server("wampy-lua router", router_command)
        try:
            with idle_sessions(server, sessions, topics):
                found[name] = router_fanout(server, 10000)
        finally:
            server.stop()
    return found["many"]


def vanish(server):
    """Milliseconds to join just after a session with 10,000 subscriptions lost its link."""
    result = load("vanish", server.port, topics=10000, warmup=1, count=3)
    return {"cost": result["max_ns"] / 1e6, "bad": 0}


def blast(server):
    """20,000 publications, all said at once, to ten subscribers."""
    return cost(load("publish", server.port, pid=server.pid, window=0, subscribers=10,
                     warmup=0, count=20000))


def joins(server, count):
    """One session after the other: connect, join, hang up."""
    return cost(load("join", server.port, pid=server.pid, warmup=count // 5, count=count))


def brackets(server):
    """Milliseconds from a message of 200 kB of nested brackets to the ABORT; the longest."""
    slowest, deep = 0, frame(b"[" * 100000 + b"]" * 100000)
    for _ in range(5):
        with Session(server.port) as session:
            began = time.monotonic()
            session.bytes(deep)
            if session.recv()[0] != 3:
                raise Failed("brackets were not refused")
            slowest = max(slowest, time.monotonic() - began)
    return {"cost": slowest * 1000, "bad": 0}


def deaf(router_command):
    """MiB that a router grows by when a subscriber never reads 60 events of a MiB."""
    server = Server("wampy-lua router", router_command)
    try:
        with Session(server.port, receive_buffer=4096) as ear, Session(server.port) as mouth:
            ear.ask(32, 1, {}, "bench.deaf")
            before = resident_kib(server.pid)
            for n in range(60):
                mouth.send([16, n + 1, {}, "bench.deaf", ["x" * (1 << 20)]])
            mouth.ask(48, 100, {}, "wamp.session.count")
            return {"cost": (resident_kib(server.pid) - before) / 1024, "bad": 0}
    finally:
        server.stop()


def start_up(program, found):
    port = free_port()
    command = [BUILD / "start", port, "say_hello", program, "run",
               ROOT / "apps" / "01-hello" / "main.lua", f"--router={port}"]
    with running(command, stdout=subprocess.PIPE) as process:
        line, _ = process.communicate(timeout=STEP_LIMIT)
    result = report(line, "start")
    found["resident"] = {"cost": result["resident_kib"] / 1024, "bad": 0}
    return {"cost": result["elapsed_ns"] / 1e6, "bad": 0}


def from_shell(command):
    """Milliseconds from the start of a command to its end, the median of eleven."""
    times = []
    for _ in range(11):
        began = time.monotonic()
        with running(command) as process:
            watchdog = threading.Timer(STEP_LIMIT, process.kill)
            watchdog.start()
            code = process.wait()  # with a limit of its own it would look now and then only
            times.append(time.monotonic() - began)
            watchdog.cancel()
        if code != 0:
            raise Failed(f"{command[0]} {command[1]} ended with {code}")
    return {"cost": statistics.median(times) * 1000, "bad": 0}


def until_line(process, wanted, patience=20):
    watchdog = threading.Timer(patience, process.kill)
    watchdog.start()
    try:
        if not any(line.strip() == wanted for line in process.stdout):
            raise Failed(f"no line {wanted!r}")
    finally:
        watchdog.cancel()


def rejoin(program):
    """From the router that listens again to the app that is joined, with everything restored."""
    port = free_port()
    router = [program, "router", "--listen", f"127.0.0.1:{port}"]
    first = Server("wampy-lua router", router)
    app = spawn([program, "run", BENCH / "apps" / "rejoin.lua", "--url", f"ws://127.0.0.1:{port}"],
                stdout=subprocess.PIPE)
    try:
        until_line(app, "joined")
        first.stop()
        time.sleep(0.6)  # it has tried, and is waiting for its next try
        again = Server("wampy-lua router", router)
        began = time.monotonic()
        try:
            until_line(app, "joined")
        finally:
            again.stop()
        return {"cost": (time.monotonic() - began) * 1000, "bad": 0}
    finally:
        stop(app)


def saved(program):
    """From a saved file to the answer of the new code, while one call after the other is made: the
    longest of twenty. Answers that are none are bad."""
    worst = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        text = (BENCH / "apps" / "saved.lua").read_text()
        app = pathlib.Path(folder) / "saved.lua"
        app.write_text(text)
        port = free_port()
        service = spawn([program, "run", app, f"--router={port}", "--watch"],
                        stdout=subprocess.PIPE)
        try:
            until_line(service, "ready.")
            with Session(port) as session:
                request = itertools.count(1)
                for version in range(1, 21):
                    new = app.with_suffix(".new")
                    new.write_text(text.replace("return 0", f"return {version}"))
                    began, answer = time.monotonic(), [50, 0, {}, [None]]
                    new.rename(app)
                    while answer[3:] != [[version]]:
                        answer = session.ask(48, next(request), {}, "version")
                        bad += answer[0] != 50
                        if time.monotonic() - began > STEP_LIMIT:
                            raise Failed("the new code does not serve")
                    worst = max(worst, time.monotonic() - began)
        finally:
            stop(service)
    return {"cost": worst * 1000, "bad": bad}


def set_up(program, what):
    """Around one spec: a network in memory or a router with a socket, an app, a client, the end."""
    done = subprocess.run([program, BENCH / "apps" / "set_up.lua", what], text=True, check=True,
                          stdout=subprocess.PIPE, timeout=60)
    return {"cost": float(done.stdout), "bad": 0}


# --- instructions ------------------------------------------------------------------------------


def instructions(command, run):
    """What callgrind counts from start to end of a server that `run` is given."""
    with tempfile.NamedTemporaryFile("r") as out:
        server = Server(command[0], ["valgrind", "--tool=callgrind", "-q", "--callgrind-out-file="
                                     + out.name, *command])
        try:
            run(server)
        finally:
            server.stop()
        found = re.search(r"^(?:summary|totals): (\d+)", out.read(), re.M)
    if not found:
        raise Failed("callgrind has counted nothing")
    return int(found.group(1))


def instructions_each(command, run, few=500, many=2500):
    """Instructions for one more call: start, end and warming up cancel out."""
    counts = [instructions(command, lambda server, n=n: run(server, n)) for n in (few, many)]
    return (counts[1] - counts[0]) / (many - few)
