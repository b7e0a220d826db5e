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
        self.service.sock.close()
        self.caller.sock.close()


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
            some = list(mutants.of(shape, 2000))
            for i in range(0, len(some), 100):
                try_mutants(target, some[i:i + 100])
    return run


def thirds():
    """Every message, in three tests that run side by side: two thousand mutants in each attack."""
    for first, name in enumerate(("one", "two", "three")):
        run = mutate(mutants.SHAPES[first::3])
        run.__name__ = "mutations_of_every_message_part_" + name
        attack()(run)


thirds()


# ---- states, and what belongs to others ----------------------------------------------------------


@attack()
def messages_before_hello(target):
    for shape in mutants.SHAPES:
        if shape.name in ("HELLO", "ABORT"):
            continue
        with target.wire() as wire:
            wire.send(shape.message)
            refused(wire)


@attack()
def messages_of_a_router(target):
    for shape in mutants.SHAPES:
        if shape.who == mutants.ROUTER:
            with target.session() as session:
                session.send(shape.message)
                refused(session)


@attack()
def words_after_the_last_word(target):
    """HELLO twice, AUTHENTICATE to nobody; what comes behind ABORT and GOODBYE."""
    for again in ([1, "realm1", ROLES], [5, "proof", {}]):
        with target.session() as session:
            session.send(again)
            refused(session)
    with target.session() as session:
        equal(session.ask(6, {}, "wamp.close.normal")[0], 6)
        session.send([48, 1, {}, "canary.add", [1, 2]])
        refused(session)
    with target.session(raw=True) as session:
        session.bytes(raw_frame(b'[3,{},"wamp.close.normal"]') + raw_frame(text_of(PROBE)) * 100)
        equal(session.end()[0], None)


@attack()
def request_ids_that_are_in_use(target):
    with target.session() as callee, target.session() as caller:
        callee.ask(64, 1, {}, "hostile.never")
        caller.send([48, 1, {}, "hostile.never"])
        equal(callee.recv()[0], 68)
        caller.send([48, 1, {}, "hostile.never"])
        refused(caller)


@attack()
def answers_to_invocations_of_others(target):
    """An id that was sent to the canary, and never to this session."""
    for answer in ([70, 1, {}, ["forged"]], [8, 68, 1, {}, "forged.error"],
                   [70, 2 ** 53, {}], [70, 1, {"progress": True}, [1]]):
        for raw in (False, True):
            with target.session(raw=raw) as session:
                session.send(answer)
                refused(session)


@attack()
def cancels_for_calls_of_others(target):
    with target.session() as session:
        for n in range(300):
            session.send([49, n + 1, {"mode": ("kill", "killnowait", "skip")[n % 3]}])
        equal(session.ask(*PROBE)[:2], [50, PROBE[1]])


@attack()
def subscriptions_and_registrations_of_others(target):
    with target.session() as session:
        for n in range(1, 200):
            equal(session.ask(34, n, n)[4], "wamp.error.no_such_subscription")
            equal(session.ask(66, n, n)[4], "wamp.error.no_such_registration")
        got = session.ask(64, 200, {"force_reregister": "yes"}, "canary.add")
        equal(got[2] if got[0] == 3 else got[4], VIOLATION)


@attack()
def names_of_the_router(target):
    """The canary listens to wamp.session., and fails if it hears of this."""
    with target.session() as session:
        for n, uri in enumerate(("wamp.session.on_leave", "wamp.session.on_join", "wamp.x"), 1):
            got = session.ask(16, n, {"acknowledge": True}, uri, ["spoofed"])
            equal(got[:3], [8, 16, n])
            session.send([16, 10 + n, {}, uri, ["spoofed"]])
            equal(session.ask(64, 20 + n, {}, uri)[:3], [8, 64, 20 + n])
        got = session.ask(64, 30, {"match": "prefix"}, "wamp.session.")
        equal(got[:3], [8, 64, 30])
        equal(session.ask(*PROBE)[:2], [50, PROBE[1]])


# ---- frames --------------------------------------------------------------------------------------

FRAMES = {  # name: bytes, and the close codes that they may get (None: the link just ends)
    "declared too long": (frame(b"[", declared=2 ** 40), (1009, None)),
    "declared longer than there are numbers": (frame(b"[", declared=2 ** 63 + 5), (1002, 1009, None)),
    "declared just too long": (frame(b"[", declared=16 * MIB + 1), (1009, None)),
    "compressed": (frame(b"\xaa\x56\x02\x00", 0xc0 | TEXT), (1002, None)),
    "reserved bits": (frame(b"[]", 0xb0 | TEXT), (1002, None)),
    "reserved opcode": (frame(b"[]", 0x83), (1002, None)),
    "not masked": (frame(b"[]", masked=False), (1002, None)),
    "binary": (frame(b"[]", 0x82), (1003, None)),
    "continues nothing": (frame(b"[]", 0x80), (1002, None)),
    "a long ping": (frame(b"x" * 126, 0x80 | PING), (1002, None)),
    "a ping in parts": (frame(b"x", PING), (1002, None)),
    "a new message inside of one": (frame(b"[", TEXT) + frame(b"[", 0x80 | TEXT), (1002, None)),
    "half a close code": (frame(b"x", 0x80 | CLOSE), (1002, None)),
}


@attack()
def frames_that_break_the_protocol(target):
    for name, (data, codes) in FRAMES.items():
        with target.session() as session:
            session.bytes(data)
            _, code = session.end()
            assert code in codes, "%s: %s" % (name, code)
    for octets in (b"\x00\xff\xff\xff", b"\x01\xff\xff\xff", b"\x03\0\0\0", b"\x80\0\0\0"):
        wire = target.session(raw=True)  # a declared length costs nothing, and ends with the link
        wire.bytes(octets)
        wire.vanish()


@attack()
def a_message_in_fragments_without_end(target):
    piece = frame(b"[" * 65536, 0)
    with target.session() as session:
        session.bytes(frame(b"[", TEXT))
        try:
            for _ in range(16 * MIB // 65536 + 2):
                session.bytes(piece)
            _, code = session.end()
        except OSError:
            code = None
        assert code in (1009, None), code


@attack()
def fragments_of_nothing(target):
    with target.session() as session:
        session.bytes(frame(b"[48,7,{},", TEXT) + frame(b"", 0) * 20000
                      + frame(b'"wamp.session.count"]', 0x80))
        equal(session.recv()[:2], [50, 7])


@attack()
def two_hundred_kilobytes_of_brackets(target):
    deep = b"[" * 100000 + b"]" * 100000
    for text in (deep, b"[16,1,{},\"x\"," + deep + b"]", b"[48,1," + b'{"a":' * 40000,
                 b'[48,1,{"x":' + deep + b'},"canary.add"]'):
        with target.session() as session:
            session.send(text)
            refused(session)
    with target.wire() as wire:
        wire.send(b'[1,"realm1",{"roles":{"caller":' + deep + b"}}]")
        refused(wire)


# ---- peers that do not read, or do not speak -----------------------------------------------------


def flood(session, count, size):
    """Publishes, and waits until the last one has been worked on."""
    words = "x" * size
    for n in range(count):
        session.send([16, n + 1, {}, "hostile.news", [words]])
    equal(session.ask(*PROBE)[:2], [50, PROBE[1]])


@attack()
def a_subscriber_that_never_reads(target):
    """It costs its queue, and what goes past that is dropped."""
    with target.session(receive_buffer=4096) as deaf, target.session() as loud:
        equal(deaf.ask(32, 1, {}, "hostile.news")[0], 33)
        before = target.memory()
        flood(loud, 60, MIB)
        most = (QUEUE + 4 * MIB) * (2 if target.shadow() > 1 else 1)
        target.until(target.memory, before + most)
        assert target.memory() - before > QUEUE // 2
        deaf.vanish()


@attack()
def a_caller_that_never_reads(target):
    """Its results become errors, then it is cut off."""
    size = 4 * MIB
    with target.session(receive_buffer=4096) as deaf, target.session() as callee:
        callee.ask(64, 1, {}, "hostile.long")
        words = "x" * size
        for n in range(1, 13):
            deaf.send([48, n, {}, "hostile.long"])
            callee.send([70, callee.recv()[1], {}, [words]])
        equal(callee.ask(*PROBE)[:2], [50, PROBE[1]])
        try:
            for n in range(1000):
                deaf.bytes(frame(text_of([48, n + 100, {}, "no." + "x" * 1000])) * 200)
        except OSError:
            pass
        target.router.err.wait("does not read")


@attack()
def a_callee_that_never_reads(target):
    """Calls that have no room there end with an error at once, the others when it has gone."""
    with target.session(receive_buffer=4096) as deaf, target.session() as caller:
        deaf.ask(64, 1, {}, "hostile.deaf")
        words = "x" * (4 * MIB)
        for n in range(1, 12):
            caller.send([48, n, {}, "hostile.deaf", [words]])
        equal(caller.recv()[4], "wamp.error.unavailable")
        deaf.vanish()
        got = {}
        while len(got) < 10:
            message = caller.recv()
            got[message[2]] = message[4]
        assert "wamp.error.canceled" in got.values(), got


@attack()
def who_reads_a_byte_at_a_time(target):
    with target.session(receive_buffer=4096) as slow, target.session() as loud:
        equal(slow.ask(32, 1, {}, "hostile.news")[0], 33)
        flood(loud, 40, 256 * 1024)
        for _ in range(500):
            slow.sock.recv(1)
        target.canary.sings()
        slow.vanish()


def held_open(target, first, count=100):
    wires = [Wire(target.port) for _ in range(count)]
    for wire in wires:
        wire.bytes(first)
    return wires


@attack(times=1)
def words_that_are_never_finished(target):
    """In the request, the RawSocket handshake, before HELLO, in HELLO: five seconds each."""
    wires = [wire for first in (b"", b"GET / HT", request()[:-2], RAW_HELLO[:3], RAW_HELLO,
                                RAW_HELLO + raw_frame(b"[1,")[:5], request(),
                                request() + frame(b'[1,"realm1",', TEXT))
             for wire in held_open(target, first, 40)]
    for wire in wires:
        drain(wire.sock)
        wire.sock.close()


def drain(sock):
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass


@attack(times=1)
def a_link_that_has_died(target):
    """Who does not answer pings loses his session, and others may have his procedure."""
    dead = target.session()
    equal(dead.ask(64, 1, {}, "hostile.dead")[0], 65)
    with target.session() as other:
        equal(other.ask(64, 1, {}, "hostile.dead")[4], "wamp.error.procedure_already_exists")
    dead.sock.settimeout(2 * PATIENCE)
    drain(dead.sock)  # reads, and says nothing
    dead.sock.close()
    with target.session() as other:
        equal(other.ask(64, 1, {}, "hostile.dead")[0], 65)


# ---- many ----------------------------------------------------------------------------------------


@attack()
def a_thousand_connections_that_come_and_go(target):
    """As fast as one process can, each given up at another moment, most with a reset."""
    hello = frame(text_of([1, "realm1", ROLES]))
    steps = (b"", b"GET", request(), request() + hello, request() + hello[:9],
             RAW_HELLO, RAW_HELLO + raw_frame(text_of([1, "realm1", ROLES])))
    for n in range(1000):
        wire = Wire(target.port)
        wire.bytes(steps[n % len(steps)])
        if n % 5:
            wire.vanish()
        else:
            wire.sock.close()


@attack()
def ten_thousand_subscriptions_that_vanish(target):
    with target.session(raw=True) as session:
        texts = [raw_frame(text_of([32, n, {"match": ("exact", "prefix", "wildcard")[n % 3]},
                                    "hostile.topic.%d" % n])) for n in range(1, 10001)]
        session.bytes(b"".join(texts[:5000]))
        for _ in range(5000):
            equal(session.recv()[0], 33)
        session.bytes(b"".join(texts[5000:]))
        for _ in range(5000):
            equal(session.recv()[0], 33)
        session.vanish()


@attack()
def calls_that_nobody_waits_for(target):
    """Thousands under way when their caller vanishes: the callee is told of each."""
    with target.session() as callee, target.session(raw=True) as caller:
        callee.ask(64, 1, {}, "hostile.never")
        caller.bytes(b"".join(raw_frame(text_of([48, n, {}, "hostile.never"]))
                              for n in range(1, 3001)))
        for _ in range(3000):
            equal(callee.recv()[0], 68)
        caller.vanish()
        for _ in range(3000):
            equal(callee.recv()[0], 69)
        callee.send([70, 1, {}, ["late"]])
        equal(callee.ask(*PROBE)[:2], [50, PROBE[1]])
