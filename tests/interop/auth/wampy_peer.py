"""wampy_peer.py: the cases by Python wampy, which knows ticket, and wampcra without a salt."""
import os

os.environ["WAMPY_ASYNC_NAME"] = "gevent"

# pylint: disable=wrong-import-position
from wampy.errors import WampyError  # noqa: E402  (patches the process, so before all else)
from wampy.message_handler import MessageHandler  # noqa: E402
from wampy.peers import Client  # noqa: E402

from cases import REASON, Refused, main  # noqa: E402


class Handler(MessageHandler):
    def handle_welcome(self, message_obj):
        self.details = message_obj.details
        super().handle_welcome(message_obj)


def attempt(url, case):
    os.environ["WAMPYSECRET"] = case.get("secret", "")
    roles = {"roles": {role: {} for role in ("subscriber", "publisher", "callee", "caller")},
             "authmethods": [case["method"]]}
    if "authid" in case:
        roles["authid"] = case["authid"]
    client = Client(url=url, realm="realm1", roles=roles, message_handler_cls=Handler)
    try:
        client.start()
    except WampyError as error:  # it has the text of ABORT, not its reason
        raise Refused("%s: %s" % (REASON, error)) from None
    client.stop()
    details = client.message_handler.details
    return details["authid"], details["authrole"], details["authmethod"]


main(attempt, lambda case: case.get("salted") or case["method"] == "cryptosign")
