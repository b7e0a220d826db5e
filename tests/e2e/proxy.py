"""proxy.py: a TCP proxy that can do to a link what networks do: delay, freeze, cut, refuse.

with Proxy(port) as proxy: clients connect to proxy.url; the faults hold until they are taken back.
One thread per direction of a connection; each looks at the faults before it passes anything on.
"""
import socket
import struct
import threading
import time


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy, near, far):
        self.proxy, self.near, self.far, self.passed = proxy, near, far, 0
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                self.proxy.may_pass.wait()
                if self.proxy.delay:
                    time.sleep(self.proxy.delay)
                self.send(sink, data)
                if not data:
                    return
        except OSError:
            self.cut()

    def send(self, sink, data):
        left = self.proxy.limit
        if left is not None and sink is self.near:
            sink.sendall(data[:left])
            self.proxy.limit = left - len(data)
            if self.proxy.limit <= 0:
                self.proxy.limit = None
                self.cut()
        elif data:
            sink.sendall(data)
        else:
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        """Both ends get a reset, as from a router that lost its table."""
        for end in (self.near, self.far):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads
                end.close()
            except OSError:
                pass


class Proxy:
    def __init__(self, port):
        self.port, self.links = port, []
        self.may_pass = threading.Event()
        self.may_pass.set()
        self.delay = 0        # seconds, each way
        self.limit = None     # bytes to the client until the link is cut
        self.refusing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "ws://127.0.0.1:%d/" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.refusing:
                    raise ConnectionRefusedError
                far = socket.create_connection(("127.0.0.1", self.port), 5)
                far.settimeout(None)
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.links.append(Link(self, near, far))
            except OSError:
                near.close()

    def cut(self):
        links, self.links = self.links, []
        for link in links:
            link.cut()

    def freeze(self):
        """Nothing passes, nothing closes: a half-open link."""
        self.may_pass.clear()

    def thaw(self):
        self.may_pass.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thaw()
        self.listener.close()
        self.cut()
