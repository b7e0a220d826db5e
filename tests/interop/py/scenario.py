"""scenario.py: what a foreign Python peer does, as a service and as a tester.

It knows no library: a peer hands it `open(url)`, a coroutine that gives a session of these verbs:
  await call(uri, args, kwargs) -> (args, kwargs); raises Refused(uri, args, kwargs)
  await stream(uri, args) -> (parts, args): the first values of a result's parts, and its last args
  await register(uri, handler), await subscribe(uri, handler) -> handle; handler(args, kwargs), and
  a procedure's handler, if it says `progressive`, handler(args, kwargs, progress)
  await unregister(handle), unsubscribe(handle), publish(uri, args, kwargs, acknowledge)
  await close(); drop() (without GOODBYE)
The same service and the same tests stand in js/scenario.js, where they are explained, and in
lua/scenario.lua.
"""
import asyncio
import os
import sys
import traceback

REFUSED = "interop.error.refused"
TEXT = 'Grüße, мир, 世界, 🎉, "quoted" \\ and\na line'
LONG = "x" * 50000 + "é" * 25000  # 100,000 bytes of UTF-8
BIG, LOW = 2 ** 53, -2 ** 63


class Refused(Exception):
    def __init__(self, uri, args=(), kwargs=None):
        super().__init__(uri, args, kwargs)
        self.uri, self.positional, self.keywords = uri, list(args), dict(kwargs or {})


async def serve(open_, url, prefix):
    session = await open_(url)
    events = []
    hung = []

    async def echo(args, kwargs):
        return [{"args": args, "kwargs": kwargs}], {}

    async def mirror(args, kwargs):
        return args, kwargs

    async def fail(args, kwargs):
        raise Refused(REFUSED, args, kwargs)

    async def hang(_args, _kwargs):
        hung.append(True)
        await asyncio.Event().wait()

    async def count_hung(_args, _kwargs):
        return [len(hung)], {}

    async def heard(args, _kwargs):
        return [[event for event in events if event["kwargs"].get("mark") == args[0]]], {}

    async def say(args, _kwargs):
        topic, positional, keywords = args
        await session.publish(topic, positional, keywords, True)
        return [True], {}

    async def count(args, _kwargs, progress):
        for i in range(args[0]):
            progress(i + 1)
        return ["done"], {}
    count.progressive = True

    async def leave(_args, _kwargs):
        os._exit(0)  # pylint: disable=protected-access

    procedures = {"echo": echo, "mirror": mirror, "fail": fail, "hang": hang,
                  "hung": count_hung, "heard": heard, "say": say, "count": count,
                  "leave": leave}
    for name, handler in procedures.items():
        await session.register(prefix + "." + name, handler)
    await session.subscribe(
        prefix + ".news",
        lambda args, kwargs: events.append({"args": args, "kwargs": kwargs}))
    print("ready", flush=True)
    await asyncio.Event().wait()


async def until(condition):
    while not await condition():
        await asyncio.sleep(0.005)


def equal(got, expected):
    if got != expected:
        raise AssertionError("%.300r, not %.300r" % (got, expected))


async def error_of(call):
    try:
        result = await call
    except Refused as error:
        return error
    raise AssertionError("no error but %.300r" % (result,))


class Tests:
    """`wampy` is true when the service is Python wampy: one result, keyword events."""

    def __init__(self, open_, url, prefix, wampy):
        self.open, self.url, self.prefix, self.wampy = open_, url, prefix, wampy
        self.args = [] if wampy else [1, "two"]
        self.a = self.b = None

    def uri(self, name):
        return self.prefix + "." + name

    async def echo(self, *args):
        result, _ = await self.a.call(self.uri("echo"), list(args), {})
        equal(result[0], {"args": list(args), "kwargs": {}})

    async def heard(self, mark):
        async def there():
            (events,), _ = await self.a.call(self.uri("heard"), [mark], {})
            if events:
                equal(events, [{"args": self.args, "kwargs": {"mark": mark}}])
            return events
        await until(there)

    async def say(self, topic, mark):
        await self.a.call(self.uri("say"), [topic, self.args, {"mark": mark}], {})

    async def joins(self):
        self.a, self.b = await self.open(self.url), await self.open(self.url)

    async def call_with_args_and_kwargs(self):
        args, kwargs = [1, "two", [3.5, None]], {"four": {"five": True}}
        result, _ = await self.a.call(self.uri("echo"), args, kwargs)
        equal(result[0], {"args": args, "kwargs": kwargs})

    async def result_with_args_and_kwargs(self):
        equal(await self.a.call(self.uri("mirror"), [1, []], {"two": {}}), ([1, []], {"two": {}}))

    async def error_with_args_and_kwargs(self):
        error = await error_of(self.a.call(self.uri("fail"), [1, "why"], {"code": 7}))
        if self.wampy:
            equal((error.uri, error.keywords["call_args"]), (self.uri("fail"), [1, "why"]))
        else:
            equal((error.uri, error.positional, error.keywords),
                  (REFUSED, [1, "why"], {"code": 7}))

    async def call_of_nothing(self):
        error = await error_of(self.a.call(self.uri("nothing"), [], {}))
        equal(error.uri, "wamp.error.no_such_procedure")

    async def ten_calls_at_once(self):
        results = await asyncio.gather(
            *(self.a.call(self.uri("echo"), [i], {}) for i in range(10)))
        equal([args[0]["args"] for args, _ in results], [[i] for i in range(10)])

    async def result_in_parts(self):
        equal(await self.a.stream(self.uri("count"), [3]), ([1, 2, 3], ["done"]))
        equal(await self.a.call(self.uri("count"), [0], {}), (["done"], {}))

    async def large_integers(self):
        await self.echo(BIG, LOW, -BIG, 2 ** 63 - 1)

    async def large_integers_of_javascript(self):
        result, _ = await self.a.call(self.uri("echo"), [BIG, LOW, -BIG], {})
        equal([float(n) for n in result[0]["args"]], [float(n) for n in (BIG, LOW, -BIG)])

    async def non_ascii_text(self):
        await self.echo(TEXT)

    async def long_text(self):
        await self.echo(LONG)

    async def publish_acknowledged(self):
        await self.a.publish(self.uri("news"), self.args, {"mark": "acknowledged"}, True)
        await self.heard("acknowledged")

    async def publish_not_acknowledged(self):
        await self.a.publish(self.uri("news"), self.args, {"mark": "silent"}, False)
        await self.heard("silent")

    async def subscribe(self):
        event = asyncio.get_running_loop().create_future()
        await self.a.subscribe(self.uri("out"), lambda *got: event.set_result(got))
        await self.say(self.uri("out"), "mine")
        equal(await event, (self.args, {"mark": "mine"}))

    async def unsubscribe(self):
        got = []
        gone = await self.a.subscribe(self.uri("gone"), lambda *_: got.append("gone"))
        await self.a.subscribe(self.uri("stays"), lambda *_: got.append("stays"))
        await self.a.unsubscribe(gone)
        await self.say(self.uri("gone"), "x")
        await self.say(self.uri("stays"), "x")

        async def there():
            return got
        await until(there)
        equal(got, ["stays"])

    async def register_and_unregister(self):
        async def handler(args, kwargs):
            return [len(args)], kwargs
        mine = await self.a.register(self.uri("mine"), handler)
        equal(await self.b.call(self.uri("mine"), [1, 2], {"three": 3}), ([2], {"three": 3}))
        await self.a.unregister(mine)
        error = await error_of(self.b.call(self.uri("mine"), [], {}))
        equal(error.uri, "wamp.error.no_such_procedure")

    async def caller_leaves(self):
        async def hang():
            try:
                await self.b.call(self.uri("hang"), [], {})
            except Exception:  # pylint: disable=broad-except
                pass  # the session it belongs to is dropped

        async def hung():
            (count,), _ = await self.a.call(self.uri("hung"), [], {})
            return count == 1
        waiting = asyncio.ensure_future(hang())
        await until(hung)
        self.b.drop()
        await self.echo("still there")
        waiting.cancel()

    async def callee_leaves(self):
        error = await error_of(self.a.call(self.uri("leave"), [], {}))
        equal(error.uri == "wamp.error.no_such_procedure", False)

    async def leaves(self):
        await self.a.close()

    def all(self, flavour):
        yield "joins", self.joins
        yield "call with args and kwargs", self.call_with_args_and_kwargs
        if not self.wampy:
            yield "result with args and kwargs", self.result_with_args_and_kwargs
        yield "error with args and kwargs", self.error_with_args_and_kwargs
        yield "call of nothing", self.call_of_nothing
        yield "ten calls at once", self.ten_calls_at_once
        if not self.wampy:
            yield "a result in parts", self.result_in_parts
        yield "2^53 and -2^63", (
            self.large_integers_of_javascript if flavour == "js" else self.large_integers)
        yield "non-ASCII text", self.non_ascii_text
        yield "100 kB", self.long_text
        yield "publish, acknowledged", self.publish_acknowledged
        yield "publish, not acknowledged", self.publish_not_acknowledged
        yield "subscribe", self.subscribe
        yield "unsubscribe", self.unsubscribe
        yield "register and unregister", self.register_and_unregister
        if not self.wampy:
            yield "a caller that leaves in mid-call", self.caller_leaves
        yield "a callee that leaves in mid-call", self.callee_leaves
        yield "leaves", self.leaves


class WeatherTests:
    """As clients of apps/06-weather."""

    def __init__(self, open_, url):
        self.open, self.url, self.a = open_, url, None

    async def joins(self):
        self.a = await self.open(self.url)

    async def asks(self):
        equal(await self.a.call("get_weather", ["Quito"], {}),
              ([{"city": "Quito", "degrees": 15}], {}))

    async def asks_in_vain(self):
        error = await error_of(self.a.call("get_weather", ["Atlantis"], {}))
        equal((error.uri, error.positional), ("com.example.weather.no_such_city", ["Atlantis"]))

    async def hears(self):
        event = asyncio.get_running_loop().create_future()
        await self.a.subscribe("wampy-weather", lambda *got: event.set_result(got))
        message = {"message": {"wind": "calm"}}
        await self.a.publish("global-weather", [], message, True)
        equal(await event, ([], message))

    async def leaves(self):
        await self.a.close()

    def all(self):
        yield "joins", self.joins
        yield "asks for the weather", self.asks
        yield "asks for the weather of no city", self.asks_in_vain
        yield "hears of the weather", self.hears
        yield "leaves", self.leaves


def report(name, error=None):
    if error is None:
        print("ok - " + name, flush=True)
    else:
        text = "".join(traceback.format_exception(error)).replace("\n", "\\n")
        print("not ok - %s # %s" % (name, text), flush=True)


async def test(tests):
    for name, run in tests:
        try:
            await asyncio.wait_for(run(), 10)
            report(name)
        except Exception as error:  # pylint: disable=broad-except
            report(name, error)


def main(open_):
    """PEER serve URL PREFIX, PEER test URL PREFIX [js|wampy], or PEER weather URL"""
    what, url, prefix, flavour = (sys.argv[1:] + ["", ""])[:4]
    if what == "serve":
        asyncio.run(serve(open_, url, prefix))
    elif what == "weather":
        asyncio.run(test(WeatherTests(open_, url).all()))
    else:
        asyncio.run(test(Tests(open_, url, prefix, flavour == "wampy").all(flavour)))
