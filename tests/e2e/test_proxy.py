"""test_proxy.py: clients that go through an HTTP proxy, and routers that set cookies."""
import os
import signal

import apps
from certs import Certs
from connect_proxy import ConnectProxy
from harness import closed_port, equal, one_line, test, test_each
from raw_router import ROLES, WELCOME, RawRouter

# A client with these fields joins and has a longer text come back.
CALLER = """
local wampy = require "wampy"
local c <close> = wampy.Client { url = arg[1], call_timeout = 20, %s }:start()
c:register("echo", function(x) return x end)
print(#c:call("echo", ("x"):rep(300000)))
"""


def port_of(url):
    return int(url.rstrip("/").rsplit(":", 1)[1])


def echoes(t, url, fields="", **env):
    equal(t.script(CALLER % fields, url, env=env), ["300000"])


def complaint(t, code, proxy, pattern, *flags):
    url = "ws://router.test:%d/" % closed_port()
    one_line(t.run(code, "run", t.file("app.lua", apps.HELLO), "--url", url, "--retries", "0", *flags,
                   env={"http_proxy": proxy}), pattern)


# ---- the way through

@test_each({"ws": ("ws://127.0.0.1:0/", "ws"), "rs": ("rs://127.0.0.1:0", "rs")})
def goes_through(t, listen, scheme):
    _, url = t.router("--listen", listen)
    with ConnectProxy() as proxy:
        echoes(t, url, "proxy = 'http://%s'" % proxy.address)
        name = "router.test:%d" % port_of(url)
        echoes(t, "%s://%s" % (scheme, name), http_proxy="http://" + proxy.address)
        assert proxy.requests[-1].startswith(
            "CONNECT %s HTTP/1.1\r\nHost: %s\r\n" % (name, name)), proxy.requests
        equal(len(proxy.requests), 2)


@test_each({"wss": ("wss",), "rss": ("rss",)})
def goes_through_with_tls(t, scheme):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    _, url = t.router("--listen", scheme + "://127.0.0.1:0", "--cert", cert, "--cert-key", key)
    with ConnectProxy() as proxy:
        echoes(t, url, "proxy = '%s'" % proxy.address, WAMPY_CA=certs.ca)
        equal(len(proxy.requests), 1)
        one_line(t.run(4, "run", t.file("app.lua", apps.HELLO), "--retries", "0", "--ca", certs.ca,
                       "--url", "%s://router.test:%d" % (scheme, port_of(url)),
                       env={"https_proxy": proxy.address}), "router.test|host ?name")


@test
def user_and_password_are_in_the_url(t):
    _, url = t.router()
    with ConnectProxy(user="joe:p@ss word") as proxy:
        echoes(t, url, "proxy = 'http://joe:p%%40ss%%20word@%s/'" % proxy.address)
        complaint(t, 4, proxy.address, "the proxy .* wants to know a user and a password .407")
        complaint(t, 4, "http://joe:secret@" + proxy.address,
                  "the proxy 127.0.0.1:.* does not accept this user and password .407")


@test
def is_not_asked_for_what_is_exempt(t):
    _, url = t.router()
    nowhere = "http://127.0.0.1:%d" % closed_port()
    echoes(t, url, http_proxy=nowhere)  # this machine
    echoes(t, url, "proxy = false", http_proxy=nowhere)
    path = "ws+unix://" + os.path.join(t.folder, "s")
    t.router("--listen", path)
    echoes(t, path, http_proxy=nowhere)
    one_line(t.run(4, "run", t.file("app.lua", apps.HELLO), "--retries", "0", "--url",
                   "ws://router.test:1/", env={"http_proxy": nowhere, "no_proxy": ".test"}),
             "unknown host router.test")


@test
def a_link_that_is_lost_on_either_side_of_it_is_joined_again(t):
    router, url = t.router()
    with ConnectProxy() as proxy:
        app = t.start("run", t.file("app.lua", apps.HELLO), "--url",
                      "ws://router.test:%d/" % port_of(url), env={"http_proxy": proxy.address})
        app.out.wait("^ready")
        proxy.cut()
        app.err.wait("joined realm1 again")
        equal(t.calls(url, "c:call('say_hello', 'you')"), ["Hello you"])
        router.ends(0, signal.SIGTERM)
        app.err.wait("joining again|trying again")
        app.ends(0, signal.SIGTERM)


# ---- why there is no way

@test_each({
    "403": (4, b"HTTP/1.1 403 Forbidden\r\n\r\n", r"does not connect anybody to router.test:\d+"),
    "502": (4, b"HTTP/1.0 502 Bad Gateway\r\n\r\nsorry", r"could not connect to .*502 Bad Gateway"),
    "something else than HTTP": (4, b"SSH-2.0-x\r\n\r\n", "something else than HTTP"),
    "HTTP without an end": (4, b"HTTP/1.1 200 OK\r\nX: y\r\n" * 1000, "something else than HTTP"),
    "nothing": (4, b"", "closed the connection without an answer"),
    "too much": (4, b"HTTP/1.1 200 OK\r\n\r\nhello", "sent more than an answer"),
})
def says_why_when_it_answers(t, code, answer, pattern):
    with ConnectProxy(answer) as proxy:
        complaint(t, code, proxy.address,
                  r"^error: ws://router.test:\d+/: the proxy 127.0.0.1:\d+ .*" + pattern)


@test
def says_why_there_is_none(t):
    complaint(t, 4, "127.0.0.1:%d" % closed_port(), "cannot reach the proxy 127.*: .*refused")
    complaint(t, 4, "http://no.such.host.invalid", "cannot reach the proxy no.such.host.invalid:80")
    with ConnectProxy(None) as proxy:
        complaint(t, 7, proxy.address, "did not answer within 1 s", "--connect-timeout", "1s")
    complaint(t, 3, "socks5://127.0.0.1:1", "http_proxy: a proxy is spoken to by http, not socks5")
    complaint(t, 3, "http://joe:secret@:1", r"http_proxy: invalid proxy .http://\*\*\*@:1")


# ---- cookies

COOKIES = """
local wampy = require "wampy"
local c = wampy.Client { url = arg[1], cookies = arg[2] == "yes", headers = { "X-Own: 1" } }
for _ = 1, 3 do
  c:start()
  c:stop()
end
"""

SET = ("Set-Cookie: session=abc; Path=/; HttpOnly", "Set-Cookie: theme=dark",
       "Set-Cookie: gone=1; Max-Age=0")


def joins(seen, *set_cookies):
    def behave(link):
        seen.append(link.upgrade(fields=set_cookies))
        link.recv()
        link.send(WELCOME, 1, ROLES)
        link.serve()
    return behave


@test_each({"are said again by who wants to": ("yes", [None, "session=abc; theme=dark",
                                                       "session=abc"]),
            "are not said by others": ("no", [None, None, None])})
def cookies(t, wanted, said):
    seen = []
    with RawRouter(joins(seen, *SET), joins(seen, "Set-Cookie: theme=; Max-Age=-1"),
                   joins(seen)) as raw:
        t.script(COOKIES, raw.url, wanted)
    equal([request.get("cookie") for request in seen], said)
    equal([request.get("x-own") for request in seen], ["1", "1", "1"])
