"""features.py: what the router announces in WELCOME, used by autobahn-python: patterns, lists,
disclosure, shared registration, trust levels, the meta API, payload that only its ends can read. features.js does the same.

usage: features.py URL PREFIX    TAP on standard output; URIs begin with PREFIX
"""
import asyncio
import json
import os
import sys

from autobahn.wamp.types import EncodedPayload, PublishOptions, RegisterOptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../py"))
from pairs import Ear, run  # noqa: E402 pylint: disable=wrong-import-position
# pylint: disable-next=wrong-import-position
from autobahn.wamp.cryptobox import KeyRing  # noqa: E402 (after pairs, which takes asyncio)

URL, PREFIX = sys.argv[1:]


async def publish(peer, topic, *args, **options):
    await peer.session.publish(topic, *args, options=PublishOptions(acknowledge=True, **options))


async def register(peer, uri, answer, **options):
    """A procedure that answers with what `answer` makes of its arguments and details."""
    await peer.session.register(lambda *args, details: answer(args, details), uri,
                                RegisterOptions(details=True, **options))


async def subscriptions_by_prefix_and_wildcard(one, other):
    prefix, wildcard = Ear(), Ear()
    await prefix.subscribe(other, PREFIX + "p.", match="prefix")
    await wildcard.subscribe(other, PREFIX + "p..x", match="wildcard")
    await publish(one, PREFIX + "p.a.y", 1)
    await publish(one, PREFIX + "p.b.x", 2)
    for value, topic in ((1, "p.a.y"), (2, "p.b.x")):
        args, _, details = await prefix.next()
        assert (args, details.topic) == ((value,), PREFIX + topic), details
    args, _, details = await wildcard.next()
    assert (args, details.topic) == ((2,), PREFIX + "p.b.x"), details
    assert prefix.heard.empty() and wildcard.heard.empty()


async def a_publisher_is_excluded_unless_he_wants(one, _):
    ear = Ear()
    await ear.subscribe(one, PREFIX + "self")
    await publish(one, PREFIX + "self", "unheard")
    await publish(one, PREFIX + "self", "heard", exclude_me=False)
    assert (await ear.next())[0] == ("heard",)


async def black_and_white_lists_choose(one, other):
    ear, own = Ear(), other.session._session_id  # pylint: disable=protected-access
    await ear.subscribe(other, PREFIX + "lists")
    await publish(one, PREFIX + "lists", 1, exclude=[own])
    await publish(one, PREFIX + "lists", 2, eligible=[])
    await publish(one, PREFIX + "lists", 3, exclude_authrole=["anonymous"])
    await publish(one, PREFIX + "lists", 4, eligible_authrole=["admin"])
    await publish(one, PREFIX + "lists", 5, eligible=[own])
    assert (await ear.next())[0] == (5,)


async def a_publisher_is_told_by_rule(one, other):
    ear = Ear()
    await ear.subscribe(other, "com.told." + PREFIX + "t")
    await publish(one, "com.told." + PREFIX + "t")
    details = (await ear.next())[2]
    assert details.publisher == one.session._session_id  # pylint: disable=protected-access
    assert details.publisher_authrole == "anonymous"


async def a_caller_is_told_by_rule(one, other):
    await register(other, "com.told." + PREFIX + "who", lambda _, details: details.caller)
    got = await one.session.call("com.told." + PREFIX + "who")
    assert got == one.session._session_id, got  # pylint: disable=protected-access


async def the_most_exact_registration_is_called(one, other):
    def named(name):
        return lambda args, details: name + " " + (details.procedure or "")
    await register(other, PREFIX + "r.", named("prefix"), match="prefix")
    await register(other, PREFIX + "r..x", named("wildcard"), match="wildcard")
    await register(other, PREFIX + "r.a.x", named("exact"))
    call = one.session.call
    assert await call(PREFIX + "r.b.y") == "prefix %sr.b.y" % PREFIX
    assert await call(PREFIX + "r.b.xx") == "prefix %sr.b.xx" % PREFIX
    assert (await call(PREFIX + "r.a.x")).startswith("exact")


async def callees_share_in_turn(one, other):
    await register(one, PREFIX + "shared", lambda *_: "one", invoke="roundrobin")
    await register(other, PREFIX + "shared", lambda *_: "other", invoke="roundrobin")
    got = [await one.session.call(PREFIX + "shared") for _ in range(4)]
    assert got == ["one", "other"] * 2, got


async def sessions_are_told_of(one, other):
    call, own = one.session.call, other.session._session_id  # pylint: disable=protected-access
    assert await call("wamp.session.count") == len(await call("wamp.session.list"))
    assert own in await call("wamp.session.list")
    assert (await call("wamp.session.get", own))["authrole"] == "anonymous"


async def registrations_are_told_of(one, other):
    await register(other, PREFIX + "meta", lambda *_: None)
    call, own = one.session.call, other.session._session_id  # pylint: disable=protected-access
    found = await call("wamp.registration.lookup", PREFIX + "meta")
    assert await call("wamp.registration.match", PREFIX + "meta") == found
    assert (await call("wamp.registration.get", found))["uri"] == PREFIX + "meta"
    assert await call("wamp.registration.list_callees", found) == [own]
    assert found in (await call("wamp.registration.list"))["exact"]


async def subscriptions_are_told_of(one, other):
    ear, own = Ear(), other.session._session_id  # pylint: disable=protected-access
    await ear.subscribe(other, PREFIX + "meta")
    call = one.session.call
    found = await call("wamp.subscription.lookup", PREFIX + "meta")
    assert found in await call("wamp.subscription.match", PREFIX + "meta")
    assert (await call("wamp.subscription.get", found))["uri"] == PREFIX + "meta"
    assert await call("wamp.subscription.list_subscribers", found) == [own]
    assert await call("wamp.subscription.count_subscribers", found) == 1


class Codec:
    """Bytes that the router cannot read: JSON, turned around."""

    def __init__(self):
        self.opened = 0

    def encode(self, _originating, uri, args=None, kwargs=None):
        return EncodedPayload(json.dumps([uri, args, kwargs]).encode()[::-1], "x_turned", "json")

    def decode(self, _originating, _uri, encoded):
        assert (encoded.enc_algo, encoded.enc_serializer) == ("x_turned", "json"), encoded
        self.opened += 1
        return json.loads(encoded.payload[::-1])


async def seal(one, other, name, codecs):
    """Two sessions call and publish what the router cannot read."""
    ear = Ear()
    one.session.set_payload_codec(codecs[0])
    other.session.set_payload_codec(codecs[1])
    await one.session.register(lambda a, b: a + b, PREFIX + name + ".add")
    await ear.subscribe(one, PREFIX + name + ".news")
    assert await other.session.call(PREFIX + name + ".add", 2, 3) == 5
    await publish(other, PREFIX + name + ".news", "psst")
    assert tuple((await ear.next())[0]) == ("psst",)


async def payload_goes_through_sealed(one, other):
    codecs = [Codec(), Codec()]
    await seal(one, other, "sealed", codecs)
    assert [codec.opened for codec in codecs] == [2, 1]


async def payload_goes_through_encrypted(one, other):
    key, _ = KeyRing().generate_key()
    await seal(one, other, "encrypted", [KeyRing(key), KeyRing(key)])


TESTS = [subscriptions_by_prefix_and_wildcard, a_publisher_is_excluded_unless_he_wants,
         black_and_white_lists_choose, a_publisher_is_told_by_rule, a_caller_is_told_by_rule,
         the_most_exact_registration_is_called, callees_share_in_turn, sessions_are_told_of,
         registrations_are_told_of, subscriptions_are_told_of, payload_goes_through_sealed,
         payload_goes_through_encrypted]

asyncio.run(run(URL, TESTS))
