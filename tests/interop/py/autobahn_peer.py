"""autobahn_peer.py: the verbs of scenario.py by autobahn-python on asyncio.

With INTEROP_COMPRESS=1 its WebSocket must get the compression that it offers.
"""
import asyncio
import os
from urllib.parse import urlsplit

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.websocket.compress import (
    PerMessageDeflateOffer, PerMessageDeflateResponse, PerMessageDeflateResponseAccept)
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import (
    CallOptions, CallResult, ComponentConfig, PublishOptions, RegisterOptions)

import scenario


SERIALIZERS = {"json": JsonSerializer, "msgpack": MsgPackSerializer, "cbor": CBORSerializer}


class Session(ApplicationSession):
    def __init__(self):
        super().__init__(ComponentConfig(realm="realm1"))
        self.joined = asyncio.get_running_loop().create_future()
        self.left = asyncio.get_running_loop().create_future()

    def onJoin(self, details):
        self.joined.set_result(details)

    def onLeave(self, details):
        if not self.joined.done():
            self.joined.set_exception(RuntimeError(str(details)))
        self.disconnect()

    def onDisconnect(self):
        if not self.left.done():
            self.left.set_result(True)


class Verbs:
    def __init__(self, session, transport):
        self.session, self.transport = session, transport

    async def call(self, uri, args, kwargs):
        try:
            result = await self.session.call(uri, *args, **kwargs)
        except ApplicationError as error:
            raise scenario.Refused(error.error, error.args, error.kwargs) from None
        if isinstance(result, CallResult):
            return list(result.results or []), dict(result.kwresults or {})
        return ([] if result is None else [result]), {}

    async def stream(self, uri, args):
        parts = []
        result = await self.session.call(uri, *args, options=CallOptions(on_progress=parts.append))
        return parts, [result]

    async def register(self, uri, handler):
        progressive = hasattr(handler, "progressive")

        async def endpoint(*args, **kwargs):
            more = [kwargs.pop("details").progress] if progressive else []
            try:
                results, keywords = await handler(list(args), kwargs, *more)
            except scenario.Refused as error:
                raise ApplicationError(error.uri, *error.positional, **error.keywords) from None
            return CallResult(*results, **keywords)
        options = RegisterOptions(details_arg="details") if progressive else None
        return await self.session.register(endpoint, uri, options=options)

    async def unregister(self, handle):
        await handle.unregister()

    async def subscribe(self, uri, handler):
        return await self.session.subscribe(lambda *args, **kwargs: handler(list(args), kwargs), uri)

    async def unsubscribe(self, handle):
        await handle.unsubscribe()

    async def publish(self, uri, args, kwargs, acknowledge):
        options = PublishOptions(acknowledge=acknowledge)
        published = self.session.publish(uri, *args, options=options, **kwargs)
        if acknowledge:
            await published

    def drop(self):
        self.transport.abort()

    async def close(self):
        self.session.leave()
        await self.session.left


def accept(response):
    if isinstance(response, PerMessageDeflateResponse):
        return PerMessageDeflateResponseAccept(response)
    return None


async def open_(url):
    compress = os.environ.get("INTEROP_COMPRESS") == "1"
    session = Session()
    where = urlsplit(url)
    serializer = SERIALIZERS[os.environ.get("WAMPY_SERIALIZER", "json")]()
    if where.scheme.startswith("rs"):
        factory = WampRawSocketClientFactory(lambda: session, serializer=serializer)
    else:
        factory = WampWebSocketClientFactory(lambda: session, url=url, serializers=[serializer])
    if compress:
        factory.setProtocolOptions(perMessageCompressionOffers=[PerMessageDeflateOffer()],
                                   perMessageCompressionAccept=accept)
    loop = asyncio.get_running_loop()
    if where.scheme.endswith("+unix"):
        transport, _ = await loop.create_unix_connection(factory, where.path)
    else:
        transport, _ = await loop.create_connection(
            factory, where.hostname, where.port, ssl=where.scheme in ("wss", "rss"))
    await session.joined
    if compress and not session._transport.websocket_extensions_in_use:
        raise RuntimeError("the router does not compress")
    return Verbs(session, transport)


if __name__ == "__main__":
    scenario.main(open_)
