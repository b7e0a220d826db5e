"""test_rawsocket.py: RawSocket: our client and router, foreign ones, and who breaks the rules."""
import json
import os
import signal
import socket
import stat
import struct

import apps
from certs import Certs
from crossbar import Crossbar, config, free_port
from harness import ROOT, closed_port, equal, one_line, test, test_each

ECHO = "c:register('echo', function(x) return x end) and c:call('echo', 'back')"
HELLO = b"\x7f\xf1\0\0"
JOIN = b'[1,"realm1",{"roles":{"caller":{},"publisher":{},"subscriber":{}}}]'
INTEROP = os.path.join(ROOT, "tests/interop")
PYTHON = os.path.join(ROOT, "build/peers/python/bin/python")


def raw(url):
    """The RawSocket URL of a universal port."""
    return "rs" + url.rstrip("/")[2:]


def frame(payload, kind=0):
    return struct.pack(">I", kind << 24 | len(payload)) + payload


class Peer:
    """A hand-made RawSocket client."""

    def __init__(self, url, hello=HELLO):
        host, port = url.split("//")[1].split(":")
        self.socket = socket.create_connection((host, int(port)), 20)
        self.socket.settimeout(20)
        self.send(hello)

    def send(self, octets):
        self.socket.sendall(octets)

    def read(self, n):
        got = b""
        while len(got) < n:
            piece = self.socket.recv(n - len(got))
            if not piece:
                break
            got += piece
        return got

    def frame(self):
        """The next frame: its kind and payload; None at the end."""
        head = self.read(4)
        if len(head) < 4:
            return None
        n = struct.unpack(">I", b"\0" + head[1:])[0]
        return head[0], self.read(n)

    def join(self):
        equal(self.read(4), HELLO)
        self.send(frame(JOIN))
        equal(json.loads(self.frame()[1])[0], 2)
        return self

    def rest(self):
        """What comes until the other side hangs up."""
        try:
            return self.read(1 << 30)
        except ConnectionResetError:
            return b""


class Canary:
    """A pair of sessions that has to go on, whatever others do."""

    def __init__(self, t, url):
        self.app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
        self.app.out.wait("^ready")
        self.t, self.url = t, url

    def sings(self):
        equal(self.t.calls(self.url, "c:call('say_hello', 'you')"), ["Hello you"])


# ---- between ourselves

@test_each({"tcp": ("rs://127.0.0.1:0",), "IPv6": ("rs://[::1]:0",),
            "a universal port": ("universal+ws://127.0.0.1:0/",)})
def calls_go_over(t, listen):
    _, url = t.router("--listen", listen)
    equal(t.calls(raw(url), ECHO), ["back"])
    assert url.startswith(listen.split("+")[-1][:2]), url


@test
def calls_go_over_a_unix_socket_which_is_private_and_removed(t):
    path = os.path.join(t.folder, "router.sock")
    router, url = t.router("--listen", "rs+unix://" + path)
    equal(url, "rs+unix://" + path)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    equal(t.calls(url, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)
    assert not os.path.exists(path)


@test
def a_socket_file_that_a_killed_router_left_is_taken_over(t):
    url = "rs+unix://" + os.path.join(t.folder, "router.sock")
    first, _ = t.router("--listen", url)
    first.ends(-9, signal.SIGKILL)
    t.router("--listen", url)
    equal(t.calls(url, ECHO), ["back"])
    one_line(t.run(4, "router", "--listen", url), "^error: cannot listen on rs.unix:.*in use")


@test_each({"rss": ("rss://127.0.0.1:0",), "a universal port": ("universal+wss://127.0.0.1:0",)})
def calls_go_over_tls(t, listen):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    _, url = t.router("--listen", listen, "--cert", cert, "--cert-key", key)
    url = "rss" + url.rstrip("/")[3:]
    equal(t.calls(url, ECHO, env={"WAMPY_CA": certs.ca}), ["back"])
    one_line(t.run(4, "run", t.file("app.lua", apps.HELLO), "--url", url, "--retries", "0"),
             "unknown CA")


@test
def the_scheme_of_a_websocket_over_tls_is_proposed(t):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    _, url = t.router("--listen", "wss://127.0.0.1:0", "--cert", cert, "--cert-key", key)
    one_line(t.run(4, "ping", "--url", "rss" + url.rstrip("/")[3:], "--ca", certs.ca),
             r"HTTP is spoken there; is it wss:// and not rss://\?")


@test
def one_universal_port_serves_both_kinds_and_plain_http(t):
    _, url = t.router("--listen", "universal+0")
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", url)
    app.out.wait("^ready")
    for each in (url, raw(url)):
        equal(t.calls(each, "c:call('say_hello', 'you')"), ["Hello you"])
    peer = Peer(raw(url), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert peer.rest().startswith(b"HTTP/1.1 "), "no HTTP"


@test
def the_largest_message_passes_and_one_byte_more_is_refused(t):
    _, url = t.router("--listen", "rs://127.0.0.1:0")
    overhead = len('[48,2,{},"echo",[""]]')
    fits = (1 << 24) - overhead - 40  # an INVOCATION has longer ids
    equal(t.calls(url, "c:register('echo', function(x) return #x end) and "
                       "c:call('echo', ('x'):rep(%d))" % fits), [str(fits)])
    said = t.calls(url, "pcall(c.call, c, 'echo', ('x'):rep(%d))" % ((1 << 24) - overhead + 1))
    assert said[0] == "false" and "max_message_size" in said[1], said


@test
def what_a_peer_does_not_take_is_answered_with_an_error(t):
    _, url = t.router("--listen", "rs://127.0.0.1:0")
    small = t.start(t.file("small.lua", SMALL), url)
    small.out.wait("^ready")
    said = t.calls(url, "pcall(c.call, c, 'small', ('x'):rep(9000))")
    assert said[0] == "false" and "payload_size_exceeded" in said[1], said
    equal(t.calls(url, "c:publish('topic', ('x'):rep(9000)) or 'sent'"), ["sent"])
    equal(t.calls(url, "c:call('small', 'xyz')"), ["3"])
    said = t.calls(url, "c:call('sized', 9000)")  # a caller that takes it
    equal(said, ["9000"])


SMALL = """
local wampy = require "wampy"
local c = wampy.Client { url = arg[1], max_message_size = 8192 }:start()
local big <close> = wampy.Client { url = arg[1] }:start()
c:register("small", function(x) return #x end)
c:subscribe("topic", function() error("too large for us") end)
big:register("bytes", function(n) return ("x"):rep(n) end)
c:register("sized", function(n)
  local ok, e = pcall(c.call, c, "bytes", n)
  return not ok and e.uri == "wamp.error.payload_size_exceeded" and n
end)
print("ready") io.stdout:flush()
wampy.run()
"""


# ---- why there is no connection

@test
def says_why_there_is_no_connection(t):
    _, ws = t.router()
    _, rs = t.router("--listen", "rs://127.0.0.1:0")
    app = t.file("app.lua", apps.HELLO)

    def complaint(code, url, pattern):
        one_line(t.run(code, "run", app, "--url", url, "--retries", "0"), pattern)

    complaint(4, "rs://127.0.0.1:%d" % closed_port(), "connection refused; is a router running")
    complaint(4, "rs+unix:///nonexistent/s", "there is no such socket; is a router running")
    complaint(4, raw(ws), "no RawSocket but HTTP is spoken there; is it ws:// and not rs://")
    complaint(4, "ws" + rs[2:] + "/", "HTTP 400")
    complaint(2, rs + "/path", "RawSocket has no path")
    one_line(t.run(2, "router", "--listen", "universal+" + rs), "universal goes with ws")


# ---- a configuration

@test
def a_configuration_opens_all_its_transports(t):
    ports = [free_port() for _ in range(3)]
    path = os.path.join(t.folder, "raw.sock")
    given = config(ports[0])
    given["workers"][0]["transports"] += [
        {"type": "rawsocket", "endpoint": {"type": "tcp", "port": ports[1]},
         "serializers": ["cbor", "msgpack", "json"], "options": {"max_message_size": 1048576}},
        {"type": "rawsocket", "endpoint": {"type": "unix", "path": path}},
        {"type": "universal", "endpoint": {"type": "tcp", "port": ports[2]}, "rawsocket": {},
         "websocket": {"ws": {"type": "websocket"}}}]
    router = t.start("router", "--config", t.file("config.json", json.dumps(given)))
    router.out.wait(":%d/ws" % ports[2])
    equal(len(router.out.lines), 4)
    urls = ["ws://127.0.0.1:%d/" % ports[0], "rs://127.0.0.1:%d" % ports[1], "rs+unix://" + path,
            "ws://127.0.0.1:%d/ws" % ports[2], "rs://127.0.0.1:%d" % ports[2]]
    app = t.start("run", t.file("app.lua", apps.HELLO), "--url", urls[0])
    app.out.wait("^ready")
    for url in urls:
        equal(t.calls(url, "c:call('say_hello', 'you')"), ["Hello you"])
    equal(router.err.lines, [])
    first = dict(given, workers=[dict(given["workers"][0], transports=given["workers"][0][
        "transports"][1:])])
    t.start("run", t.file("app2.lua", apps.HELLO.replace("say_hello", "say_again")), "--config",
            t.file("first.json", json.dumps(first))).out.wait("^ready")
    equal(t.calls(urls[3], "c:call('say_again', 'you')"), ["Hello you"])


# ---- foreign peers

def interop(t, url, tester, service):
    """A pair of tests/interop at this router, over its URL."""
    kinds = {
        "autobahn": lambda *args: [PYTHON, os.path.join(INTEROP, "py/autobahn_peer.py"), *args],
        "lua": None}
    prefix = "interop.raw"
    if service == "lua":
        server = t.start("run", os.path.join(INTEROP, "lua/service.lua"), "--url", url, "--",
                         prefix)
    else:
        server = t.start(program=kinds[service]("serve", url, prefix))
    server.out.wait("^ready")
    if tester == "lua":
        client = t.start(os.path.join(INTEROP, "lua/tester.lua"), url, prefix, "")
    else:
        client = t.start(program=kinds[tester]("test", url, prefix, ""))
    lines = client.out.all()
    bad = [line for line in lines if line.startswith("not ok")]
    assert not bad and len([1 for line in lines if line.startswith("ok ")]) >= 10, lines


@test_each({"autobahn-python, tcp": ("rs://127.0.0.1:0", "autobahn", "lua"),
            "autobahn-python, universal": ("universal+0", "autobahn", "lua"),
            "our client, tcp": ("rs://127.0.0.1:0", "lua", "autobahn")})
def our_router_serves(t, listen, tester, service):
    _, url = t.router("--listen", listen)
    interop(t, raw(url), tester, service)


@test
def our_router_serves_autobahn_python_on_a_unix_socket(t):
    _, url = t.router("--listen", "rs+unix://" + os.path.join(t.folder, "s"))
    interop(t, url, "autobahn", "lua")


class RawCrossbar(Crossbar):
    """A Crossbar.io that also listens for RawSocket, on tcp, on a unix socket, and on a universal
    port."""

    def __init__(self):
        super().__init__()
        self.raw, self.universal = free_port(), free_port()
        self.path = os.path.join(self.folder, "raw.sock")

    def config(self):
        result = super().config()
        result["workers"][0]["transports"] += [
            {"type": "rawsocket", "serializers": ["json"],
             "endpoint": {"type": "tcp", "port": self.raw}},
            {"type": "rawsocket", "serializers": ["json"],
             "endpoint": {"type": "unix", "path": self.path}},
            {"type": "universal", "endpoint": {"type": "tcp", "port": self.universal},
             "rawsocket": {"serializers": ["json"]}}]
        return result

    def ports(self):
        return [self.port, self.raw, self.universal]


@test
def our_client_joins_a_real_crossbar(t):
    node = RawCrossbar()
    with node:
        urls = ["rs://127.0.0.1:%d" % node.raw, "rs://127.0.0.1:%d" % node.universal,
                "rs+unix://" + node.path]
        for url in urls:
            equal(t.calls(url, ECHO), ["back"])
        interop(t, urls[0], "lua", "lua")
        one_line(t.run(7, "run", t.file("app.lua", apps.HELLO), "--url",
                       "rs://127.0.0.1:%d" % node.port, "--retries", "0", "--connect-timeout",
                       "1s"), "did not answer the RawSocket handshake within 1 s; is the scheme")
        said = t.calls(urls[0], "c:call('wamp.session.count') > 0")
        equal(said, ["true"])


# ---- hostile peers

VIOLATIONS = {
    "bad magic": (b"\x7e\xf1\0\0",), "nothing but magic, then half a handshake": (b"\x7f\xf1",),
    "serializer 0": (b"\x7f\xf0\0\0",), "an unknown serializer": (b"\x7f\xfe\0\0",),
    "reserved octets": (b"\x7f\xf1\0\1",), "messages of 512 bytes": (b"\x7f\x01\0\0",),
    "reserved bits": (HELLO + b"\x10\0\0\0",), "a reserved type": (HELLO + b"\5\0\0\0",),
    "both lengths": (HELLO + b"\x08\0\0\1",),
    "no WAMP": (HELLO + frame(b"{}"),), "no JSON": (HELLO + frame(b"\xff"),),
    "an empty message": (HELLO + frame(b""),),
    "no HELLO": (HELLO + frame(b'[48,1,{},"x"]'),),
    "16 MiB declared and a byte sent": (HELLO + b"\x08\0\0\0x",),
    "half a head": (HELLO + b"\0\0",), "silence": (HELLO,), "nothing at all": (b"",),
}


@test
def whoever_breaks_the_rules_is_put_out_and_nobody_else_notices(t):
    router, url = t.router("--listen", "universal+0")
    url = raw(url)
    canary = Canary(t, url)
    peers = {name: Peer(url, octets) for name, (octets,) in VIOLATIONS.items()}
    canary.sings()
    for name, peer in peers.items():
        rest = peer.rest()
        assert b"Traceback" not in rest, (name, rest)
    canary.sings()
    equal(router.err.lines, [])


@test
def handshakes_are_refused_by_their_codes(t):
    _, url = t.router("--listen", "rs://127.0.0.1:0")
    for hello, answer in ((b"\x7f\xf4\0\0", b"\x7f\x10\0\0"), (b"\x7f\x11\0\0", b"\x7f\x20\0\0"),
                          (b"\x7f\xf1\x80\0", b"\x7f\x30\0\0")):
        equal(Peer(url, hello).rest(), answer)


@test
def pings_are_answered_and_a_flood_of_them_is_bounded(t):
    router, url = t.router("--listen", "rs://127.0.0.1:0")
    canary = Canary(t, url)
    peer = Peer(url).join()
    peer.send(frame(b"are you there", 1))
    equal(peer.frame(), (2, b"are you there"))
    before = memory(router)
    peer.socket.settimeout(0.5)
    try:
        for _ in range(64):
            peer.send(frame(b"p" * 1000, 1) * 1000)
    except TimeoutError:
        pass  # it is not read any further
    canary.sings()
    grown = memory(router) - before
    assert grown < 16 << 20, "%d bytes more" % grown
    peer.socket.close()
    canary.sings()


@test
def a_reader_that_never_reads_loses_events_and_nobody_else_does(t):
    router, url = t.router("--listen", "rs://127.0.0.1:0")
    canary = Canary(t, url)
    peer = Peer(url).join()
    peer.send(frame(b'[32,1,{},"flood"]'))
    equal(json.loads(peer.frame()[1])[:2], [33, 1])
    before = memory(router)
    equal(t.calls(url, FLOOD), ["done"])
    canary.sings()
    grown = memory(router) - before
    assert grown < 80 << 20, "%d bytes more" % grown


FLOOD = """(function()
  local text = ("x"):rep(1000000)
  for _ = 1, 100 do c:publish("flood", text) end
  c:publish("flood", "last", require("wampy").options { acknowledge = true })
  return "done"
end)()"""


def memory(process):
    with open("/proc/%d/statm" % process.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@test
def a_router_that_goes_says_goodbye(t):
    router, url = t.router("--listen", "rs://127.0.0.1:0")
    peer = Peer(url).join()
    router.signal(signal.SIGTERM)
    equal(json.loads(peer.frame()[1]), [6, {}, "wamp.close.system_shutdown"])
    peer.send(frame(b'[6,{},"wamp.close.goodbye_and_out"]'))
    equal(peer.rest(), b"")
    router.ends(0)


@test
def workers_find_a_universal_router_that_was_started_again(t):
    crew = t.start("run", "--workers", "1", "--router=universal+127.0.0.1:0",
                   t.file("app.lua", apps.HELLO))
    url = crew.out.wait(r"^router +(\S+)").group(1)
    crew.out.wait("^ready")
    for each in (url, raw(url)):
        equal(t.calls(each, "c:call('say_hello', 'you')"), ["Hello you"])
