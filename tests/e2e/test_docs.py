"""test_docs.py: runs what README.md and the chapters of docs/guide show, and compares what they say
comes out.

The rules of a page:
* A fenced block of a language (lua, json, yaml, js, python ...) is a file when the text just above
  names one (`name.lua`); a block without such a name must stand, line for line, in a file of apps/
  or in an earlier block of the page.
* A block without a language shows a terminal: "$ command", and what it prints. `wampy-lua run`
  and `wampy-lua router` go on until the page ends, or the next one that brings a router takes
  their port; everything else runs to its end. A line of "…" stands for any lines. A block without
  a command is what the last of those that go on prints then. Commands that are not wampy-lua's,
  openssl's or printf's (make, git ...) are tried elsewhere.
Ports 8080 and 8443 are replaced by free ones.
"""
import glob
import os
import re
import shlex
import signal
import subprocess

import harness
from harness import PATIENCE, ROOT, closed_port, test_each

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.S | re.M)
PAGES = [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "docs/guide/*.md")))


def blocks(text):
    """Each fenced block: language, name of the file or None, lines."""
    for m in FENCE.finditer(text):
        above = text[:m.start()].rstrip("\n").rsplit("\n\n", 1)[-1].rsplit("```", 1)[-1]
        names = re.findall(r"`([\w./-]+\.(?:lua|json|yaml|js|py|sh|pem|service))`", above)
        body = "\n".join(line[len(m.group(1)):] for line in m.group(3).split("\n"))
        yield m.group(2), names[-1] if names else None, body


def known_text():
    text = []
    for path in glob.glob(os.path.join(ROOT, "apps/*/*")):
        with open(path, encoding="utf-8") as file:
            text.append(file.read())
    return text


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


def same(got, wanted):
    return [x.split() for x in got] == [x.split() for x in wanted]


def matches(got, wanted):
    """Whether the lines are as shown, where "…" is any number of lines."""
    if not wanted:
        return not got
    if wanted[0].strip() == "…":
        return any(matches(got[i:], wanted[1:]) for i in range(len(got) + 1))
    return bool(got) and same(got[:1], wanted[:1]) and matches(got[1:], wanted[1:])


class Page:
    def __init__(self, t, path):
        self.t = t
        self.ports = {"8080": str(closed_port()), "8443": str(closed_port())}
        self.env = {
            "PATH": os.path.dirname(harness.PROGRAM[0]) + ":" + os.environ["PATH"],
            "WAMPY_URL": "ws://127.0.0.1:%s/" % self.ports["8080"],
        }
        os.symlink(os.path.join(ROOT, "apps"), os.path.join(t.folder, "apps"))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for port, own in self.ports.items():
            text = re.sub(r"\b%s\b" % port, own, text)
        self.text, self.files = text, known_text()

    def play(self):
        for language, name, body in blocks(self.text):
            if language and name:
                self.t.file(name, body)
                self.files.append(body)
            elif language:
                assert stands_in(body, self.files), "a block is in no file that runs:\n" + body
            elif commands(body):
                for command, wanted in commands(body):
                    self.type(command, wanted)
            else:
                self.prints(self.t.processes[-1], body.rstrip("\n").split("\n"))

    def type(self, command, wanted):
        own = re.search(r"(^|[ ;|&(])wampy-lua ", command) or re.match("openssl|printf", command)
        if not own or "router.example" in command:
            return
        command = re.sub(r"--router(?=$| )", "--router=" + self.ports["8080"], command)
        stays = re.match(r"(\w+=\S+ )*wampy-lua (run|router) ", command) and "--once" not in command
        if stays:
            self.stays(command, wanted)
            return
        done = subprocess.run(["bash", "-c", command], cwd=self.t.folder, text=True,
                              env=self.t.env | self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        got = done.stdout.rstrip("\n").split("\n") if done.stdout.strip() else []
        assert matches(got, wanted), "$ %s\nprinted %s\nthe page shows %s" % (command, got, wanted)

    def stays(self, command, wanted):
        words = shlex.split(command, comments=True)
        own = dict(word.split("=", 1) for word in words[:words.index("wampy-lua")])
        if "--router" in command or "wampy-lua router" in command:
            while self.t.processes:
                self.t.processes.pop().ends(0, signal.SIGTERM)
        process = self.t.start(*words[words.index("wampy-lua") + 1:], env=self.env | own)
        self.prints(process, wanted)

    @staticmethod
    def prints(process, wanted):
        for line in wanted:
            if line.strip() != "…":
                process.out.wait("^" + r"\s+".join(re.escape(w) for w in line.split()) + r"\s*$",
                                 PATIENCE)


@test_each({os.path.relpath(path, ROOT): (path,) for path in PAGES})
def what_a_page_shows_is_what_happens(t, path):
    Page(t, path).play()
