"""raw_router.py: a WAMP router made by hand, which misbehaves as a test tells it to.

It listens on a free port of the loopback and gives each connection, in a thread, to a function of
the test. `Link` has the steps such a function is made of: read the request, answer it rightly or
wrongly, exchange messages or bytes. `seen` keeps every message that arrived; `wait` waits for one.
It knows nothing of the program under test.
"""
import base64
import hashlib
import json
import socket
import struct
import threading

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HELLO, WELCOME, ABORT, GOODBYE, ERROR = 1, 2, 3, 6, 8
SUBSCRIBE, SUBSCRIBED, CALL, RESULT, REGISTER, REGISTERED = 32, 33, 48, 50, 64, 65
INVOCATION = 68
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
ROLES = {"roles": {"broker": {}, "dealer": {}}}


class Gone(Exception):
    """The other side has closed."""


class Link:
    def __init__(self, router, sock):
        self.router, self.sock, self.rest = router, sock, b""
        self.sock.settimeout(30)

    # ---- bytes
    def read(self, count):
        while len(self.rest) < count:
            self.rest += self.more()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        return data

    def raw(self, data):
        self.sock.sendall(data)

    # ---- HTTP
    def request(self):
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = (line.split(":", 1) for line in lines[1:])
        return {name.strip().lower(): value.strip() for name, value in fields}

    def answer(self, status, *fields):
        lines = ["HTTP/1.1 " + status, *fields, "", ""]
        self.raw("\r\n".join(lines).encode())

    def upgrade(self, subprotocol="wamp.2.json", accept=None, fields=()):
        """Answers the handshake; accept: another Accept than the right one, or "" for none. What
        was asked for, by the names of its fields."""
        request = self.request()
        key = request["sec-websocket-key"].encode()
        right = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()
        fields = ["Upgrade: websocket", "Connection: Upgrade", *fields]
        if accept != "":
            fields.append("Sec-WebSocket-Accept: " + (accept or right))
        if subprotocol:
            fields.append("Sec-WebSocket-Protocol: " + subprotocol)
        self.answer("101 Switching Protocols", *fields)
        return request

    # ---- WebSocket
    def frame(self, opcode, payload):
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
        self.raw(head + payload)

    def text(self, text):
        self.frame(TEXT, text.encode())

    def send(self, *message):
        self.text(json.dumps(message))

    def recv(self):
        """The next message; answers pings, and a close frame, which ends it."""
        while True:
            first, second = self.read(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(self.read(2 if size == 126 else 8), "big")
            mask = self.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.read(size)))
            opcode = first & 15
            if opcode == PING:
                self.frame(PONG, data)
            elif opcode == CLOSE:
                self.frame(CLOSE, data)
                raise Gone
            elif opcode == TEXT:
                message = json.loads(data)
                self.router.note(message)
                return message

    # ---- WAMP
    def join(self, session=4711):
        self.upgrade()
        message = self.recv()
        self.send(WELCOME, session, ROLES)
        return message

    def serve(self, goodbye=True, **replies):
        """Plays along until the other side leaves; replies: NAME = function(message)."""
        by_type = {CALL: replies.get("call"), REGISTER: replies.get("register")}
        while True:
            message = self.recv()
            kind = message[0]
            if by_type.get(kind):
                by_type[kind](message)
            elif kind == REGISTER:
                self.send(REGISTERED, message[1], 1000 + message[1])
            elif kind == SUBSCRIBE:
                self.send(SUBSCRIBED, message[1], 2000 + message[1])
            elif kind == GOODBYE and goodbye:
                self.send(GOODBYE, {}, "wamp.close.goodbye_and_out")

    def vanish(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class RawRouter:
    """with RawRouter(f1, f2) as router: the n-th connection gets the n-th function, or the last."""

    def __init__(self, *behaviours):
        self.behaviours, self.links, self.seen = list(behaviours), [], []
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = "ws://127.0.0.1:%d/" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
            link = Link(self, sock)
            self.links.append(link)
            threading.Thread(target=self.attend, args=(link, behave), daemon=True).start()

    @staticmethod
    def attend(link, behave):
        try:
            behave(link)
        except (Gone, OSError):
            pass
        link.sock.close()

    def note(self, message):
        with self.changed:
            self.seen.append(message)
            self.changed.notify_all()

    def wait(self, kind, seconds=20):
        """The first message of a kind, or AssertionError when it does not come."""
        def found():
            return next((m for m in self.seen if m[0] == kind), None)
        with self.changed:
            self.changed.wait_for(found, seconds)
            message = found()
        assert message, "no message %d came; seen: %s" % (kind, self.seen)
        return message

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for link in self.links:
            try:
                link.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
