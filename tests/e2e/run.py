#!/usr/bin/python3
"""run.py: the program from outside: real sockets, signals, exit codes, and a real Crossbar.io.

usage: run.py PATH/TO/wampy-lua [-v] [WORD...]    only the tests that have every word in their name

Prints one line per failure and closes with "e2e: N passed, N failed". The tests are in the
test_*.py beside it. Tests with POLL in their module also run on the loop's other back end.
"""
import glob
import importlib
import os
import sys

sys.dont_write_bytecode = True
import harness  # noqa: E402 pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = sorted(os.path.basename(path)[5:-3] for path in glob.glob(HERE + "/test_*.py"))
POLL = ["rawsocket", "run", "tls"]
WORKERS = 2 * (os.cpu_count() or 1)


def tests_of(name):
    importlib.import_module("test_" + name)
    return harness.TESTS["test_" + name]


def main():
    words = [a for a in sys.argv[2:] if a != "-v"]
    harness.PROGRAM[0] = os.path.abspath(sys.argv[1])
    tests = []
    for module in MODULES:
        own = tests_of(module)
        tests += [("%s: %s" % (module, name), fn, {}) for name, fn in own]
        if module in POLL:
            tests += [("%s (poll): %s" % (module, name), fn, {"WAMPY_LOOP": "poll"})
                      for name, fn in own]
    tests = [t for t in tests if all(word in t[0] for word in words)]
    passed, failed = harness.run(tests, WORKERS, "-v" in sys.argv)
    print("e2e: %d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0 or not passed)


if __name__ == "__main__":
    main()
