#!/usr/bin/python3
"""crossbar.py: a real Crossbar.io for as long as somebody wants it.

usage: crossbar.py PID [auth | history]
As a program it prints one line "ready ws://127.0.0.1:PORT/ OWN-PID" when the router listens, and
ends with it on SIGTERM, or when the process PID is gone: whoever started it (a spec by io.popen,
with $PPID; tests/interop/run.py by import) cannot leave it behind. The node lives in a temporary
folder with a generated configuration: one router worker, realm1, everything allowed to anonymous
clients, one plain WebSocket transport on a free port of the loopback. With `auth` the transport
lets only those in who authenticate as AUTH says; with `history` the realm keeps that of com.log.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build/peers/crossbar/bin/crossbar")
ALLOW = {"call": True, "register": True, "publish": True, "subscribe": True}


# Secrets: "ticket of joe", "secret of joe", "secret of sally" (salted: Crossbar.io derives it
# itself), the private key of RFC 8032's first test, and "pencil" for the user of scram.
AUTH = {
    "ticket": {"type": "static", "principals": {
        "joe": {"ticket": "ticket of joe", "role": "user"}}},
    "wampcra": {"type": "static", "users": {
        "joe": {"secret": "secret of joe", "role": "user"},
        "sally": {"secret": "secret of sally", "role": "user",
                  "salt": "salt123", "iterations": 1000, "keylen": 32}}},
    "cryptosign": {"type": "static", "principals": {
        "joe": {"realm": "realm1", "role": "user", "authorized_keys": [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]}}},
    "scram": {"type": "static", "principals": {
        "user": {"kdf": "argon2id-13", "iterations": 4096, "memory": 512, "role": "user",
                 "salt": "30313233343536373839616263646566",
                 "stored-key":
                 "1261aa4c9583bee73820a33416a6225c7e684206062e7211f90492426afc603f",
                 "server-key":
                 "85698741856fcac0090f147dd1da8c9c216304dd85ffc9aa948e83292ef12024"}}},
}


# Who decides is an app that joins without a proof, as "service".
def decided(port):
    asked = {"type": "dynamic", "authenticator": "com.example.authenticate",
             "authenticator-realm": "realm1", "authenticator-role": "trusted"}
    whole = config(port, auth=True)
    worker = whole["workers"][0]
    worker["realms"][0]["roles"] = [
        {"name": "service", "permissions": [{"uri": "", "match": "prefix", "allow": ALLOW}]},
        {"name": "user", "authorizer": "com.example.authorize"}]
    worker["transports"][0]["auth"] = {
        "anonymous": {"type": "static", "role": "service"}, "ticket": asked, "wampcra": asked,
        "cryptosign": asked}
    return whole


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


HISTORY = {"type": "memory", "event-history": [
    {"uri": "com.log.", "match": "prefix", "limit": 3}]}


def config(port, auth=False, pair=None, history=False):
    tls = {"tls": {"certificate": pair[0], "key": pair[1]}} if pair else {}
    return {
        "version": 2,
        "controller": {},
        "workers": [{
            "type": "router",
            "realms": [{"name": "realm1", "roles": [{
                "name": "user" if auth else "anonymous",
                "permissions": [{"uri": "", "match": "prefix", "allow": ALLOW}],
            }]} | ({"store": HISTORY} if history else {})],
            "transports": [{
                "type": "websocket",
                "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port} | tls,
            } | ({"auth": AUTH} if auth else {})],
        }],
    }


class Crossbar:
    """with Crossbar() as url: ...; with a certificate and its key the url is wss."""

    def __init__(self, auth=False, pair=None, history=False):
        self.auth, self.pair, self.history = auth, pair, history
        self.folder = tempfile.mkdtemp(prefix="crossbar-")
        self.port = free_port()
        self.process = None

    def config(self):
        return config(self.port, self.auth, self.pair, self.history)

    def ports(self):
        """Those that listen when it is up."""
        return [self.port]

    def __enter__(self):
        with open(os.path.join(self.folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(self.config(), file)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(  # a group of its own: its workers end with it
                [PROGRAM, "start", "--cbdir", self.folder], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        end = time.time() + 60
        while not all(map(listens, self.ports())):
            if self.process.poll() is not None or time.time() > end:
                with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                    sys.stderr.write(log.read())
                self.__exit__()
                raise RuntimeError("Crossbar.io did not start")
            time.sleep(0.05)
        return "%s://127.0.0.1:%d/" % ("wss" if self.pair else "ws", self.port)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Crossbar(**{name: True for name in sys.argv[2:]}) as url:
        print("ready", url, os.getpid(), flush=True)
        while alive(int(sys.argv[1])):
            time.sleep(0.2)


if __name__ == "__main__":
    main()
