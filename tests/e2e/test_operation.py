"""test_operation.py: the router as something to operate: files and metrics beside the WebSocket, what
it logs, its service manager, signals, and a configuration that changes while it runs."""
import http.client
import json
import os
import signal
import socket
import urllib.parse

from certs import Certs
from harness import closed_port, equal, one_line, test
from test_reconnect import until
from test_router import ECHO, LISTENER

ALL = {"call": True, "register": True, "publish": True, "subscribe": True}


def role(name="anonymous", *permissions):
    return {"name": name, "permissions": list(permissions) or [
        {"uri": "", "match": "prefix", "allow": ALL}]}


def web(port, paths, tls=None):
    endpoint = {"type": "tcp", "port": port}
    if tls:
        endpoint["tls"] = tls
    return {"type": "web", "endpoint": endpoint, "paths": paths}


def config(t, realms, transports, name="config.json"):
    """Writes a configuration; realms is a dict of lists of roles."""
    return t.file(name, json.dumps({"version": 2, "workers": [{
        "type": "router", "transports": transports,
        "realms": [{"name": realm, "roles": roles} for realm, roles in realms.items()]}]}))


def get(url, path="/", method="GET", headers=None):
    """Status, headers and body."""
    parts = urllib.parse.urlsplit(url)
    made = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    made.request(method, path, headers=headers or {})
    answer = made.getresponse()
    body = answer.read().decode()
    made.close()
    return answer.status, answer.headers, body


def listener(t, url, realm="realm1"):
    """A client that says how its session ends."""
    client = t.start(t.file("listener.lua", LISTENER.replace(
        "Listener { url = arg[1] }", "Listener { url = arg[1], realm = arg[2] }")), url, realm)
    client.out.wait("^joined$")
    return client


def universal(most, port=0):
    return {"type": "universal", "endpoint": {"type": "tcp", "port": port}, "rawsocket": {},
            "max_connections": most, "websocket": {"ws": {"type": "websocket"}}}


def upgrade(url):
    """A connection that asks for a WebSocket, and the status that it gets."""
    made = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
    made.request("GET", "/ws", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "wamp.2.json"})
    return made.sock, made.getresponse().status


def handshake(url):
    """A RawSocket, and the second octet of the answer: 0xf1, or an error."""
    parts = urllib.parse.urlsplit(url)
    made = socket.create_connection((parts.hostname, parts.port), 20)
    made.sendall(b"\x7f\xf1\0\0")
    return made, made.recv(4)[1]


@test
def a_transport_has_so_many_connections_and_no_more(t):
    path = config(t, {"realm1": [role()]}, [universal(2)])
    router, url = t.router("--config", path)
    web, status = upgrade(url)
    raw, octet = handshake(url)
    equal((status, octet), (101, 0xf1))
    equal((upgrade(url)[1], handshake(url)[1]), (503, 0x40))
    router.err.wait("^warn: port .* has its 2 connections; others are turned away$")
    equal(get(url, "/ws")[0], 426)  # who does not stay is answered
    # Who leaves gives back his place; whoever is there stays when there may be fewer.
    raw.close()
    until(lambda: handshake(url)[1] == 0xf1, "a RawSocket in the place of another")
    config(t, {"realm1": [role()]}, [universal(1)])
    router.signal(signal.SIGHUP)
    router.err.wait("has been read again")
    equal(upgrade(url)[1], 503)
    web.close()
    until(lambda: upgrade(url)[1] == 101, "a WebSocket in the place of another")
    router.ends(0, signal.SIGTERM)


# ---- HTTP -----------------------------------------------------------------------------------------

@test
def a_page_and_its_websocket_come_from_one_port(t):
    t.file("www/index.html", "<p>page")
    t.file("www/app/a.js", "let a")
    router, url = t.router("--listen", "0", "--web", "www")
    status, headers, body = get(url)
    equal((status, headers["Content-Type"], body), (200, "text/html; charset=utf-8", "<p>page"))
    equal(get(url, "/app/a.js")[2], "let a")
    equal(get(url, "/app/a.js", headers={"If-None-Match": get(url, "/app/a.js")[1]["ETag"]})[0], 304)
    equal(get(url, "/", "HEAD")[::2], (200, ""))
    equal(get(url, "/none")[0], 404)
    equal(get(url, "/..%2f..%2fetc/passwd")[0], 400)
    equal(t.calls(url, ECHO), ["back"])
    router.ends(0, signal.SIGTERM)


@test
def a_web_transport_of_a_configuration_has_its_paths_and_no_others(t):
    t.file("www/index.html", "<p>page")
    port = closed_port()
    path = config(t, {"realm1": [role()]}, [web(port, {
        "/": {"type": "static", "directory": "www"}, "ws": {"type": "websocket"},
        "metrics": {"type": "metrics"}})])
    t.start("router", "--config", path).out.wait("^router")
    url = "ws://127.0.0.1:%d/" % port
    equal(get(url)[2], "<p>page")
    assert "wampy_router_sessions 0" in get(url, "/metrics")[2]
    equal(get(url, "/ws")[0], 426)
    equal(t.calls(url + "ws", ECHO), ["back"])
    said = t.script("""
        local wampy = require "wampy"
        print(select(2, pcall(function() wampy.Client { url = arg[1] }:start() end)))""", url)
    assert "404" in " ".join(said), said


@test
def files_and_websocket_are_served_over_tls(t):
    certs = Certs(os.path.join(t.folder, "certs"))
    cert, key = certs.issue("good")
    t.file("www/index.html", "x" * 300000)
    router, url = t.router("--listen", "wss://127.0.0.1:0/", "--web", "www", "--cert", cert,
                           "--cert-key", key)
    import ssl
    context = ssl.create_default_context(cafile=certs.ca)
    parts = urllib.parse.urlsplit(url)
    made = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=20, context=context)
    made.request("GET", "/")
    equal(len(made.getresponse().read()), 300000)
    router.ends(0, signal.SIGTERM)


@test
def pages_of_other_origins_are_turned_away(t):
    _, url = t.router("--listen", "0", "--origin", "https://*.good.example")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Protocol": "wamp.2.json"}
    equal(get(url, headers=upgrade | {"Origin": "https://evil.example"})[0], 403)
    equal(get(url, headers=upgrade | {"Origin": "null"})[0], 403)
    equal(t.calls(url, ECHO), ["back"])


@test
def metrics_count(t):
    _, url = t.router("--listen", "0", "--metrics=/numbers")
    equal(t.calls(url, ECHO), ["back"])
    status, headers, body = get(url, "/numbers")
    equal(status, 200)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers
    for line in ("# TYPE wampy_router_sessions gauge", "wampy_router_joins_total 1",
                 "wampy_router_calls_total 1", "wampy_router_invocations 0"):
        assert line in body.split("\n"), (line, body)


@test
def the_same_numbers_are_told_to_whom_a_permission_names_them(t):
    port = closed_port()
    grant = {"uri": "wampy.router.stats", "match": "exact", "allow": {"call": True}}
    path = config(t, {"open": [role()], "granted": [role("anonymous", grant)]},
                  [web(port, {"ws": {"type": "websocket"}})])
    t.start("router", "--config", path).out.wait("^router")
    url = "ws://127.0.0.1:%d/ws" % port
    equal(t.calls(url, "c:call('wampy.router.stats').sessions", "granted"), ["1"])
    said = t.calls(url, "select(2, pcall(c.call, c, 'wampy.router.stats'))", "open")
    assert "wamp.error.not_authorized" in said[0], said


# ---- logs -----------------------------------------------------------------------------------------

def events(lines):
    return [(line["event"], line.get("reason")) for line in lines]


@test
def the_access_log_says_who_came_and_why_he_went(t):
    log = os.path.join(t.folder, "access.log")
    router, url = t.router("--listen", "0", "--access-log=" + log, "--log-format", "json")
    equal(t.calls(url, ECHO), ["back"])
    said = t.script("""
        local wampy = require "wampy"
        print(pcall(function() wampy.Client { url = arg[1], realm = "nowhere" }:start() end))""", url)
    assert said[0].startswith("false"), said
    router.ends(0, signal.SIGTERM)
    with open(log, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    equal([line["event"] for line in lines if line["event"] in ("join", "leave", "refuse")][:2],
          ["join", "leave"])
    left = next(line for line in lines if line["event"] == "leave")
    equal((left["realm"], left["authid"] != "", left["authrole"], left["authmethod"]),
          ("realm1", True, "anonymous", "anonymous"))
    equal(left["reason"], "wamp.close.normal")
    assert left["messages_in"] >= 4 and left["bytes_out"] > 100, left
    last = [line for line in lines if line["event"] == "disconnect"]
    assert last and last[0]["peer"].startswith("127.0.0.1:"), last


@test
def the_access_log_is_text_on_stdout_by_default(t):
    router, url = t.router("--listen", "0", "--access-log")
    equal(t.calls(url, ECHO), ["back"])
    router.out.wait(r"^time=\S+Z event=join peer=127\.0\.0\.1:\d+ protocol=wamp\.2\.json "
                    r"session=\d+ realm=realm1 authid=\w+ authrole=anonymous")
    router.out.wait(r" event=disconnect .* reason=\".*\" messages_in=\d+ messages_out=\d+ ")
    router.ends(0, signal.SIGTERM)


@test
def an_access_log_that_cannot_be_written_ends_it(t):
    one_line(t.run(3, "router", "--listen", "0", "--access-log=/nowhere/at/all"),
             "^error: access log /nowhere/at/all: No such file")


@test
def usr1_writes_the_sessions_into_the_log(t):
    router, url = t.router("--listen", "0")
    client = listener(t, url)
    router.signal(signal.SIGUSR1)
    router.err.wait(r"^info: router: 1 connections, 1 sessions, ")
    router.err.wait(r"^info: 127\.0\.0\.1:\d+: session \d+, realm realm1, \w+ as anonymous; "
                    r"received \d+ messages, sent \d+, 0 bytes queued$")
    client.signal(signal.SIGTERM)


@test
def lines_of_the_log_may_be_json(t):
    found = t.run(4, "router", "--listen", "256.256.256.256:1", "--log-format", "json").err.all()
    line = json.loads(found[0])
    equal(line["level"], "error")
    assert "256.256.256.256" in line["text"], line


# ---- a service manager ----------------------------------------------------------------------------

class Manager:
    """NOTIFY_SOCKET."""

    def __init__(self, t):
        self.path = os.path.join(t.folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def next(self):
        return self.socket.recv(1000).decode()

    def until(self, wanted):
        while True:
            said = self.next()
            if said == wanted:
                return


@test
def a_service_manager_is_told_what_happens(t):
    manager = Manager(t)
    router = t.start("router", "--listen", "0", env={"NOTIFY_SOCKET": manager.path,
                                                     "WATCHDOG_USEC": "200000"})
    equal(manager.next(), "READY=1")
    manager.until("WATCHDOG=1")
    manager.until("WATCHDOG=1")
    router.signal(signal.SIGHUP)
    said = manager.next()
    while said == "WATCHDOG=1":
        said = manager.next()
    assert said.startswith("RELOADING=1\nMONOTONIC_USEC="), said
    manager.until("READY=1")
    router.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    router.ends(0)


# ---- a configuration that changes -----------------------------------------------------------------

@test
def hup_takes_new_roles_and_realms_and_keeps_sessions(t):
    port = closed_port()
    ws = [web(port, {"ws": {"type": "websocket"}})]
    path = config(t, {"realm1": [role()], "gone": [role()]}, ws)
    router = t.start("router", "--config", path)
    router.out.wait("^router")
    url = "ws://127.0.0.1:%d/ws" % port
    stays, goes = listener(t, url), listener(t, url, "gone")
    config(t, {"realm1": [role("anonymous", {"uri": "com.a", "allow": ALL})], "new": [role()]}, ws)
    router.signal(signal.SIGHUP)
    router.err.wait("^info: router: the configuration has been read again$")
    goes.out.wait("^left\twamp.close.close_realm$")
    equal(t.calls(url, "c:call('wamp.session.count')", "new"), ["1"])
    said = t.calls(url, "select(2, pcall(c.call, c, 'com.b'))")
    assert "wamp.error.not_authorized" in said[0], said
    assert stays.child.poll() is None and not stays.out.find("^left")
    router.ends(0, signal.SIGTERM)
    stays.out.wait("^left\twamp.close.system_shutdown$")


@test
def hup_opens_keeps_and_closes_listeners(t):
    ports = [closed_port() for _ in range(3)]
    sockets = [web(port, {"ws": {"type": "websocket"}}) for port in ports]
    path = config(t, {"realm1": [role()]}, sockets[:2])
    router = t.start("router", "--config", path)
    router.out.wait(":%d/" % ports[1])
    url = "ws://127.0.0.1:%d/ws"
    clients = [listener(t, url % port) for port in ports[:2]]
    t.file("index.html", "<p>now")
    sockets[0]["paths"]["/"] = {"type": "static", "directory": "."}
    config(t, {"realm1": [role()]}, [sockets[0], sockets[2]])
    router.signal(signal.SIGHUP)
    router.err.wait("has been read again$")
    equal(get(url % ports[0])[2], "<p>now")
    equal(t.calls(url % ports[2], ECHO), ["back"])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", ports[1])) != 0
    assert all(client.child.poll() is None for client in clients)


@test
def hup_takes_a_new_certificate(t):
    certs = Certs(os.path.join(t.folder, "certs"))
    first, second = certs.issue("first"), certs.issue("second")
    port = closed_port()

    def write(pair):
        return config(t, {"realm1": [role()]}, [web(port, {"ws": {"type": "websocket"}}, {
            "certificate": pair[0], "key": pair[1]})])

    router = t.start("router", "--config", write(first))
    router.out.wait("^router")
    import ssl
    context = ssl.create_default_context(cafile=certs.ca)

    def serial():
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
                return tls.getpeercert()["serialNumber"]

    before = serial()
    write(second)
    router.signal(signal.SIGHUP)
    router.err.wait("has been read again$")
    assert serial() != before


@test
def a_configuration_that_is_wrong_leaves_all_as_it_was(t):
    port, other = closed_port(), closed_port()
    ws = [web(port, {"ws": {"type": "websocket"}})]
    path = config(t, {"realm1": [role()]}, ws)
    router = t.start("router", "--config", path)
    router.out.wait("^router")
    url = "ws://127.0.0.1:%d/ws" % port
    client = listener(t, url)
    t.file("config.json", "{ nonsense")
    router.signal(signal.SIGHUP)
    router.err.wait("^error: .*config.json: not JSON")
    router.err.wait("^error: router: the configuration stays as it was \\[W355\\]$")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other))
        taken.listen()
        config(t, {"realm1": [], "other": []}, ws + [web(other, {"ws": {"type": "websocket"}})])
        router.signal(signal.SIGHUP)
        router.err.wait("^error: cannot listen on .*:%d/.*in use" % other)
    equal(t.calls(url, ECHO), ["back"])
    assert client.child.poll() is None and not client.out.find("^left")


@test
def hup_opens_the_access_log_again(t):
    log = os.path.join(t.folder, "access.log")
    router, url = t.router("--listen", "0", "--access-log=" + log)
    equal(t.calls(url, ECHO), ["back"])
    os.rename(log, log + ".1")
    router.signal(signal.SIGHUP)
    router.err.wait("has been read again$")
    equal(t.calls(url, ECHO), ["back"])
    for name in (log, log + ".1"):
        with open(name, encoding="utf-8") as file:
            assert "event=join" in file.read(), name


# ---- the end, and before the beginning ------------------------------------------------------------

@test
def a_peer_that_does_not_answer_has_the_grace_and_no_more(t):
    router, url = t.router("--listen", "0", "--grace", "100ms")
    client = listener(t, url)
    client.signal(signal.SIGSTOP)
    router.ends(0, signal.SIGTERM)
    client.signal(signal.SIGCONT)


@test
def check_says_what_would_be_done(t):
    t.file("www/index.html", "")
    path = config(t, {"realm1": [role(), role("user")], "open": []}, [
        web(8080, {"/": {"type": "static", "directory": "www"},
                   "ws": {"type": "websocket", "auth": {
                       "ticket": {"type": "static", "principals": {
                           "joe": {"ticket": "x", "role": "user"}}}}}})])
    lines = t.run(0, "router", "--config", path, "--check").out.all()
    equal([" ".join(line.split()) for line in lines], [
        "realm realm1 roles anonymous, user", "realm open everybody may do everything",
        "listen ws://127.0.0.1:8080/ws", "/ files of %s/www" % t.folder,
        "/ws WebSocket auth ticket (1)", "ok"])


@test
def check_names_every_mistake(t):
    path = config(t, {"a b": [], "realm1": [{"name": 1}]}, [
        web(8080, {"ws": {"type": "websocket"}, "x": {"type": "static", "directory": "none"}}),
        web(-1, {"ws": {"type": "websocket"}})])
    lines = t.run(3, "router", "--config", path, "--check").err.all()
    equal(len(lines), 4)
    for line, wanted in zip(lines, ("realms[0].name", "realms[1].roles[0].name",
                                    "paths.x.directory", "transports[1].endpoint.port")):
        assert line.startswith("error: ") and wanted in line, (line, wanted)


@test
def check_reads_the_certificates(t):
    path = config(t, {"realm1": []}, [web(8080, {"ws": {"type": "websocket"}},
                                         {"certificate": "none.pem", "key": "none.key"})])
    one_line(t.run(3, "router", "--config", path, "--check"), "^error: .*none")
