"""test_transports.py: every transport with every format, to our router and to Crossbar.io; and
compression with other people's peers."""
import os
import re

from certs import Certs
from connect_proxy import ConnectProxy
from crossbar import Crossbar, free_port
from harness import ROOT, equal, test, test_each
from test_rawsocket import Canary, Peer, frame

MATRIX = os.path.join(ROOT, "tests/e2e/matrix.lua")
INTEROP = os.path.join(ROOT, "tests/interop")
PYTHON = os.path.join(ROOT, "build/peers/python/bin/python")
FORMATS = ("json", "msgpack", "cbor")


def runs(t, url, most, error, **env):
    """The matrix over this transport; one byte more than `most` fails so."""
    lines = t.run(0, MATRIX, url, most, env=env).out.all()
    equal([line.split(" ")[0] for line in lines], list(FORMATS))
    for line in lines:
        assert re.search(error, line), line


TOO_LONG = "WampyError: .*larger than max_message_size"


@test_each({"ws": ("ws://127.0.0.1:0/",), "rs": ("rs://127.0.0.1:0",),
            "ws on a universal port": ("universal+ws://127.0.0.1:0/",),
            "ws+unix": ("ws+unix://%s/s",), "rs+unix": ("rs+unix://%s/s",)})
def our_router_speaks_all_formats_up_to_16_mib(t, listen):
    _, url = t.router("--listen", listen.replace("%s", t.folder))
    runs(t, url, 1 << 24, TOO_LONG)


@test_each({"wss": ("wss",), "rss": ("rss",)})
def our_router_speaks_all_formats_up_to_16_mib_with_tls(t, scheme):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    _, url = t.router("--listen", scheme + "://127.0.0.1:0", "--cert", cert, "--cert-key", key)
    runs(t, url, 1 << 24, TOO_LONG, WAMPY_CA=certs.ca)


class AllCrossbar(Crossbar):
    """A Crossbar.io with a transport of each kind, which takes messages of a mebibyte."""

    MOST = 1 << 20

    def __init__(self, identity):
        super().__init__()
        self.urls = {}
        self.identity = {"certificate": identity[0], "key": identity[1]}

    def transport(self, kind, scheme, endpoint):
        self.urls[scheme] = "%s://%s" % (scheme, endpoint.get("path") or
                                         "127.0.0.1:%d" % endpoint["port"])
        return {"type": kind, "endpoint": endpoint, "serializers": list(FORMATS),
                "options": {"max_message_size": self.MOST}}

    def config(self):
        result = super().config()
        transports = result["workers"][0]["transports"]
        for kind, scheme in (("websocket", "ws"), ("rawsocket", "rs")):
            tcp = {"type": "tcp", "interface": "127.0.0.1"}
            transports += [
                self.transport(kind, scheme, tcp | {"port": free_port()}),
                self.transport(kind, scheme + "s",
                               tcp | {"port": free_port(), "tls": self.identity}),
                self.transport(kind, scheme + "+unix", {
                    "type": "unix", "path": os.path.join(self.folder, scheme)})]
        return result

    def ports(self):
        return [self.port] + [int(url.rsplit(":", 1)[1]) for url in self.urls.values()
                              if "+unix" not in url]


@test
def crossbar_speaks_all_formats_over_all_transports(t):
    certs = Certs(os.path.join(t.folder, "certs"))
    node = AllCrossbar(certs.issue("good"))
    with node:
        for scheme, url in node.urls.items():
            error = TOO_LONG if scheme.startswith("rs") else "the session ended"
            runs(t, url, node.MOST, error, WAMPY_CA=certs.ca)


# ---- bytes that are none of a format

JOINS = {"msgpack": b"\x93\x01\xa6realm1\x81\xa5roles\x81\xa6caller\x80",
         "cbor": b"\x83\x01\x66realm1\xa1\x65roles\xa1\x66caller\xa0"}
BROKEN = {
    "msgpack": {
        "nothing": b"", "half a list": b"\x94\x30\x01\x80", "bytes behind it": b"\x93\x06\x80\xa1a\xc0",
        "a list of 4 G": b"\xdd\xff\xff\xff\xff\x30", "text of 4 GB": b"\x92\x30\xdb\xff\xff\xff\xffa",
        "a dict of 4 G": b"\x93\x30\x01\xdf\xff\xff\xff\xff\xa1a",
        "bytes of 4 GB": b"\x95\x30\x01\x80\xa1u\x91\xc6\xff\xff\xff\xffa",
        "an extension": b"\x95\x30\x01\x80\xa1u\x91\xd4\x01a", "the unused byte": b"\xc1",
        "depth": b"\x95\x30\x01\x80\xa1u" + b"\x91" * 100000, "bad UTF-8": b"\x94\x30\x01\x80\xa1\xff",
        "an id over 2^63": b"\x94\x30\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x80\xa1u",
        "a number for a key": b"\x94\x30\x01\x81\x01\x02\xa1u", "JSON": b'[48,1,{},"u"]'},
    "cbor": {
        "nothing": b"", "half a list": b"\x84\x18\x30\x01\xa0", "bytes behind it": b"\x83\x06\xa0\x61a\xf6",
        "a list of 2^64": b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x18\x30",
        "text of 2^63 bytes": b"\x84\x18\x30\x01\xa0\x7b\x7f\xff\xff\xff\xff\xff\xff\xffa",
        "a dict of 4 G": b"\x84\x18\x30\x01\xba\xff\xff\xff\xff\x61a",
        "a list without an end": b"\x9f\x18\x30\x01", "a reserved length": b"\x84\x18\x30\x01\xa0\x7c",
        "tags without an end": b"\x85\x18\x30\x01\xa0\x61u\x81" + b"\xc6" * 100000,
        "depth": b"\x85\x18\x30\x01\xa0\x61u" + b"\x81" * 100000,
        "an id over 2^63": b"\x84\x18\x30\x1b\xff\xff\xff\xff\xff\xff\xff\xff\xa0\x61u",
        "a break alone": b"\xff", "JSON": b'[48,1,{},"u"]'},
}


@test_each({form: (form, 2 + i) for i, form in enumerate(BROKEN)})
def whoever_sends_broken_bytes_is_put_out_and_nobody_else_notices(t, form, serializer):
    router, url = t.router("--listen", "rs://127.0.0.1:0")
    canary = Canary(t, url)
    peers = {}
    for name, octets in BROKEN[form].items():
        peers[name] = Peer(url, b"\x7f" + bytes([0xf0 | serializer]) + b"\0\0")
        peers[name].read(4)
        peers[name].send(frame(JOINS[form]) + frame(octets))
    canary.sings()
    for name, peer in peers.items():
        assert b"wamp.error.protocol_violation" in peer.rest(), name
    canary.sings()
    equal(router.err.lines, [])


# ---- compression

SQUEEZE = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], proxy = arg[2], compress = arg[3] == "yes",
  serializers = { arg[4] }, call_timeout = 30 }:start()
c:register("com.squeeze." .. arg[4], function(x) return x end)
for _, size in ipairs { 10, 1000, 300000 } do
  local text = ("as before; "):rep(size)
  assert(c:call("com.squeeze." .. arg[4], text) == text)
end
"""


def carried(t, url, compress, form):
    """Bytes between a client of ours and this router for 13 MB of calls."""
    with ConnectProxy() as proxy:
        t.script(SQUEEZE, url, proxy.address, compress, form)
        return proxy.carried


@test_each({"json": ("json",), "cbor": ("cbor",), "json.batched": ("json.batched",)})
def our_two_sides_compress_when_both_are_told_to(t, form):
    _, plain = t.router()
    _, url = t.router("--listen", "0", "--compress")
    assert carried(t, url, "yes", form) < 500000
    assert carried(t, url, "no", form) > 10000000
    assert carried(t, plain, "yes", form) > 10000000


class CompressingCrossbar(Crossbar):
    def config(self):
        result = super().config()
        result["workers"][0]["transports"][0]["options"] = {"compression": {"deflate": {}}}
        return result


@test
def our_router_compresses_for_autobahn_python(t):
    _, url = t.router("--listen", "0", "--compress")
    t.start("run", os.path.join(INTEROP, "lua/service.lua"), "--url", url, "--",
            "interop.z").out.wait("^ready")
    lines = t.start(program=[PYTHON, os.path.join(INTEROP, "py/autobahn_peer.py"), "test", url,
                             "interop.z", ""], env={"INTEROP_COMPRESS": "1"}).out.all()
    bad = [line for line in lines if line.startswith("not ok")]
    assert not bad and len([1 for line in lines if line.startswith("ok ")]) >= 10, lines


@test
def our_client_and_crossbar_compress(t):
    with CompressingCrossbar() as url:
        assert carried(t, url, "yes", "json") < 500000
        assert carried(t, url, "no", "json") > 10000000
