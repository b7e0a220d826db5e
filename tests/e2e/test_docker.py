"""test_docker.py: the lines of the Dockerfile, where no docker builds it (tools/package-deb has it
built where there is one): what they copy, install and run is there, and docs/cookbook/docker.md
says what they say."""
import json
import os
import re
import subprocess

from harness import ROOT, closed_port, equal, test


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def instructions():
    """(word, rest) of each instruction, continued lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.M).replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip()]


def of(word):
    return [rest for name, rest in instructions() if name == word]


@test
def every_stage_is_a_debian_12(_):
    stages = [rest.split() for rest in of("FROM")]
    assert len(stages) == 2 and all(words[0] == "debian:bookworm-slim" for words in stages), stages
    equal(stages[0][1:], ["AS", "build"])


@test
def what_is_copied_is_there(_):
    ignored = read(".dockerignore").split()
    for rest in of("COPY"):
        *sources, target = [word for word in rest.split() if not word.startswith("--")]
        assert target.startswith("/"), rest
        if "--from=" in rest:  # what `make deb` in /src has made
            equal((re.search(r"--from=(\w+)", rest).group(1), sources), ("build", ["/src/build/*.deb"]))
        else:
            assert all(os.path.exists(os.path.join(ROOT, s)) and s not in ignored for s in sources)


@test
def what_is_installed_is_what_tools_setup_and_the_package_name(_):
    build, install = of("RUN")
    equal(re.findall(r"tools/setup (\w+)", build), ["deb"])
    assert re.search(r"^deb\) want_build", read("tools/setup"), re.M)
    assert " deb" in build and re.search(r"^deb:", read("Makefile"), re.M)
    words = re.search(r"apt-get -qq -y install (.*?) &&", install).group(1).split()
    packages = [w for w in words if not w.startswith(("-", "/tmp/wampy-lua_"))]
    recommends = re.search(r"^Recommends: (.*)$", read("tools/deb"), re.M).group(1).split(", ")
    assert packages and set(packages) <= set(recommends), packages


@test
def what_it_starts_is_understood(t):
    entry, arguments = (json.loads(of(word)[0]) for word in ("ENTRYPOINT", "CMD"))
    equal(entry, ["wampy-lua"])
    app = os.path.join(ROOT, "apps/01-hello/main.lua")
    arguments = [app if word == "/app/main.lua" else word for word in arguments]
    t.start(*arguments, "--router=0").out.wait("^ready")
    health = json.loads(of("HEALTHCHECK")[0].split(None, 1)[1])
    t.run(4, *health[1:], env={"WAMPY_URL": "ws://127.0.0.1:%d/" % closed_port()})


@test
def the_page_shows_its_lines(_):
    page = read("docs/cookbook/docker.md")
    for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK", "STOPSIGNAL", "USER"):
        assert "| `%s %s` |" % (word, of(word)[0]) in page, word
