"""pty_child.py: a program at a terminal of its own, to be typed at."""
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time

from harness import PATIENCE, PROGRAM

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """The program with a terminal: it ends with the block."""

    def __init__(self, case, *args, env=None, columns=80):
        self.master, self.slave = os.openpty()
        resize(self.master, 24, columns)
        surroundings = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": case.folder}
        self.child = subprocess.Popen(
            ["setsid", "-c"] + PROGRAM + [str(a) for a in args], cwd=case.folder,
            env=case.env | surroundings | (env or {}),
            stdin=self.slave, stdout=self.slave, stderr=self.slave)
        self.shown = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536)

    def text(self):
        return ESCAPES.sub(b"", self.shown).decode("utf-8", "replace").replace("\r", "")

    def wait(self, pattern):
        """Waits until what is shown since the last wait has this in it, and forgets it."""
        limit = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text(), re.M)):
            assert time.monotonic() < limit, "nothing like %r in %r" % (pattern, self.text())
            assert self.child.poll() is None or select.select([self.master], [], [], 0)[0], \
                "ended with %s; nothing like %r in %r" % (self.child.returncode, pattern,
                                                          self.text())
            self.read(0.1)
        self.shown = self.text()[found.end():].encode()
        return found

    def types(self, text):
        os.write(self.master, text.encode())

    def ask(self, line, pattern):
        """Types a line, and waits for what it shows, and for the next prompt."""
        self.types(line + "\r")
        found = self.wait(pattern)
        self.wait("^[^ ]*> ")
        return found

    def ends(self, code):
        limit = time.monotonic() + PATIENCE
        while self.child.poll() is None and time.monotonic() < limit:
            self.read(0.1)
        assert self.child.poll() == code, "ended with %s, not %s: %r" % (
            self.child.poll(), code, self.text())
        self.read(0.1)
        return self

    def modes(self):
        """Whether the terminal shows what is typed, and waits for whole lines."""
        flags = termios.tcgetattr(self.slave)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)
