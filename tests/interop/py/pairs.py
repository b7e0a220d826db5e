"""pairs.py: tests with two sessions of autobahn-python, for the folders `kept` and `features`.
"""
import asyncio
import traceback

from autobahn.wamp.types import SubscribeOptions

from autobahn_peer import open_


class Ear:
    """What a subscription hears: (args, kwargs, details)."""

    def __init__(self):
        self.heard = asyncio.Queue()

    async def subscribe(self, peer, topic, **options):
        return await peer.session.subscribe(
            lambda *args, details, **kwargs: self.heard.put_nowait((args, kwargs, details)), topic,
            SubscribeOptions(details=True, **options))

    async def next(self):
        return await asyncio.wait_for(self.heard.get(), 10)


async def run(url, tests):
    """Each test gets two sessions that have joined; TAP on standard output."""
    for number, test in enumerate(tests, 1):
        one, other = await open_(url), await open_(url)
        name = test.__name__.replace("_", " ")
        try:
            await test(one, other)
            print("ok %d - %s" % (number, name), flush=True)
        except Exception:  # pylint: disable=broad-except
            print("not ok %d - %s: %s" % (number, name,
                                          traceback.format_exc().replace("\n", "\\n")), flush=True)
        await one.close()
        await other.close()
