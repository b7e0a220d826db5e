"""test_tls.py: wss://: who is trusted, what is said when nobody is, and a listener that is handed
anything by anyone."""
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading

from certs import Certs
from crossbar import Crossbar
from harness import ROOT, closed_port, equal, one_line, test, test_each
from raw_router import CLOSE, TEXT

ECHO = "c:register('echo', function(x) return x end) and c:call('echo', 'back')"
APP = "return require 'wampy'.Client:extend('App')"
INTEROP = os.path.join(ROOT, "tests/interop")
PEERS = os.path.join(ROOT, "build/peers")

# Starts a client with the fields that are given as text; says how that ended.
JOINER = """
local wampy = require "wampy"
local fields = load("return " .. arg[2])()
fields.url = fields.router == nil and arg[1] or nil
local ok, e = pcall(function()
  local c <close> = wampy.Client(fields):start()
  c:register("echo", function(x) return x end)
  print("answer", c:call("echo", "back"))
end)
if not ok then print(e.name, e.transport, e.message) end
"""


def certs_of(t):
    return Certs(os.path.join(t.folder, "certs"))


def tls_router(t, pair, *more, listen="wss://127.0.0.1:0/"):
    return t.router("--listen", listen, "--cert", pair[0], "--cert-key", pair[1], *more)


def join(t, url, fields, **kw):
    """How a client with these fields fares: its lines."""
    return t.script(JOINER, url, fields, **kw)


def expect(lines, pattern):
    line = lines[-1]
    assert len(lines) == 1 and pattern in line.replace("\t", " "), "%r is not like %r" % (
        lines, pattern)


# ---- who is trusted

@test_each({"an IPv4 address": ("127.0.0.1", "127.0.0.1"), "an IPv6 address": ("[::1]", "[::1]"),
            "a name": ("127.0.0.1", "localhost")})
def joins_over_tls_by(t, listen, host):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"), listen="wss://%s:0/" % listen)
    expect(join(t, url.replace(listen, host), "{ cert_path = %r }" % certs.ca), "answer back")


@test_each({"cert_path": ("{ cert_path = CA }",), "tls.ca_path": ("{ tls = { ca_path = CA } }",),
            "both": ("{ cert_path = OTHER, tls = { ca_path = CA } }",),
            "insecure": ("{ tls = { insecure = true } }",),
            "the router's cert_path": (
                "{ router = require('wampy.routers').Router { url = arg[1], cert_path = CA } }",)})
def a_ca_is_given_as(t, fields):
    certs = certs_of(t)
    other, _ = certs.own("other", "Other CA")
    _, url = tls_router(t, certs.issue("good"))
    fields = fields.replace("CA", repr(certs.ca)).replace("OTHER", repr(other))
    expect(join(t, url, fields), "answer back")


@test
def a_ca_is_given_by_the_environment(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"))
    expect(join(t, url, "{}", env={"WAMPY_CA": certs.ca}), "answer back")
    expect(join(t, url, "{}", env={"SSL_CERT_FILE": certs.ca}), "answer back")  # the system's


@test
def a_self_signed_certificate_is_trusted_when_it_is_given(t):
    own = certs_of(t).own("own", "me", san="IP:127.0.0.1")
    _, url = tls_router(t, own)
    expect(join(t, url, "{ cert_path = %r }" % own[0]), "answer back")


@test
def server_name_is_the_name_that_counts(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("named", san="DNS:router.example"))
    expect(join(t, url, "{ cert_path = %r, tls = { server_name = 'router.example' } }" % certs.ca),
           "answer back")
    expect(join(t, url, "{ cert_path = %r, tls = { server_name = 'example' } }" % certs.ca),
           "the certificate is for router.example, not for example")


@test
def clients_with_different_settings_do_not_share_them(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"))
    lines = t.script("""
        local wampy = require "wampy"
        local function try(fields)
          fields.url = arg[1]
          local ok, e = pcall(function() local c <close> = wampy.Client(fields):start() end)
          print(ok and "joined" or e.transport)
        end
        for i = 1, 30 do
          try { cert_path = arg[2] }
          try {}
          try { tls = { insecure = true } }
          try { cert_path = arg[2], tls = { server_name = "h" .. i } }
        end
    """, url, certs.ca)
    equal(lines, ["joined", "tls", "joined", "tls"] * 30)


@test
def run_takes_flags(t):
    certs = certs_of(t)
    good = certs.issue("good")
    _, url = tls_router(t, good, "--ca", certs.ca)
    app = t.file("app.lua", APP)
    t.run(0, "run", app, "--url", url, "--ca", certs.ca, "--cert", good[0], "--cert-key", good[1],
          "--once")
    one_line(t.run(4, "run", app, "--url", url, "--ca", certs.ca, "--once"),
             "^error: .*client certificate; give tls.cert and tls.key")
    env = {"WAMPY_CA": certs.ca, "WAMPY_CERT": good[0], "WAMPY_CERT_KEY": good[1]}
    t.run(0, "run", app, "--url", url, "--once", env=env)
    one_line(t.run(2, "run", app, "--url", url, "--cert", good[0]), "give --cert and --cert-key")


@test
def run_takes_insecure_and_server_name(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("named", san="DNS:router.example"))
    app = t.file("app.lua", APP)
    t.run(0, "run", app, "--url", url, "--insecure", "--once")
    t.run(0, "run", app, "--url", url, "--ca", certs.ca, "--server-name", "router.example",
          "--once")
    one_line(t.run(4, "run", app, "--url", url, "--ca", certs.ca, "--once"),
             "^error: .*the certificate is for router.example, not for 127.0.0.1")


# ---- what is said when it does not work

@test_each({
    "expired": ({"days": (-30, -2)}, "the certificate has expired ("),
    "not yet valid": ({"days": (5, 30)}, "the certificate is not valid before "),
    "wrong host": ({"san": "DNS:a.example,DNS:b.example,IP:::2"},
                   "the certificate is for a.example, b.example, ::2, not for 127.0.0.1"),
    "names of the subject only": ({"san": "email:copy", "subject": "127.0.0.1"},
                                  "the certificate is for 127.0.0.1, not for 127.0.0.1"),
})
def a_certificate_is_refused(t, issue, text):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("bad", **issue))
    expect(join(t, url, "{ cert_path = %r }" % certs.ca), "ConnectionError tls %s: %s" % (url, text))
    expect(join(t, url, "{ tls = { insecure = true } }"), "answer back")


@test
def an_unknown_ca_and_a_self_signed_certificate_are_refused(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"))
    expect(join(t, url, "{}"), "ConnectionError tls %s: the certificate is from an unknown CA, "
           "Test CA; give the CA's certificate as cert_path" % url)
    _, url = tls_router(t, certs.own("own", "me", san="IP:127.0.0.1"))
    expect(join(t, url, "{ cert_path = %r }" % certs.ca), "ConnectionError tls %s: "
           "the certificate is self-signed; give it as cert_path to trust it" % url)


@test
def a_refused_certificate_is_final(t):
    _, url = tls_router(t, certs_of(t).issue("good"))
    app = t.file("app.lua", APP)
    one_line(t.run(4, "run", app, "--url", url), "^error: wss://.*unknown CA")


@test_each({
    "absent": ("nowhere.pem", None, "No such file or directory"),
    "empty": ("empty.pem", "", "the file is empty"),
    "no PEM": ("text.pem", "hello\n", "no certificate in it (expected PEM"),
    "damaged": ("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "no certificate in it (expected PEM"),
})
def a_pem_file_is(t, name, text, wrong):
    path = t.file(name, text) if text is not None else os.path.join(t.folder, name)
    certs = certs_of(t)
    url = "wss://127.0.0.1:%d/" % closed_port()
    expect(join(t, url, "{ cert_path = %r }" % path),
           "ConnectionError tls %s: CA file %s: %s" % (url, path, wrong))
    expect(join(t, url, "{ tls = { cert = %r, key = %r } }" % (path, certs.ca_key)),
           "ConnectionError tls %s: certificate %s: %s" % (url, path, wrong))
    got = t.run(4, "router", "--listen", "wss://127.0.0.1:0/", "--cert", certs.ca,
                "--cert-key", path)
    one_line(got, "^error: cannot listen on wss://127.0.0.1:0/: key .*%s: " % name)


@test
def a_key_must_belong_to_its_certificate(t):
    certs = certs_of(t)
    pair = (certs.issue("good")[0], certs.ca_key)
    wrong = "key %s: it does not belong to the certificate %s" % (pair[1], pair[0])
    url = "wss://127.0.0.1:%d/" % closed_port()
    expect(join(t, url, "{ tls = { cert = %r, key = %r } }" % pair), wrong)
    got = t.run(4, "router", "--listen", "wss://127.0.0.1:0/", "--cert", pair[0],
                "--cert-key", pair[1])
    one_line(got, "^error: cannot listen on .*" + wrong)


@test
def an_encrypted_key_is_named_and_nobody_is_asked(t):
    certs = certs_of(t)
    path = os.path.join(t.folder, "encrypted.key")
    subprocess.run(["openssl", "ec", "-in", certs.ca_key, "-aes128", "-passout", "pass:secret",
                    "-out", path], check=True, capture_output=True)
    got = t.run(4, "router", "--listen", "wss://127.0.0.1:0/", "--cert", certs.ca,
                "--cert-key", path)
    one_line(got, "key .*encrypted.key: it is encrypted; decrypt it first")


@test
def a_listener_needs_a_certificate_and_its_key(t):
    one_line(t.run(4, "router", "--listen", "wss://127.0.0.1:0/"),
             "^error: cannot listen on wss://127.0.0.1:0/: TLS needs a certificate and its key")
    one_line(t.run(2, "router", "--listen", "wss://127.0.0.1:0/", "--cert", "x.pem"),
             "^error: .*give --cert and --cert-key")


class Server:
    """Something else than a router, that hands each connection to a function."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "wss://127.0.0.1:%d/" % self.listener.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
                self.serve(sock)
                sock.close()
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        self.listener.close()


def handshake(context):
    """TLS with whoever connects; the alert of one that fails is let arrive."""
    def serve(sock):
        tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        rest = socket.socket(fileno=os.dup(tls.fileno()))
        with rest:
            try:
                tls.do_handshake()
                tls.recv(1000)
            except ssl.SSLError:
                hang_up(rest)
    return serve


def plain_http(sock):
    sock.recv(1000)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hang_up(sock):
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(1000):
        pass


@test_each({
    "plain HTTP": (plain_http, "ConnectionError tls", "no TLS is spoken there"),
    "a greeting": (lambda sock: sock.sendall(b"SSH-2.0-x\r\n") or sock.recv(1000),
                   "ConnectionError tls", "no TLS is spoken there"),
    "a hang-up": (hang_up, "ConnectionError lost",
                  "closed the connection during the TLS handshake"),
    "silence": (lambda sock: sock.recv(1000) and sock.recv(1000), "TimeoutError timeout",
                "did not answer within 1 s"),
})
def the_port_answers_with(t, serve, error, text):
    with Server(serve) as url:
        expect(join(t, url, "{ connect_timeout = 1 }"), "%s %s: %s" % (error, url, text))


@test
def nobody_listens(t):
    url = "wss://127.0.0.1:%d/" % closed_port()
    expect(join(t, url, "{}"), "ConnectionError refused %s: connection refused" % url)


@test_each({"1.2": (ssl.TLSVersion.TLSv1_2, "or it wants a client certificate"),
            "1.3": (ssl.TLSVersion.TLSv1_3, "the server wants a client certificate")})
def a_foreign_server_wants_a_client_certificate_over_tls(t, version, text):
    certs = certs_of(t)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certs.issue("good"))
    context.load_verify_locations(certs.ca)
    context.maximum_version, context.verify_mode = version, ssl.CERT_REQUIRED
    with Server(handshake(context)) as url:
        expect(join(t, url, "{ cert_path = %r }" % certs.ca), text)


@test
def our_router_wants_client_certificates_of_its_ca(t):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"), "--ca", certs.ca)
    fields = "{ cert_path = %r, tls = { cert = %r, key = %r } }"
    expect(join(t, url, fields % (certs.ca, *certs.issue("client", san="DNS:c"))), "answer back")
    expect(join(t, url, "{ cert_path = %r }" % certs.ca),
           "ConnectionError tls %s: the server wants a client certificate" % url)
    expect(join(t, url, fields % (certs.ca, *certs.own("stranger", "s", san="DNS:s"))),
           "ConnectionError tls %s: the server does not accept the client certificate" % url)


# ---- configurations and embedded routers

def tls_config(port, **tls):
    allow = {"call": True, "register": True, "publish": True, "subscribe": True}
    return json.dumps({"version": 2, "workers": [{
        "type": "router",
        "realms": [{"name": "realm1", "roles": [{"name": "anonymous", "permissions": [
            {"uri": "", "match": "prefix", "allow": allow}]}]}],
        "transports": [{"type": "websocket", "endpoint": {
            "type": "tcp", "interface": "127.0.0.1", "port": port, "tls": tls}}]}]})


@test
def a_configuration_names_files_beside_it(t):
    certs = certs_of(t)
    certs.issue("good")
    config = t.file("certs/config.json", tls_config(
        closed_port(), certificate="good.pem", key="good.key", ca_certificates=["ca.pem"]))
    router = t.start("router", "--config", config)
    url = router.out.wait(r"^router +(wss\S+)").group(1)
    fields = "{ cert_path = %r, tls = { cert = %r, key = %r } }"
    expect(join(t, url, fields % (certs.ca, *certs.issue("client", san="DNS:c"))), "answer back")
    expect(join(t, url, "{ cert_path = %r }" % certs.ca), "client certificate")


@test
def run_starts_a_router_of_its_own_with_tls(t):
    certs = certs_of(t)
    good = certs.issue("good")
    app = t.start("run", t.file("app.lua", """
        local App = require "wampy".Client:extend("App")
        App.add = require "wampy".callee(function(_, a, b) return a + b end)
        return App"""), "--router=wss://127.0.0.1:0/", "--cert", good[0], "--cert-key", good[1])
    url = app.out.wait(r"^router +(wss\S+)").group(1)
    app.out.wait("^ready")
    equal(t.calls(url, "c:call('add', 2, 3)", env={"WAMPY_CA": certs.ca}), ["5"])
    app.ends(0, signal.SIGTERM)


@test
def an_embedded_router_serves_tls_and_plain_side_by_side(t):
    certs = certs_of(t)
    good = certs.issue("good")
    equal(t.script("""
        local wampy, routers = require "wampy", require "wampy.routers"
        local router <close> = routers.Embedded { listen = { "wss://127.0.0.1:0/", "0" },
          tls = { cert = arg[1], key = arg[2] } }:start()
        local a <close> = wampy.Client { url = router.urls[1], cert_path = arg[3] }:start()
        local b <close> = wampy.Client { url = router.urls[2] }:start()
        a:register("com.example.echo", function(x) return x end)
        print(b:call("com.example.echo", 1), (router.urls[1]:match("^%w+")))
        local big = ("x"):rep(16 * 1024 * 1024 - 1000)
        print(b:call("com.example.echo", big) == big, a:call("com.example.echo", big) == big)
    """, *good, certs.ca), ["1\twss", "true\ttrue"])


# ---- other people's software

@test_each({"autobahn-js": (["node", INTEROP + "/js/autobahn_peer.js"], "js"),
            "autobahn-python": ([PEERS + "/python/bin/python", INTEROP + "/py/autobahn_peer.py"],
                                "lua")})
def a_foreign_client_uses_our_router_and_our_app(t, command, flavour):
    certs = certs_of(t)
    _, url = tls_router(t, certs.issue("good"))
    url = url.replace("127.0.0.1", "localhost")
    trust = {"NODE_EXTRA_CA_CERTS": certs.ca, "SSL_CERT_FILE": certs.ca, "WAMPY_CA": certs.ca,
             "NODE_PATH": PEERS + "/node/node_modules", "PYTHONDONTWRITEBYTECODE": "1"}
    app = t.start("run", INTEROP + "/lua/service.lua", "--url", url, "--", "com.tls", env=trust)
    app.out.wait("^ready")
    tester = t.start("test", url, "com.tls", flavour, env=trust, program=command, cwd=INTEROP)
    tester.ends(0)
    lines = [line for line in tester.out.all() if line.startswith(("ok", "not ok"))]
    assert len(lines) >= 10 and not any(line.startswith("not") for line in lines), lines


@test
def our_client_uses_a_crossbar_with_tls(t):
    certs = certs_of(t)
    with Crossbar(pair=certs.issue("good")) as url:
        expect(join(t, url, "{}"), "unknown CA, Test CA")
        expect(join(t, url, "{ cert_path = %r }" % certs.ca), "answer back")


# ---- a listener and whoever comes

HEAD = ("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: d2FtcHktbHVhLWJlbmNoIQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: %swamp.2.json\r\n\r\n")
HELLO = b'[1,"realm1",{"roles":{"caller":{},"publisher":{}}}]'


class Peer:
    """A TLS connection made by hand, with WebSocket frames on it."""

    def __init__(self, url, ca, host="127.0.0.1"):
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        context = ssl.create_default_context(cafile=ca)
        self.tls = context.wrap_socket(socket.create_connection((host, port), 30),
                                       server_hostname=host, suppress_ragged_eofs=False)
        self.rest = b""

    def send(self, data, piece=None):
        for i in range(0, len(data), piece or len(data)):
            self.tls.sendall(data[i:i + (piece or len(data))])

    def read(self, count):
        while len(self.rest) < count:
            more = self.tls.recv(65536)
            assert more, "closed after %r" % self.rest
            self.rest += more
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def upgrade(self, offers="", piece=None):
        self.send((HEAD % offers).encode(), piece)
        while b"\r\n\r\n" not in self.rest:
            more = self.tls.recv(65536)
            assert more, "closed after %r" % self.rest
            self.rest += more
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101"), head
        return self

    @staticmethod
    def frame(payload, opcode=TEXT, masked=True):
        n = len(payload)
        head = bytes([0x80 | opcode])
        mask = 0x80 if masked else 0
        if n < 126:
            head += bytes([mask | n])
        elif n < 65536:
            head += bytes([mask | 126]) + struct.pack(">H", n)
        else:
            head += bytes([mask | 127]) + struct.pack(">Q", n)
        return head + (bytes(4) if masked else b"") + payload  # a mask of zeros

    def message(self):
        first, length = self.read(2)
        if length == 126:
            length = struct.unpack(">H", self.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.read(8))[0]
        return first & 15, self.read(length)

    def join(self, **kw):
        self.upgrade(**kw).send(self.frame(HELLO), kw.get("piece"))
        opcode, text = self.message()
        assert opcode == TEXT and text.startswith(b"[2,"), text
        return self

    def ended(self):
        """The peer says close_notify: the end is no accident."""
        try:
            return self.rest == b"" and self.tls.recv(1) == b""
        except ssl.SSLEOFError:
            return False


def listener(t, *more):
    certs = certs_of(t)
    router, url = tls_router(t, certs.issue("good"), *more)
    return router, url, certs.ca


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.split(":")[2].strip("/"))), 30)


def alive(url, ca):
    Peer(url, ca).join()


@test
def a_request_and_frames_come_byte_by_byte(t):
    _, url, ca = listener(t)
    Peer(url, ca).join(piece=1)


@test
def a_long_offer_of_subprotocols_is_read(t):
    _, url, ca = listener(t)
    Peer(url, ca).join(offers=", ".join("x-%d" % i for i in range(60)) + ", ")


@test
def records_come_in_segments_of_one_byte(t):
    _, url, ca = listener(t)
    context = ssl.create_default_context(cafile=ca)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    sock = connect(url)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def step(do):
        while True:
            try:
                result = do()
            except ssl.SSLWantReadError:
                result = None
            for byte in outgoing.read():
                sock.sendall(bytes([byte]))
            if result is not None:
                return result
            incoming.write(sock.recv(65536))

    step(lambda: tls.do_handshake() or True)
    step(lambda: tls.write((HEAD % "").encode()))
    assert step(lambda: tls.read(1000)).startswith(b"HTTP/1.1 101")
    step(lambda: tls.write(Peer.frame(HELLO)))
    assert b"[2," in step(lambda: tls.read(1000))


@test_each({"whole": (None,), "byte by byte": (1,)})
def a_frame_without_a_mask_is_refused(t, piece):
    _, url, ca = listener(t)
    peer = Peer(url, ca).upgrade()
    peer.send(peer.frame(HELLO, masked=False), piece)
    opcode, reason = peer.message()
    equal((opcode, struct.unpack(">H", reason[:2])[0]), (CLOSE, 1002))
    alive(url, ca)


@test
def a_goodbye_a_close_frame_and_a_close_notify_arrive(t):
    router, url, ca = listener(t)
    peer = Peer(url, ca).join()
    router.signal(signal.SIGTERM)
    opcode, text = peer.message()
    assert opcode == TEXT and text.startswith(b"[6,"), text
    peer.send(peer.frame(b'[6,{},"wamp.close.goodbye_and_out"]'))
    opcode, reason = peer.message()
    equal((opcode, struct.unpack(">H", reason[:2])[0]), (CLOSE, 1001))
    peer.send(peer.frame(reason, CLOSE))
    assert peer.ended()
    router.ends(0)


@test
def what_was_sent_before_a_close_arrives_whole(t):
    _, url, ca = listener(t)
    peer = Peer(url, ca).join()
    big = b'["' + b"x" * 4000000 + b'"]'
    peer.send(peer.frame(b'[64,1,{},"com.example.echo"]'))
    assert peer.message()[1].startswith(b"[65,1,")
    peer.send(peer.frame(b'[48,2,{},"com.example.echo",' + big + b"]"))
    text = peer.message()[1]
    assert text.startswith(b"[68,") and text.endswith(big + b"]"), text[:80]
    request = json.loads(text)[1]
    peer.send(peer.frame(b"[70,%d,{}," % request + big + b"]")
              + peer.frame(b'[6,{},"wamp.close.normal"]'))
    text = peer.message()[1]
    assert text.startswith(b"[50,2,") and text.endswith(big + b"]"), text[:80]
    assert peer.message()[1].startswith(b"[6,")


@test
def a_slow_reader_gets_everything(t):
    _, url, ca = listener(t)
    peer = Peer(url, ca).join()
    peer.send(peer.frame(b'[64,1,{},"com.example.big"]'))
    peer.message()
    peer.send(b"".join(peer.frame(b'[48,%d,{},"com.example.big",["%s"]]' % (i, b"x" * 200000))
                       for i in range(2, 22)))
    for _ in range(20):  # only now: more than all buffers hold has been waiting
        assert peer.message()[1].startswith(b"[68,")


@test
def many_connections_live_side_by_side(t):
    router, url, ca = listener(t)
    peers = [Peer(url, ca).join() for _ in range(150)]
    for peer in peers:
        peer.send(peer.frame(b'[48,1,{},"com.example.nothing"]'))
    for peer in peers:
        assert b"no_such_procedure" in peer.message()[1]
    for peer in peers[::2]:
        peer.tls.close()
    for peer in peers[1::2]:
        peer.send(peer.frame(b'[48,2,{},"com.example.nothing"]'))
        assert b"no_such_procedure" in peer.message()[1]
    router.ends(0, signal.SIGTERM)


@test
def plain_http_is_told_that_tls_is_spoken(t):
    _, url, ca = listener(t)
    sock = connect(url)
    sock.sendall((HEAD % "").encode())
    answer = b""
    while True:
        more = sock.recv(1000)
        if not more:
            break
        answer += more
    assert answer.startswith(b"HTTP/1.1 400") and b"use wss, not ws" in answer, answer
    alive(url, ca)


@test_each({"zeros": (bytes(5000),), "noise": (bytes(range(256)) * 40,), "one byte": (b"\x16",),
            "a record too long": (b"\x16\x03\x01\xff\xff" + bytes(70000),),
            "a hello cut short": (b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03" + bytes(60),)})
def garbage_is_hung_up_on(t, data):
    _, url, ca = listener(t)
    sock = connect(url)
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1000):
            pass
    except ConnectionError:
        pass
    alive(url, ca)


@test
def who_stalls_in_the_handshake_is_hung_up_on(t):
    _, url, ca = listener(t)
    silent, half = connect(url), connect(url)
    half.sendall(b"\x16\x03\x01\x02\x00\x01")
    late = Peer(url, ca)  # through with TLS, but without a request
    alive(url, ca)
    equal((silent.recv(1), half.recv(1)), (b"", b""))
    assert late.ended()


@test
def garbage_inside_an_open_connection_ends_that_one_only(t):
    _, url, ca = listener(t)
    other = Peer(url, ca).join()
    peer = Peer(url, ca).join()
    raw = socket.socket(fileno=os.dup(peer.tls.fileno()))
    raw.settimeout(30)
    raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    try:
        while raw.recv(1000):
            pass
    except ConnectionError:
        pass
    other.send(other.frame(b'[48,1,{},"com.example.nothing"]'))
    assert b"no_such_procedure" in other.message()[1]


@test_each({"at once": (0,), "after the request": (1,), "in a frame": (2,)})
def a_peer_is_gone(t, how_far):
    _, url, ca = listener(t)
    for linger in (True, False):
        peer = Peer(url, ca)
        if how_far:
            peer.upgrade()
        if how_far == 2:
            peer.send(peer.frame(HELLO)[:20])
        if linger:  # a reset in place of an end
            peer.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(peer.tls.detach())
    alive(url, ca)


@test
def a_peer_that_has_said_its_last_is_answered_and_released(t):
    router, url, ca = listener(t)
    peer = Peer(url, ca).join()
    raw = socket.socket(fileno=os.dup(peer.tls.fileno()))
    raw.shutdown(socket.SHUT_WR)
    assert peer.ended()
    alive(url, ca)
    router.ends(0, signal.SIGTERM)


@test
def renegotiation_is_refused(t):
    _, url, ca = listener(t)
    port = url.split(":")[2].strip("/")
    done = subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", "127.0.0.1:" + port,
                           "-CAfile", ca], input="R\n", capture_output=True, text=True,
                          timeout=30, check=False)
    assert "no renegotiation" in done.stderr, done.stderr


@test
def old_versions_are_refused(t):
    _, url, ca = listener(t)
    port = url.split(":")[2].strip("/")
    done = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
                           "-connect", "127.0.0.1:" + port, "-CAfile", ca], input="",
                          capture_output=True, text=True, timeout=30, check=False)
    assert "alert protocol version" in done.stderr, done.stderr
    alive(url, ca)


@test
def the_log_names_the_real_peer(t):
    router, url, ca = listener(t, "--log", "debug")
    peer = Peer(url, ca).join()
    host, port = peer.tls.getsockname()
    peer.tls.close()
    router.err.wait("connection ended: %s:%d: " % (host, port))
