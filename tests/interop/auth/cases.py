"""cases.py: who joins, and who is refused, for the Python peers of this folder.

cases.json has the cases; a peer hands main a function `attempt(url, case)` that joins, leaves, and
returns (authid, authrole, authmethod), or raises Refused with the reason.
"""
import json
import os
import sys
import traceback

REASON = "wamp.error.authentication_failed"


class Refused(Exception):
    pass


def joins(attempt, url, case):
    authid, role, method = attempt(url, case)
    assert (role, method) == (case.get("role", "user"), case["method"]), (role, method)
    assert not case.get("authid") or authid == case["authid"], authid


def refused(attempt, url, case):
    try:
        attempt(url, case)
    except Refused as error:
        assert REASON in str(error), "refused with %s" % error
        return
    raise AssertionError("has joined")


def main(attempt, leave_out=lambda case: False):
    with open(os.path.join(os.path.dirname(__file__), "cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    todo = [(joins, case) for case in cases["joins"]] + [(refused, c) for c in cases["refused"]]
    for number, (check, case) in enumerate((t for t in todo if not leave_out(t[1])), 1):
        try:
            check(attempt, sys.argv[1], case)
            print("ok %d - %s" % (number, case["name"]), flush=True)
        except Exception:  # pylint: disable=broad-except
            print("not ok %d - %s: %s" % (number, case["name"],
                                          traceback.format_exc().replace("\n", "\\n")), flush=True)
