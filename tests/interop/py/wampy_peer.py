"""wampy_peer.py: Python wampy as service and tester, as far as it goes.

It has no acknowledged publish, no unsubscribe, no unregister and no ERROR of one's own choice;
results are one value, events keywords only, and one call is under way at a time. What it breaks
itself (frames of 32768 to 65535 bytes, a callee that calls, a signature without `meta`) is not
tried. Services and tests are those of scenario.py.
"""
import os
import sys
import time

os.environ["WAMPY_ASYNC_NAME"] = "gevent"

# pylint: disable=wrong-import-position
from wampy.peers import Client  # noqa: E402  (patches the process, so before all else)
from wampy.roles.callee import callee  # noqa: E402
from wampy.roles.subscriber import subscribe  # noqa: E402

from scenario import BIG, LONG, LOW, REFUSED, TEXT, equal, report  # noqa: E402


def service(prefix):
    """A Client class whose methods are named like the procedures, prefix and dots included."""
    events = []

    def echo(_self, *args, **kwargs):
        return {"args": args, "kwargs": kwargs}

    def fail(_self, *_args, **_kwargs):
        raise ValueError("refused")

    def heard(_self, mark):
        return [event for event in events if event["kwargs"].get("mark") == mark]

    def say(self, topic, _args, kwargs):
        self.publish(topic=topic, **kwargs)
        return True

    def leave(_self):
        os._exit(0)  # pylint: disable=protected-access

    def news(_self, *args, meta, **kwargs):
        del meta
        events.append({"args": args, "kwargs": kwargs})

    members = {"news": news, "hear": subscribe(topic=prefix + ".news")(news)}
    for function in (echo, fail, heard, say, leave):
        function.__name__ = "%s.%s" % (prefix, function.__name__)
        members[function.__name__] = callee(function)
    return type("Service", (Client,), members)


def listener(topic, events):
    def out(_self, *args, meta, **kwargs):
        del meta
        events.append((list(args), kwargs))
    return type("Listener", (Client,), {"out": out, "hear": subscribe(topic=topic)(out)})


def until(condition):
    end = time.time() + 10
    while not condition():
        if time.time() > end:
            raise AssertionError("nothing within 10 s")
        time.sleep(0.005)


def serve(url, prefix):
    client = service(prefix)(url=url)
    client.start()
    until(lambda: client.session and len(client.registration_map) == 5
          and len(client.subscription_map) == 1)
    print("ready", flush=True)
    while True:
        time.sleep(1)


class Tests:
    def __init__(self, url, prefix, flavour):
        self.prefix, self.flavour = prefix, flavour
        self.events = []
        self.client = listener(prefix + ".out", self.events)(url=url)

    def uri(self, name):
        return self.prefix + "." + name

    def echo(self, *args):
        equal(self.client.call(self.uri("echo"), *args), {"args": list(args), "kwargs": {}})

    def joins(self):
        self.client.start()
        until(lambda: self.client.session and self.client.subscription_map)

    def call_with_args_and_kwargs(self):
        args, kwargs = [1, "two", [3.5, None]], {"four": {"five": True}}
        equal(self.client.call(self.uri("echo"), *args, **kwargs),
              {"args": args, "kwargs": kwargs})

    def error_with_args_and_kwargs(self):
        error = self.client.call(self.uri("fail"), 1, "why", code=7)
        if self.flavour == "wampy":
            equal(error.error, self.uri("fail"))
        else:
            equal((error.error, error.args_list, error.kwargs_dict),
                  (REFUSED, [1, "why"], {"code": 7}))

    def call_of_nothing(self):
        error = self.client.call(self.uri("nothing"))
        equal(error.error, "wamp.error.no_such_procedure")

    def large_integers(self):
        if self.flavour == "js":
            got = self.client.call(self.uri("echo"), BIG, LOW)["args"]
            equal([float(n) for n in got], [float(BIG), float(LOW)])
        else:
            self.echo(BIG, LOW)

    def non_ascii_text(self):
        self.echo(TEXT)

    def long_text(self):
        self.echo(LONG)

    def publish_not_acknowledged(self):
        self.client.publish(topic=self.uri("news"), mark="silent")
        heard = []

        def there():
            heard[:] = self.client.call(self.uri("heard"), "silent")
            return heard
        until(there)
        equal(heard, [{"args": [], "kwargs": {"mark": "silent"}}])

    def subscribe(self):
        self.client.call(self.uri("say"), self.uri("out"), [], {"mark": "mine"})
        until(lambda: self.events)
        equal(self.events, [([], {"mark": "mine"})])

    def callee_leaves(self):
        error = self.client.call(self.uri("leave"))
        equal((error.WAMP_CODE, error.error == "wamp.error.no_such_procedure"), (8, False))

    def leaves(self):
        self.client.stop()

    def all(self):
        yield "joins", self.joins
        yield "call with args and kwargs", self.call_with_args_and_kwargs
        yield "error with args and kwargs", self.error_with_args_and_kwargs
        yield "call of nothing", self.call_of_nothing
        yield "2^53 and -2^63", self.large_integers
        yield "non-ASCII text", self.non_ascii_text
        yield "100 kB", self.long_text
        yield "publish, not acknowledged", self.publish_not_acknowledged
        yield "subscribe", self.subscribe
        yield "a callee that leaves in mid-call", self.callee_leaves
        yield "leaves", self.leaves


class WeatherTests:
    """As client of apps/06-weather."""

    def __init__(self, url):
        self.events = []
        self.client = listener("wampy-weather", self.events)(url=url)

    def joins(self):
        self.client.start()
        until(lambda: self.client.session and self.client.subscription_map)

    def asks(self):
        equal(self.client.rpc.get_weather("Quito"), {"city": "Quito", "degrees": 15})

    def asks_in_vain(self):
        error = self.client.call("get_weather", "Atlantis")
        equal((error.error, error.args_list), ("com.example.weather.no_such_city", ["Atlantis"]))

    def hears(self):
        self.client.publish(topic="global-weather", message={"wind": "calm"})
        until(lambda: self.events)
        equal(self.events, [([], {"message": {"wind": "calm"}})])

    def leaves(self):
        self.client.stop()

    def all(self):
        yield "joins", self.joins
        yield "asks for the weather", self.asks
        yield "asks for the weather of no city", self.asks_in_vain
        yield "hears of the weather", self.hears
        yield "leaves", self.leaves


def test(tests):
    for name, run in tests:
        try:
            run()
            report(name)
        except Exception as error:  # pylint: disable=broad-except
            report(name, error)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
    elif sys.argv[1] == "weather":
        test(WeatherTests(sys.argv[2]).all())
    else:
        test(Tests(*sys.argv[2:4], sys.argv[4] if len(sys.argv) > 4 else "").all())
