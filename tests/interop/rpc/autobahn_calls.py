"""autobahn_calls.py: busy callees, procedures taken over, timeouts and cancelling, by
autobahn-python on both ends.

usage: autobahn_calls.py URL router|crossbar
"""
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../py"))

# pylint: disable=wrong-import-position
from autobahn.wamp.exception import ApplicationError  # noqa: E402
from autobahn.wamp.types import CallOptions, RegisterOptions  # noqa: E402

from autobahn_peer import open_  # noqa: E402
from scenario import equal, test, until  # noqa: E402


async def refused(call):
    try:
        result = await call
    except ApplicationError as error:
        return error.error
    raise AssertionError("no error but %.300r" % (result,))


class Worker:
    """A callee that answers when it is told to, and counts."""

    def __init__(self):
        self.running = self.most = 0
        self.canceled, self.answer = False, asyncio.Event()

    async def handle(self):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.canceled = True
            raise
        finally:
            self.running -= 1


class Tests:
    def __init__(self, url, router):
        self.url, self.ours = url, router == "router"
        self.caller = self.one = self.two = None

    def uri(self, name):
        return "interop.rpc.autobahn_python." + name

    async def joins(self):
        self.caller, self.one, self.two = [
            verbs.session for verbs in [await open_(self.url) for _ in range(3)]]

    async def busy(self):
        workers = [Worker(), Worker()]
        options = RegisterOptions(invoke="roundrobin", concurrency=1)
        await self.one.register(workers[0].handle, self.uri("busy"), options)
        await self.two.register(workers[1].handle, self.uri("busy"), options)
        calls = [self.caller.call(self.uri("busy")) for _ in range(2)]

        async def both():
            return all(worker.running == 1 for worker in workers)
        await until(both)
        third = self.caller.call(self.uri("busy"))
        if self.ours:  # it waits
            calls.append(third)
        else:
            equal(await refused(third), "crossbar.error.max_concurrency_reached")
        for worker in workers:
            worker.answer.set()
        await asyncio.gather(*calls)
        equal([worker.most for worker in workers], [1, 1])

    async def taken_over(self):
        def who(name):
            async def handler():
                return name
            return handler
        await self.one.register(who("one"), self.uri("mine"))
        await self.two.register(who("two"), self.uri("mine"),
                                RegisterOptions(force_reregister=True))
        equal(await self.caller.call(self.uri("mine")), "two")

    async def times_out(self):
        worker = Worker()
        await self.one.register(worker.handle, self.uri("late"))
        call = self.caller.call(self.uri("late"), options=CallOptions(timeout=50))
        equal(await refused(call), "wamp.error.timeout")

        async def canceled():
            return worker.canceled
        await until(canceled)

    async def parts(self):
        async def handler(details):
            details.progress(1)
            details.progress(2)
            return 3
        await self.one.register(handler, self.uri("parts"), RegisterOptions(details_arg="details"))
        seen = []
        last = await self.caller.call(self.uri("parts"), options=CallOptions(on_progress=seen.append))
        equal((seen, last), ([1, 2], 3))

    async def cancels(self):
        worker = Worker()
        await self.one.register(worker.handle, self.uri("hang"))
        call = self.caller.call(self.uri("hang"))

        async def running():
            return worker.running == 1
        await until(running)
        call.cancel()
        equal(await self.caller.call(self.uri("mine")), "two")  # all is well

    async def leaves_busy(self):
        worker = Worker()
        await self.two.register(worker.handle, self.uri("left"), RegisterOptions(concurrency=1))
        other = await open_(self.url)
        other.session.call(self.uri("left")).add_done_callback(lambda call: call.exception())

        async def running():
            return worker.running == 1
        await until(running)
        other.drop()  # its place is free, and its callee is told

        async def canceled():
            return worker.canceled
        if self.ours:
            await until(canceled)
            worker.answer.set()
            await self.caller.call(self.uri("left"))

    def all(self):
        yield "joins", self.joins
        yield "two callees of one call at a time", self.busy
        yield "a procedure that is taken over", self.taken_over
        if self.ours:
            yield "a call that takes too long", self.times_out
        yield "results in parts", self.parts
        yield "a call that is cancelled", self.cancels
        yield "a caller that leaves a busy callee", self.leaves_busy


if __name__ == "__main__":
    asyncio.run(test(Tests(*sys.argv[1:3]).all()))
