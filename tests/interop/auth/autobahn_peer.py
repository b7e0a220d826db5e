"""autobahn_peer.py: the cases by autobahn-python, with its own authenticators."""
import asyncio
from urllib.parse import urlsplit

from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.serializer import JsonSerializer
from autobahn.wamp.types import ComponentConfig

from cases import Refused, main

SECRETS = {"ticket": "ticket", "wampcra": "secret", "cryptosign": "privkey"}


class Session(ApplicationSession):
    def __init__(self, case):
        super().__init__(ComponentConfig(realm="realm1"))
        self.case, self.done = case, asyncio.get_running_loop().create_future()
        named = {"authid": case["authid"]} if "authid" in case else {}
        if case["method"] in SECRETS:
            named[SECRETS[case["method"]]] = case["secret"]
        self.authenticator = create_authenticator(case["method"], **named)

    def onConnect(self):
        self.join("realm1", authmethods=[self.case["method"]], authid=self.case.get("authid"),
                  authextra=self.authenticator.authextra)

    def onChallenge(self, challenge):
        return self.authenticator.on_challenge(self, challenge)

    def onJoin(self, details):
        self.done.set_result((details.authid, details.authrole, details.authmethod))
        self.leave()

    def onLeave(self, details):
        if not self.done.done():
            self.done.set_exception(Refused("%s: %s" % (details.reason, details.message)))
        self.disconnect()


async def attempt(url, case):
    session = Session(case)
    factory = WampWebSocketClientFactory(lambda: session, url=url, serializers=[JsonSerializer()])
    where = urlsplit(url)
    await asyncio.get_running_loop().create_connection(factory, where.hostname, where.port)
    return await asyncio.wait_for(session.done, 15)


main(lambda url, case: asyncio.run(attempt(url, case)))
