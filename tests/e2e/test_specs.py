"""test_specs.py: specs of the public Lua API that stand on any router, once more on a real
Crossbar.io, which they share. What they prove is then true of both.
"""
import os
import re
import shutil

from crossbar import PROGRAM as CROSSBAR
from harness import ROOT, test

SPECS = ["wampy_tests", "from_wampy", "messages", "message_handler", "errors", "values",
         "progress", "stream", "upload"]


@test
def the_specs_of_wampys_promises_pass_on_crossbar(t):
    files = [os.path.join("tests/spec", name + "_spec.lua") for name in SPECS]
    run = t.start(shutil.which("busted"), "--ignore-lua", "-o", "plainTerminal", *files, cwd=ROOT,
                  env={"WAMPY_TEST_ROUTER": "crossbar", "WAMPY_CROSSBAR": CROSSBAR,
                       "TEST_TIMEOUT": "120"})
    code, said = run.exit(300), "\n".join(run.out.all())
    counts = re.search(r"(\d+) successes / (\d+) failures? / (\d+) errors? / (\d+) pending", said)
    good = code == 0 and counts and int(counts.group(1)) > 200
    assert good, said[said.find("\nFailure"):][:2000] + said[said.find("\nError"):][:2000]
