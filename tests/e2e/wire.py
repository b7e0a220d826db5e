"""wire.py: a WAMP client made by hand, which says whatever a test wants, bytes if need be.

`Wire` is one connection, over WebSocket or RawSocket, and knows only frames; `Session` has joined.
Nothing here checks what is sent. It knows nothing of the program under test.
"""
import base64
import json
import os
import socket
import struct

ROLES = {"roles": {
    "publisher": {}, "subscriber": {}, "caller": {},
    "callee": {"features": {"call_canceling": True, "progressive_call_results": True}}}}
RAW_HELLO = b"\x7f\xf1\0\0"  # messages of up to 16 MiB, JSON
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
PATIENCE = 30


class Gone(Exception):
    """The other side has closed. args: the close code, None where there was none."""


def mask(data, key):
    """RFC 6455, 5.3, of any length: as one long number."""
    count = len(data)
    keys = (key * (count // 4 + 1))[:count]
    return (int.from_bytes(data, "big") ^ int.from_bytes(keys, "big")).to_bytes(count, "big")


def frame(data, first=0x80 | TEXT, masked=True, declared=None):
    """A WebSocket frame; declared: another length than it has."""
    size = len(data) if declared is None else declared
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    key = os.urandom(4)
    return head + (key + mask(data, key) if masked else data)


def raw_frame(data):
    return b"\0" + len(data).to_bytes(3, "big") + data


def request(subprotocol="wamp.2.json"):
    return ("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
            "Sec-WebSocket-Protocol: %s\r\n\r\n" % (
                base64.b64encode(os.urandom(16)).decode(), subprotocol)).encode()


def text_of(message):
    return message if isinstance(message, bytes) else json.dumps(message).encode()


class Wire:
    def __init__(self, port, raw=False, receive_buffer=None):
        self.raw, self.rest = raw, b""
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # ---- bytes
    def bytes(self, data):
        self.sock.sendall(data)

    def read(self, count):
        parts, have = [self.rest], len(self.rest)
        while have < count:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionError:
                data = b""
            if not data:
                raise Gone(None)
            parts.append(data)
            have += len(data)
        data = b"".join(parts)
        self.rest = data[count:]
        return data[:count]

    # ---- the transport
    def open(self):
        if self.raw:
            self.bytes(RAW_HELLO)
            self.read(4)
            return self
        self.bytes(request())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        assert b" 101 " in head, head
        return self

    def send(self, message):
        data = text_of(message)
        self.bytes(raw_frame(data) if self.raw else frame(data))

    def take(self):
        """The payload of the next message; answers pings; Gone at the end."""
        if self.raw:
            return self.read(int.from_bytes(self.read(4)[1:], "big"))
        while True:
            first, size = self.read(2)
            if size > 125:
                size = int.from_bytes(self.read(2 if size == 126 else 8), "big")
            data = self.read(size)
            if first & 15 == PING:
                self.bytes(frame(data, 0x80 | PONG))
            elif first & 15 == CLOSE:
                raise Gone(int.from_bytes(data[:2], "big"))
            elif first & 15 == TEXT:
                return data

    def recv(self):
        return json.loads(self.take())

    def end(self):
        """Reads on to the end: the last message, and the close code."""
        last = None
        try:
            while True:
                last = self.recv()
        except Gone as gone:
            return last, gone.args[0]

    def vanish(self):
        """Ends as a process that was killed: with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Session(Wire):
    def __init__(self, port, **how):
        super().__init__(port, **how)
        self.open()
        self.send([1, "realm1", ROLES])
        self.id = self.recv()[1]

    def ask(self, *message):
        """Sends a request, and takes what comes next."""
        self.send(message)
        return self.recv()
