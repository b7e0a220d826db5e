"""connect_proxy.py: an HTTP proxy that knows nothing but CONNECT, and misbehaves when told to.

with ConnectProxy() as proxy: proxy.address is HOST:PORT. `requests` has the head of each request.
Names that end in .test are this machine, so that what is asked for can have a name of its own.
With `answer` it says these bytes and hangs up; with b"" it hangs up at once; with None it never
answers. `user` is what it wants to hear as Proxy-Authorization.
"""
import base64
import socket
import threading

CONNECT = object()  # what an `answer` is that connects
OK = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n"
WHO = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"


class ConnectProxy:
    def __init__(self, answer=CONNECT, user=None, extra=b""):
        self.answer, self.extra, self.requests, self.open = answer, extra, [], []
        self.carried = 0  # bytes, both ways
        self.wanted = user and "Basic " + base64.b64encode(user.encode()).decode()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(near)
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        try:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                data = near.recv(1)  # not a byte of what follows
                if not data:
                    return
                head += data
            self.requests.append(head.decode())
            if self.answer is CONNECT:
                self.connect(near, head.decode())
            elif self.answer is not None:
                near.sendall(self.answer)
                near.close()
        except OSError:
            near.close()

    def connect(self, near, head):
        if self.wanted and "\r\nProxy-Authorization: %s\r\n" % self.wanted not in head:
            near.sendall(WHO)
            near.close()
            return
        host, port = head.split(" ")[1].rsplit(":", 1)
        far = socket.create_connection(
            ("127.0.0.1" if host.endswith(".test") else host.strip("[]"), int(port)), 20)
        self.open.append(far)
        near.sendall(OK + self.extra)
        far.settimeout(None)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self.carried += len(data)
                sink.sendall(data)
        except OSError:
            sink.close()

    def cut(self):
        for one in list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone with its other half

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for one in self.open:
            one.close()
