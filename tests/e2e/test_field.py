"""test_field.py: a Crossbar.io configuration as it is found in the field (field.json) serves as it
stands, and each of its transports and paths lets in its own people, by its own rules."""
import json
import os
import shutil
import signal
import subprocess

from certs import Certs
from crossbar import PROGRAM as CROSSBAR
from harness import ROOT, closed_port, equal, test

FIELD = os.path.join(ROOT, "tests/e2e/field.json")
KEY = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"

JOINS = """
local wampy = require "wampy"
for _, case in ipairs { %s } do
  local client = wampy.Client { url = case[1], auth = case[2], cert_path = arg[1],
    serializers = { "json", "cbor" } }
  local ok, e = pcall(client.start, client)
  print(ok and client.session.authrole or e.name)
  if ok then client:stop() end
end
"""


def node(t):
    """The file in a folder of its own, with ports that are free and the files that it names."""
    with open(FIELD, encoding="utf-8") as file:
        text = file.read()
    for port in ["8443", "8090", "8080"]:
        text = text.replace('"port": ' + port, '"port": %d' % closed_port())
    certificate, key = Certs(os.path.join(t.folder, "certs")).issue("good")
    shutil.copy(certificate, os.path.join(t.folder, "server.pem"))
    shutil.copy(key, os.path.join(t.folder, "server.key"))
    t.file("web/index.html", "<p>shop</p>")
    return t.file("config.json", text), json.loads(text)


def ports(config):
    transports = config["workers"][0]["transports"]
    return [transport["endpoint"].get("port") for transport in transports]


@test
def crossbar_finds_nothing_wrong_with_it(t):
    config, _ = node(t)
    done = subprocess.run([CROSSBAR, "check", "--cbdir", t.folder, "--config", config],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "looks good" in done.stdout, done.stdout + done.stderr


@test
def each_way_in_is_for_its_own_people(t):
    path, config = node(t)
    web, raw, both, _ = ports(config)
    router = t.start("router", "--config", path)
    router.out.wait("router.sock")
    wss, rs = "wss://127.0.0.1:%d/ws" % web, "rs://127.0.0.1:%d" % raw
    desk = '{ authid = "desk", ticket = "ticket-of-the-desk" }'
    cases = [
        (wss, "nil", "anonymous"),
        (wss, '{ authid = "ann", secret = "TVM9WMM2Q3XJ6ZM84WXPPKAH" }', "frontend"),
        (wss, '{ authid = "stock", ticket = "ticket-of-the-stock" }', "AuthenticationError"),
        (rs, "nil", "AuthenticationError"),
        (rs, '{ authid = "stock", ticket = "ticket-of-the-stock" }', "backend"),
        (rs, '{ authid = "orders", private_key = "%s" }' % KEY, "backend"),
        (rs, '{ authid = "ann", secret = "TVM9WMM2Q3XJ6ZM84WXPPKAH" }', "AuthenticationError"),
        ("ws://127.0.0.1:%d/ws" % both, "nil", "anonymous"),
        ("ws://127.0.0.1:%d/ws" % both, desk, "AuthenticationError"),
        ("ws://127.0.0.1:%d/desk" % both, "nil", "AuthenticationError"),
        ("ws://127.0.0.1:%d/desk" % both, desk, "backend"),
        ("rs://127.0.0.1:%d" % both, "nil", "frontend"),
        ("rs://127.0.0.1:%d" % both, desk, "AuthenticationError"),
        ("rs+unix://" + os.path.join(t.folder, "router.sock"), "nil", "backend"),
    ]
    rows = ", ".join('{ "%s", %s }' % case[:2] for case in cases)
    said = t.script(JOINS % rows, os.path.join(t.folder, "certs/ca.pem"))
    equal(said, [case[2] for case in cases])
    router.ends(0, signal.SIGTERM)


RULES = """
local wampy = require "wampy"
local desk = { authid = "desk", ticket = "ticket-of-the-desk" }
for _, case in ipairs { { "ws", "cbor" }, { "ws", "json" }, { "desk", "json", desk },
  { "desk", "cbor", desk } } do
  local client <close> = wampy.Client { url = arg[1] .. case[1], serializers = { case[2] },
    auth = case[3] }
  local ok, e = pcall(client.start, client)
  if ok then ok, e = pcall(client.call, client, "com.shop.none", ("x"):rep(70000)) end
  print(e.uri or e.name)
end
"""


@test
def each_way_in_has_its_own_rules(t):
    path, config = node(t)
    router = t.start("router", "--config", path)
    router.out.wait("router.sock")
    said = t.script(RULES, "ws://127.0.0.1:%d/" % ports(config)[2])
    equal(said, ["WebsocketProtocolError", "wamp.error.no_such_procedure",
                 "WebsocketProtocolError", "ConnectionError"])
    router.ends(0, signal.SIGTERM)
