"""test_docs.py: runs what README.md and the pages of docs show, and compares what they say comes out.

The rules of a page:
* A fenced block of a language (lua, json, yaml, js, html, ini ...) is a file when the text just
  above names one (`name.lua`); a block without such a name must stand, line for line, in a file of
  apps/ or contrib/, or in an earlier block of the page.
* A block without a language shows a terminal: "$ command", and what it prints. `wampy-lua run`,
  `wampy-lua router` and `crossbar start` go on until the page ends, or another router takes their
  port; everything else runs to its end. A line of "…" stands for any lines, "…" in a line for any
  words. A block without a command is what the last of those that go on prints then. `make demo`
  is tools/demo: the program has been built, and others run it.
* A picture (a block with "│" in it) names parts of src/.
Ports 808x and 8443 are replaced by free ones, and router.example by this machine.
"""
import glob
import os
import re
import shlex
import signal
import subprocess

import harness
from crossbar import PROGRAM as CROSSBAR
from harness import PATIENCE, ROOT, Process, closed_port, equal, test, test_each

LIMIT = 2 * PATIENCE  # Crossbar.io takes its time to start on a busy machine
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.S | re.M)
DEMO = os.path.join(ROOT, "tools/demo") + " $(command -v wampy-lua)"
PYTHON = os.path.join(ROOT, "build/peers/python/bin")  # has the library wampy
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = r"`([\w./@-]+\.(?:lua|json|yaml|js|html|py|sh|pem|service|timer|env))`"
PAGES = [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "docs/*.md"))
                                                   + glob.glob(os.path.join(ROOT, "docs/*/*.md")))
# Pages whose nameless blocks of a language a test of their own runs.
ELSEWHERE = {"docs/FROM_WAMPY.md": ("lua", "tests/spec/from_wampy_spec.lua")}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """Each fenced block: language, name of the file or None, lines."""
    for m in FENCE.finditer(text):
        above = text[:m.start()].rstrip("\n").rsplit("\n\n", 1)[-1].rsplit("```", 1)[-1]
        names = re.findall(NAMED, above)
        body = "\n".join(line[len(m.group(1)):] for line in m.group(3).split("\n"))
        yield m.group(2), names[-1] if names else None, body


def known_text():
    return [read(path) for path in glob.glob(os.path.join(ROOT, "apps/*/*"))
            + glob.glob(os.path.join(ROOT, "contrib/*/*"))]


def stands_in(body, files):
    lines = [line.strip() for line in body.split("\n") if line.strip()]
    for text in files:
        at = 0
        there = [line.strip() for line in text.split("\n") if line.strip()]
        for line in there:
            if at < len(lines) and line == lines[at]:
                at += 1
        if at == len(lines):
            return True
    return False


def commands(body):
    """Each command of a terminal block, with the lines that it prints."""
    shown = []
    for line in body.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            shown.append((line[2:], []))
        elif shown:
            shown[-1][1].append(line)
    return shown


def pattern(line):
    """What a line that is printed must be like: the same words, "…" for any."""
    words = [".*" if word == "…" else re.escape(word).replace("…", ".*") for word in line.split()]
    return r"^\s*" + r"\s+".join(words).replace(r"\s+.*", r"(\s.*)?") + r"\s*$"


def matches(got, wanted):
    """Whether the lines are as shown, where "…" is any number of lines."""
    if not wanted:
        return not got
    if wanted[0].strip() == "…":
        return any(matches(got[i:], wanted[1:]) for i in range(len(got) + 1))
    return bool(got and re.match(pattern(wanted[0]), got[0])) and matches(got[1:], wanted[1:])


def picture(body):
    """Every file and folder that a picture names is in src/."""
    for name in re.findall(r"\b\w+(?:\.c\b|/)", body):
        where = "." if name == "lua/" else "src"
        assert os.path.exists(os.path.join(ROOT, where, name)), "no %s/%s" % (where, name)


class Page:
    def __init__(self, t, path):
        self.t, self.path, self.taken = t, path, set()
        self.ports = {"808%d" % n: str(closed_port()) for n in range(4)}
        self.ports["8443"] = str(closed_port())
        build = os.path.dirname(harness.PROGRAM[0])
        self.env = {
            "PATH": ":".join([build, PYTHON, os.path.dirname(CROSSBAR), os.environ["PATH"]]),
            "LUA_PATH": os.path.join(ROOT, "lua/?.lua") + ";;",
            "LUA_CPATH": os.path.join(build, "?.so") + ";;",
            "WAMPY_URL": "ws://127.0.0.1:%s/" % self.ports["8080"],
            "NODE_PATH": os.path.join(ROOT, "build/peers/node/node_modules"), "LC_ALL": "C.UTF-8",
        }
        for name in ("apps", "contrib"):
            os.symlink(os.path.join(ROOT, name), os.path.join(t.folder, name))
        text = read(path)
        for port, own in self.ports.items():
            text = re.sub(r"\b%s\b" % port, own, text)
        self.text, self.files = text, known_text()

    def play(self):
        try:
            for language, name, body in blocks(self.text):
                self.block(language, name, body)
        except BaseException:
            for process in self.t.processes:
                os.killpg(process.pid, signal.SIGKILL)
            raise
        self.end_all()

    def block(self, language, name, body):
        elsewhere = ELSEWHERE.get(self.path)
        if elsewhere and (language, name) == (elsewhere[0], None):
            assert self.path in read(elsewhere[1]), elsewhere[1]
        elif language and name:
            self.t.file(name, body)
            self.files.append(body)
        elif language:
            assert stands_in(body, self.files), "a block is in no file that runs:\n" + body
        elif "│" in body:
            picture(body)
        elif commands(body):
            for command, wanted in commands(body):
                self.type(command, wanted)
        else:
            self.prints(self.t.processes[-1], body.rstrip("\n").split("\n"))

    def type(self, command, wanted):
        command = re.sub(r"--router(?=$| )", "--router=" + self.ports["8080"], command)
        command = command.replace("router.example", "127.0.0.1").replace("make demo", DEMO)
        if re.match("wampy-lua router(?!.*--(listen|config|check))", command):
            command += " --listen " + self.ports["8080"]
        stays = re.match(r"(\w+=\S+ )*(wampy-lua (run|router)|crossbar start) ", command + " ")
        if stays and not re.search("--once|--check|--help| -h", command):
            self.stays(command, wanted)
            return
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.t.folder, env=self.environment(command), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
            check=False)
        got = done.stdout.rstrip("\n").split("\n") if done.stdout.strip() else []
        assert matches(got, wanted), "$ %s\nprinted %s\nthe page shows %s" % (command, got, wanted)

    def environment(self, command):
        """A file of variables says where the router is only where nothing else does."""
        env = self.t.env | self.env
        if "--env-file" in command:
            del env["WAMPY_URL"]
        return env

    def stays(self, command, wanted):
        words = shlex.split(command, comments=True)
        first = next(i for i, word in enumerate(words) if "=" not in word)
        own = dict(word.split("=", 1) for word in words[:first])
        if "--router" in command or " run " not in command:
            self.take(re.findall(r":(\d+)\b", command) or [self.ports["8080"]])
        program = ["setsid", words[first]]  # a group of its own: what it starts ends with it
        process = Process(program + words[first + 1:], self.environment(command) | own,
                          self.t.folder, None)
        self.t.processes.append(process)
        self.prints(process, wanted)

    def take(self, ports):
        """A router wants these ports: who has one of them ends, and whoever else is there."""
        if self.taken & set(ports):
            self.end_all()
        self.taken |= set(ports)

    def end_all(self):
        while self.t.processes:
            process = self.t.processes.pop()
            process.ends(1 if "crossbar" in process.command else 0, signal.SIGTERM)
        self.taken.clear()

    @staticmethod
    def prints(process, wanted):
        for line in wanted:
            if line.strip() != "…":
                process.out.wait(pattern(line), LIMIT)


@test_each({os.path.relpath(path, ROOT): (os.path.relpath(path, ROOT),) for path in PAGES})
def what_a_page_shows_is_what_happens(t, path):
    Page(t, path).play()


def anchors(text):
    """The headings of a page, as links name them."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@test
def every_link_leads_somewhere(_):
    for page in PAGES + glob.glob(os.path.join(ROOT, "apps/*/README.md")):
        for link in LINK.findall(re.sub("`[^`]*`", "", FENCE.sub("", read(page)))):
            if re.match("[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = os.path.join(os.path.dirname(page), path) if path else page
            assert os.path.exists(target), "%s: no %s" % (page, link)
            assert not anchor or anchor in anchors(read(target)), "%s: no %s" % (page, link)


@test_each({name: (name,) for name in ("guide", "cookbook")
            if os.path.isdir(os.path.join(ROOT, "docs", name))})
def every_page_is_in_the_index_in_its_order(_, name):
    pages = sorted(glob.glob(os.path.join(ROOT, "docs", name, "*.md")))
    pages = [os.path.basename(page) for page in pages if not page.endswith("README.md")]
    rows = re.findall(r"^\|.*?\]\(([^)]+)\)", read("docs/%s/README.md" % name), re.M)
    equal(sorted(rows) if name == "cookbook" else rows, pages)
    for page, following in zip(pages, pages[1:]) if name == "guide" else ():
        text = read("docs/guide/" + page)
        assert re.search(r"^Next: \[.*\]\(%s\)\.$" % re.escape(following), text, re.M), page
