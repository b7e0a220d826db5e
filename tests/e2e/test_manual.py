"""test_manual.py: the manual page has every verb and flag that the program has, and is well formed."""
import os
import re
import subprocess

from harness import ROOT, equal, test

PAGE = os.path.join(ROOT, "docs/man/wampy-lua.1")


def mandoc(*args):
    done = subprocess.run(["mandoc", *args, PAGE], capture_output=True, text=True, check=False)
    return done.stdout


def verbs(t):
    """Each name of each verb."""
    listed = "\n".join(t.run(0, "help").out.all()).split("Commands:")[1].split("\n\n")[0]
    return [name for names in re.findall(r"^   (\w+(?:, \w+)*)  ", listed, re.M)
            for name in names.split(", ")]


@test
def the_page_has_every_verb_and_every_flag(t):
    text = re.sub(".\b", "", mandoc("-Tascii"))  # bold is printed twice
    words = set(re.findall(r"[\w-]+", text))
    names = verbs(t)
    assert len(names) > 15, names
    missing = [name for name in names if name not in words]
    for name in names:
        told = "\n".join(t.run(0, "help", name).out.all())
        flags = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", told, re.M)) - {"--help"}
        missing += ["%s %s" % (name, flag) for flag in flags - words]
    equal(missing, [])


@test
def the_page_is_well_formed(_):
    found = [line for line in mandoc("-Tlint").split("\n") if "wampy-lua.1:" in line]
    equal(found, [])
