"""wampy_app: the app under test in Python: wampy_app.py callee|caller|subscriber URL

The same three roles as in ../apps/*.lua, written as wampy's own examples are. wampy names a
procedure after its method, publishes keywords only, and logs every payload unless told not to.
"""
import sys

import gevent.monkey

gevent.monkey.patch_all()


import gevent  # noqa: E402
from wampy.peers.clients import Client  # noqa: E402
from wampy.roles.callee import callee  # noqa: E402
from wampy.roles.subscriber import subscribe  # noqa: E402



class Callee(Client):
    @callee
    def bench_echo(self, text):
        return text


class Subscriber(Client):
    seen = 0

    @subscribe(topic="bench_event")
    def on_event(self, seq, *args, **kwargs):
        if seq > 0:
            self.seen += 1
        if seq % 1000 == 0:
            self.publish(topic="bench_ack", seq=seq, count=self.seen)


def call_until_stopped(client):
    text = "begin"
    while text != "stop":
        text = client.call("bench_next", text)


def main(role, url):
    kinds = {"callee": Callee, "caller": Client, "subscriber": Subscriber}
    with kinds[role](url=url, realm="realm1") as client:
        if role == "caller":
            call_until_stopped(client)
        else:
            gevent.sleep(3600)


main(*sys.argv[1:])
