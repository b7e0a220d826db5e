"""test_hostile.py: peers that mean harm, and a pair of sessions that must not notice.

Each test starts a router and a `Canary`, lets an attack happen once, notes what the router then
holds, lets it happen again, and looks at three things: the attacker got what the protocol says,
the canary lost nothing, and the router holds no more memory and descriptors than before.
"""
import os
import signal
import threading
import time

import mutants
from harness import PATIENCE, Case, equal, test
from wire import (CLOSE, PING, RAW_HELLO, ROLES, TEXT, Gone, Session, Wire, frame, raw_frame,
                  request, text_of)

VIOLATION = "wamp.error.protocol_violation"
MIB = 1 << 20
QUEUE = 33 * MIB  # LIMIT_QUEUE
KEPT = 6 * MIB  # what an allocator may keep of what was freed
# Under AddressSanitizer freed memory would rest for a while, which hides whether it was freed.
ENV = {"ASAN_OPTIONS": "quarantine_size_mb=1:malloc_context_size=2"}


class Canary:
    """Calls and publishes, one after the other, until it is stopped."""

    def __init__(self, port):
        self.service, self.caller = Session(port), Session(port)
        equal(self.service.ask(64, 1, {}, "canary.add")[0], 65)
        equal(self.service.ask(32, 2, {}, "canary.news")[0], 33)
        equal(self.service.ask(32, 3, {"match": "prefix"}, "wamp.session.")[0], 33)
        self.stopped, self.rounds, self.failure = threading.Event(), 0, None
        self.met = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stopped.is_set():
                self.round(self.rounds + 1)
                with self.met:
                    self.rounds += 1
                    self.met.notify_all()
        except Exception as error:  # pylint: disable=broad-except
            with self.met:
                self.failure = error
                self.met.notify_all()

    def heard(self):
        """What the service is sent next, but for who joins and leaves."""
        while True:
            message = self.service.recv()
            if message[0] != 36 or len(message) < 4 or not message[3].get("topic"):
                return message
            assert "spoofed" not in message[4], message

    def round(self, n):
        self.caller.send([48, 2 * n - 1, {}, "canary.add", [n, 1]])
        message = self.heard()
        equal([message[0], message[4]], [68, [n, 1]])
        self.service.send([70, message[1], {}, [n + 1]])
        equal(self.caller.recv(), [50, 2 * n - 1, {}, [n + 1]])
        self.caller.send([16, 2 * n, {"acknowledge": True}, "canary.news", [n]])
        equal(self.caller.recv()[:2], [17, 2 * n])
        message = self.heard()
        equal([message[0], message[4]], [36, [n]])

    def sings(self):
        """Waits for three more rounds: that nothing is lost, and that it goes on."""
        with self.met:
            until = self.rounds + 3
            self.met.wait_for(lambda: self.failure or self.rounds >= until, PATIENCE)
            assert not self.failure, "the canary: %r" % self.failure
            assert self.rounds >= until, "the canary has stopped"

    def stop(self):
        self.stopped.set()
        self.thread.join(PATIENCE)


class Target:
    """A router under attack."""

    def __init__(self, t, *args):
        self.router = t.start("router", "--listen", "universal+ws://127.0.0.1:0", *args, env=ENV)
        self.port = int(self.router.out.wait(r"^router .*:(\d+)").group(1))
        self.canary = Canary(self.port)

    def wire(self, **how):
        return Wire(self.port, **how).open()

    def session(self, **how):
        return Session(self.port, **how)

    def memory(self):
        with open("/proc/%d/statm" % self.router.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.router.pid))

    def sessions(self):
        with self.session() as asker:
            return asker.ask(48, 1, {}, "wamp.session.count")[3][0]

    def shadow(self):
        """How much more memory a byte costs here: AddressSanitizer adds to each block."""
        with open("/proc/%d/maps" % self.router.pid, encoding="ascii") as file:
            return 4 if "libasan" in file.read() else 1

    def until(self, what, most, seconds=PATIENCE):
        """Waits until what() is at most this."""
        end = time.monotonic() + seconds
        while (got := what()) > most:
            assert time.monotonic() < end, "%s: %d, not %d" % (what.__name__, got, most)
            time.sleep(0.02)

    def quiet(self):
        """Only the canary's two sessions, and who asks, are left."""
        self.until(self.sessions, 3)

    def end(self):
        self.canary.sings()
        self.canary.stop()
        self.router.ends(0, signal.SIGTERM)


def attack(*args, times=2):
    """Marks a function that attacks a target as a test."""
    def mark(fn):
        def run(t: Case):
            target = Target(t, *args)
            for i in range(times):
                fn(target)
                target.canary.sings()
                target.quiet()
                if i == 0:
                    descriptors, memory = target.descriptors(), target.memory()
            target.until(target.descriptors, descriptors)
            target.until(target.memory, memory + KEPT * target.shadow())
            target.end()
        run.__name__ = fn.__name__
        run.__module__ = fn.__module__
        test(run)
        return fn
    return mark


def refused(wire, uri=VIOLATION):
    """The end of a connection is an ABORT with this reason."""
    last, _ = wire.end()
    assert last and last[0] == 3 and last[2] == uri, last


# ---- messages ------------------------------------------------------------------------------------

PROBE = [48, 9007199254740985, {}, "wamp.session.count"]


def outcome(wire):
    """What became of a session: "lives", its ABORT's reason, or "gone"."""
    seen = "gone"
    try:
        while True:
            message = wire.recv()
            if message[0] == 3:
                seen = message[2]
            elif message[:2] == [50, PROBE[1]]:
                return "lives"
    except Gone:
        return seen


def try_mutants(target, batch):
    wires = []
    for mutant in batch:
        first = b"" if mutant.opens else raw_frame(text_of([1, "realm1", ROLES]))
        wire = Wire(target.port, raw=True)
        wire.bytes(RAW_HELLO + first + raw_frame(mutant.data) + raw_frame(text_of(PROBE)))
        wires.append(wire)
    for mutant, wire in zip(batch, wires):
        with wire:
            wire.read(4)
            got = outcome(wire)
            assert not mutant.wrong or got == VIOLATION, (
                "%s after %r, whose %s" % (got, mutant.data[:200], mutant.wrong))


def mutate(shapes):
    def run(target):
        for shape in shapes:
            some = list(mutants.of(shape, 1000))
            for i in range(0, len(some), 100):
                try_mutants(target, some[i:i + 100])
    return run


def thirds():
    """Every message, in three tests that run side by side: a thousand mutants in each attack."""
    for first, name in enumerate(("one", "two", "three")):
        run = mutate(mutants.SHAPES[first::3])
        run.__name__ = "mutations_of_every_message_part_" + name
        attack()(run)


thirds()
