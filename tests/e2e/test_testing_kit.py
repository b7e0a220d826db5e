"""test_testing_kit.py: the testing kit, from outside: specs by busted in the program, on the embedded
router and on a real Crossbar.io; those of the guide's chapter, too."""
import glob
import os
import re
import shutil

from crossbar import PROGRAM as CROSSBAR
from harness import ROOT, test, test_each
from test_docs import blocks

BUSTED = shutil.which("busted")
GUIDE = os.path.join(ROOT, "docs/guide/07-testing.md")
HELLO = os.path.join(ROOT, "apps/09-hello-service-test")

SPEC = """
local wampy, testing = require "wampy", require "wampy.testing"
local App = wampy.Client:extend("App")
App.double = wampy.callee "com.example.double" (function(_, n) return 2 * n end)
App.noted = wampy.subscriber "com.example.note" (function(self, n) self.last = n end)
describe("an app", function()
  local router, url
  before_each(function() router = testing.router(ROUTER) end)
  for i = 1, 3 do
    it("serves " .. i, function()
      local app = testing.start(App, { router = router })
      testing.wait_for_registrations(app, 1)
      local client = testing.client { router = router }
      assert.equal(REALM, client.session.realm)
      assert.equal(2 * i, client:call("com.example.double", i))
      local e <close> = testing.expect_event(App, "com.example.note")
      client:publish("com.example.note", i)
      e:wait()
      assert.equal(i, app.last)
      assert.equal(4 * i, testing.invoke(app, "com.example.double", 2 * i))
      assert.equal(5 * i, testing.event(app, "com.example.note", 5 * i).last)
    end)
  end
  it("is spoken to by hand", function()
    local peer = testing.peer(router)
    peer:send { 1, REALM, { roles = { caller = {} } } }
    assert.equal(2, peer:recv()[1])
    url = router.url
  end)
  it("has a router of its own when the last one was stopped", function()
    router:stop()
    router = testing.router(ROUTER)
    assert.are_not.equal(url, router.url)
    assert.is_true(testing.client { router = router, realm = REALM }.connected)
  end)
end)
"""

CONFIG = """{ "version": 2, "controller": {}, "workers": [{ "type": "router",
  "realms": [{ "name": "com.example.realm", "roles": [{ "name": "anonymous", "permissions": [
    { "uri": "", "match": "prefix", "allow": { "call": true, "register": true, "publish": true,
      "subscribe": true } }] }] }],
  "transports": [{ "type": "websocket",
    "endpoint": { "type": "tcp", "interface": "127.0.0.1", "port": 8080 } }] }] }"""

EMBEDDED, ON_CROSSBAR = {}, {"WAMPY_TEST_ROUTER": "crossbar", "WAMPY_CROSSBAR": CROSSBAR}


def passes(t, passed, spec, env, cwd=None):
    """Runs a spec, all of whose tests pass."""
    folder = os.path.join(t.folder, "tmp")  # where Crossbar.io's folders go
    os.makedirs(folder, exist_ok=True)
    process = t.start(BUSTED, "--ignore-lua", "-o", "plainTerminal", spec,
                      env=env | {"TMPDIR": folder}, cwd=cwd)
    code = process.exit(100)
    out = "\n".join(process.out.all() + process.err.all())
    assert code == 0 and re.search(r"^%s success(es)? / 0 fail" % passed, out, re.M), out
    assert not os.listdir(folder), "left in the temporary folder: %s" % os.listdir(folder)


@test_each({"embedded": (EMBEDDED,), "on Crossbar.io": (ON_CROSSBAR,)})
def the_test_of_wampys_documentation_passes(t, env):
    passes(t, 1, HELLO, env, ROOT)


@test_each({"embedded": (EMBEDDED, "nil"), "on Crossbar.io": (ON_CROSSBAR, "nil"),
            "embedded, by a configuration": (EMBEDDED, "config"),
            "on Crossbar.io, by a configuration": (ON_CROSSBAR, "config")})
def one_spec_runs_on_every_router(t, env, router):
    head = 'local ROUTER, REALM = nil, "realm1"'
    if router == "config":
        head = 'local ROUTER, REALM = { config_path = "%s" }, "com.example.realm"' % t.file(
            "router.json", CONFIG)
    passes(t, 5, t.file("app_spec.lua", head + SPEC), env)


@test
def the_specs_of_the_guide_pass(t):
    os.symlink(os.path.join(ROOT, "apps"), os.path.join(t.folder, "apps"))
    with open(GUIDE, encoding="utf-8") as file:
        for language, name, body in blocks(file.read()):
            if language:
                t.file(name, body)
    specs = glob.glob(os.path.join(t.folder, "*_spec.lua"))
    assert len(specs) == 4, specs
    for spec in specs:
        passes(t, r"\d+", spec, EMBEDDED, t.folder)
    passes(t, 1, os.path.join(t.folder, "hello_spec.lua"), ON_CROSSBAR, t.folder)
