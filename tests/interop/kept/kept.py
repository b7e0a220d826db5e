"""kept.py: events that the router keeps, by autobahn-python; kept.js does the same and more: that
a subscription is taken back autobahn-python announces to understand, and ends the session over it.

usage: kept.py URL PREFIX    TAP on standard output; topics begin with PREFIX
"""
import asyncio
import os
import sys

from autobahn.wamp.types import CallResult, PublishOptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../py"))
from autobahn_peer import open_  # noqa: E402 pylint: disable=wrong-import-position
from pairs import Ear, run  # noqa: E402 pylint: disable=wrong-import-position

URL, PREFIX = sys.argv[1:]


async def retain(peer, topic, *args):
    await peer.session.publish(topic, *args, options=PublishOptions(acknowledge=True, retain=True))


async def a_retained_event_comes_to_who_asks(one, other):
    topic, ear = PREFIX + "state", Ear()
    await retain(one, topic, "first")
    await retain(one, topic, "second")
    await ear.subscribe(other, topic, get_retained=True)
    args, _, details = await ear.next()
    assert args == ("second",) and details.retained, (args, details)
    assert ear.heard.empty()


async def a_pattern_gets_the_retained_of_each_topic(one, other):
    ear = Ear()
    await retain(one, PREFIX + "many.a", 1)
    await retain(one, PREFIX + "many.b", 2)
    await ear.subscribe(other, PREFIX + "many.", match="prefix", get_retained=True)
    for value, topic in ((1, "many.a"), (2, "many.b")):
        args, _, details = await ear.next()
        assert (args, details.topic, details.retained) == ((value,), PREFIX + topic, True), details


async def the_history_is_told_both_ways(one, other):
    for i in range(1, 5):
        await one.session.publish("com.log." + PREFIX + "x", i, k=i,
                                  options=PublishOptions(acknowledge=True))
    call = other.session.call
    history = await call("wamp.subscription.lookup", "com.log.", {"match": "prefix"})
    told = await call("wamp.subscription.get_events", history)
    assert isinstance(told, CallResult), told
    assert [event["args"] for event in told.results] == [[2], [3], [4]], told
    assert told.results[0]["kwargs"] == {"k": 2}, told
    told = await call("wamp.subscription.get_events", history, 2)
    assert [event["args"] for event in told] == [[4], [3]], told


async def a_testament_is_published(_, other):
    ear, third = Ear(), await open_(URL)
    await ear.subscribe(other, PREFIX + "last")
    added = await third.session.call("wamp.session.add_testament", PREFIX + "last", ["gone"],
                                     {"k": 1})
    assert isinstance(added, int), added
    third.drop()
    args, kwargs, _ = await ear.next()
    assert (args, kwargs) == (("gone",), {"k": 1}), (args, kwargs)


TESTS = [a_retained_event_comes_to_who_asks, a_pattern_gets_the_retained_of_each_topic,
         the_history_is_told_both_ways, a_testament_is_published]


asyncio.run(run(URL, TESTS))
