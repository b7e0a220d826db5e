"""cluster.py: a Crossbar.io node that stands for several machines, for as long as a test wants it.

Three workers: a router; a proxy in front of it, to which clients connect; and a second router,
joined to the first by an rlink, with a port of its own. The first router trusts the link by the
node's own key, which has to be there before the configuration is written.

What a link needs: callers and publishers are disclosed to it, or it forwards nothing; and calls go
one way, from the second router to the first, because a shared registration that is mirrored both
ways would be one of its own callees.

    with Cluster() as (proxy, second): ...       # two URLs, one realm
"""
import os
import re
import subprocess

from crossbar import ALLOW, PROGRAM, Crossbar, free_port

TRIES = 3  # a port that was free may be taken by the time it is listened on


def role(name):
    return {"name": name, "permissions": [{
        "uri": "", "match": "prefix", "allow": ALLOW,
        "disclose": {"caller": True, "publisher": True}, "cache": True}]}


def router(name, transports, **realm):
    roles = [role("anonymous"), role("rlink")]
    return {"type": "router", "id": name, "transports": transports,
            "realms": [{"name": "realm1", "roles": roles} | realm]}


def tcp(port, **more):
    return {"type": "tcp", "port": port} | more


ANONYMOUS = {"anonymous": {"type": "static", "role": "anonymous"}}
FROM_PROXY = {"anonymous-proxy": {"type": "static"}}
BEHIND = {"type": "unix", "path": "router1.sock"}  # where the proxy finds the first router


def first_router(link_port, key):
    trusted = {"realm": "realm1", "role": "rlink", "authorized_keys": [key]}
    return router("router1", [
        {"type": "rawsocket", "endpoint": BEHIND, "serializers": ["cbor"], "auth": FROM_PROXY},
        {"type": "rawsocket", "endpoint": tcp(link_port, interface="127.0.0.1"),
         "serializers": ["cbor"],
         "auth": {"cryptosign": {"type": "static", "principals": {"rlink": trusted}}}}])


def second_router(port, link_port):
    link = {"id": "rlink1", "realm": "realm1", "authid": "rlink",
            "transport": {"type": "rawsocket", "serializer": "cbor",
                          "endpoint": tcp(link_port, host="127.0.0.1"),
                          "url": "rs://127.0.0.1:%d" % link_port},
            "forward_local_events": True, "forward_remote_events": True,
            "forward_local_invocations": False, "forward_remote_invocations": True}
    return router("router2", [
        {"type": "websocket", "endpoint": tcp(port, interface="127.0.0.1"),
         "serializers": ["json"], "auth": ANONYMOUS}], rlinks=[link])


def proxy(port):
    return {"type": "proxy", "id": "proxy1",
            "connections": {"conn1": {
                "transport": {"type": "rawsocket", "endpoint": BEHIND, "serializer": "cbor",
                              "url": "rs://localhost"},
                "auth": FROM_PROXY}},
            "routes": {"realm1": {"anonymous": "conn1"}},
            "transports": [{"type": "web", "endpoint": tcp(port, interface="127.0.0.1"), "paths": {
                "/": {"type": "websocket", "serializers": ["json"], "auth": ANONYMOUS}}}]}


class Cluster(Crossbar):
    def __init__(self):
        super().__init__()
        self.second = self.link = self.key = None

    def make_key(self):
        subprocess.run([PROGRAM, "keys", "--cbdir", self.folder], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, capture_output=True)
        with open(os.path.join(self.folder, "key.pub"), encoding="ascii") as file:
            return re.search(r"^public-key-ed25519: (\w+)", file.read(), re.M).group(1)

    def config(self):
        return {"version": 2, "controller": {}, "workers": [
            first_router(self.link, self.key), second_router(self.second, self.link),
            proxy(self.port)]}

    def ports(self):
        return [self.port, self.second]

    def __enter__(self):
        for left in reversed(range(TRIES)):
            self.port, self.second, self.link = free_port(), free_port(), free_port()
            os.makedirs(self.folder, exist_ok=True)
            self.key = self.make_key()
            try:
                super().__enter__()
                return ["ws://127.0.0.1:%d/" % port for port in self.ports()]
            except RuntimeError:
                if not left:
                    raise
