"""cluster.py: the Crossbar.io cluster of docs/guide/09-cluster.md, for as long as a test wants it.

    with Cluster() as (proxy, second): ...       # two URLs, one realm

The configuration is the page's own, with free ports in place of its ports, loopback addresses, and
the key of the node, which has to be made before.
"""
import json
import os
import re
import subprocess

from crossbar import PROGRAM, ROOT, Crossbar, free_port

PAGE = os.path.join(ROOT, "docs/guide/09-cluster.md")
TRIES = 3  # a port that was free may be taken by the time it is listened on


def page_config():
    with open(PAGE, encoding="utf-8") as file:
        return re.search(r"^```json\n(.*?)^```", file.read(), re.M | re.S).group(1)


def on_loopback(part):
    """Whatever listens on a port does so on 127.0.0.1."""
    for value in part.values() if isinstance(part, dict) else part:
        if isinstance(value, (dict, list)):
            on_loopback(value)
    if isinstance(part, dict) and "port" in part and "host" not in part:
        part["interface"] = "127.0.0.1"
    return part


class Cluster(Crossbar):
    def __init__(self):
        super().__init__()
        self.second = self.link = self.key = None

    def make_key(self):
        os.makedirs(self.folder, exist_ok=True)
        subprocess.run([PROGRAM, "keys", "--cbdir", self.folder], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, capture_output=True)
        with open(os.path.join(self.folder, "key.pub"), encoding="ascii") as file:
            return re.search(r"^public-key-ed25519: (\w+)", file.read(), re.M).group(1)

    def config(self):
        own = {"8080": str(self.port), "8081": str(self.second), "8082": str(self.link),
               "NODE-PUBLIC-KEY": self.key}
        text = re.sub("|".join(own), lambda m: own[m.group(0)], page_config())
        return on_loopback(json.loads(text))

    def ports(self):
        return [self.port, self.second]

    def __enter__(self):
        for left in reversed(range(TRIES)):
            self.port, self.second, self.link = free_port(), free_port(), free_port()
            self.key = self.make_key()
            try:
                super().__enter__()
                return ["ws://127.0.0.1:%d/" % port for port in self.ports()]
            except RuntimeError:
                if not left:
                    raise
