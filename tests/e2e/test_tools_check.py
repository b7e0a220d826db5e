"""test_tools_check.py: wampy-lua check, over the apps of tests/data/bad: each line there that ends in
"-- finds: TEXT" is a planted mistake."""
import glob
import json
import os
import re

from harness import ROOT, equal, one_line, test, test_each

BAD = sorted(glob.glob(ROOT + "/tests/data/bad/*.lua"))
GOOD = """
local wampy = require "wampy"
local App = wampy.Client:extend("App")
print("said while loading")
App.add = wampy.callee(function(self, a, b) return a + b, self end)
App.news = wampy.subscriber { topic = "com.", match = "prefix" } (function(self) return self end)
App.often = wampy.timer { interval = 5 } (function(self) return self end)
return App
"""


def copy(t, path, name=None):
    with open(path, encoding="utf-8") as file:
        return t.file(name or os.path.basename(path), file.read())


def planted(path):
    """The mistakes of an app: (place, text)."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = re.search(r"-- finds( in the whole)?: (.*)", line)
            if match:
                name = os.path.basename(path)
                found.append((name if match.group(1) else "%s:%d" % (name, number),
                              match.group(2)))
    return found


@test_each({os.path.basename(path): (path,) for path in BAD})
def check_finds_what_is_planted_in(t, path):
    copy(t, path)
    done = t.run(1, "check", os.path.basename(path), "--json")
    got = json.loads(done.out.all()[0])["findings"]
    wanted = planted(path)
    equal(sorted(f["where"] for f in got), sorted(where for where, _ in wanted))
    for where, text in wanted:
        assert any(f["where"] == where and text in f["text"] for f in got), (where, text, got)


@test
def check_of_several_apps_says_each_mistake_in_a_line(t):
    copy(t, BAD[0], "one.lua")
    t.file("two.lua", GOOD)
    done = t.run(1, "check", "two.lua", "one.lua").out.all()
    equal([line.split() for line in done[:3]],
          [["two.lua", "App"], ["procedure", "add", "two.lua:5"], ["topic", "com.", "two.lua:6"]])
    equal(len([line for line in done if re.match(r"one\.lua:\d+: ", line)]), len(planted(BAD[0])))


@test
def check_is_content_with_a_good_app(t):
    t.file("app.lua", GOOD)
    done = t.run(0, "check", "app.lua")
    equal(done.out.all()[-1], "ok")
    equal(done.err.all(), ["said while loading"])
    whole = json.loads(t.run(0, "check", "app.lua:App", "--json").out.all()[0])
    equal(whole["findings"], [])
    equal(whole["classes"][0]["topics"], [{"uri": "com.", "where": "app.lua:6", "match": "prefix"}])


@test
def check_follows_modules_of_the_project(t):
    t.file("lib/sums.lua", "return { add = function(a, b) return a + bb, b end }\n")
    t.file("app.lua", 'local wampy = require "wampy"\nlocal sums = require "lib.sums"\n'
           'local App = wampy.Client:extend("App")\n'
           "App.add = wampy.callee(function(_, a, b) return sums.add(a, b) end)\nreturn App\n")
    done = t.run(1, "check", "app.lua").out.all()
    equal(done[-1], "lib/sums.lua:1: accessing undefined variable 'bb'")
    t.file(".luacheckrc", 'std = "lua54"\nglobals = { "bb" }\n')
    t.run(0, "check", "app.lua")


@test
def check_without_luacheck_says_so(t):
    t.file("app.lua", GOOD)
    done = t.run(0, "check", "app.lua", env={"PATH": t.folder})
    done.err.wait("^warn: globals are not checked: ")


@test
def check_code_3_is_what_cannot_be_loaded(t):
    t.file("broken.lua", "local x = = 1\n")
    t.file("raises.lua", 'require "not_there"\n')
    t.file("wrong.lua", "return 7\n")
    t.file("good.lua", GOOD)
    one_line(t.run(3, "check", "broken.lua"), r"^error: broken\.lua:1: .*\[W302\]$")
    one_line(t.run(3, "check", "raises.lua"), r"^error: .*module 'not_there' not found \[W300\]$")
    one_line(t.run(3, "check", "wrong.lua"), r"returned a number.*\[W304\]$")
    one_line(t.run(3, "check", "absent.lua"), r"app absent\.lua does not exist \[W301\]$")
    done = t.run(3, "check", "good.lua", "broken.lua")
    equal(done.out.all()[0], "good.lua  App")


@test_each({
    "leaves": ("os.exit(5)", "ends the process"),
    "serves": ("wampy.routers.Embedded { listen = 0 }:start()", "starts a router of its own"),
    "joins": ("wampy.Client {}:start()", "starts a client of its own"),
})
def check_says_why_it_goes_no_further_in_an_app_that(t, text, why):
    t.file("app.lua", 'local wampy = require "wampy"\n' + text)
    one_line(t.run(0, "check", "app.lua"), "^info: app.lua %s: what comes after is not looked at$" % why)


@test
def check_runs_no_tasks(t):
    t.file("app.lua", """local wampy = require "wampy"
local App = wampy.Client:extend("App")
App.x = wampy.callee "com.x" (function(self) return self end)
local task = wampy.spawn(function() print "spawned" end)
wampy.after(0, function() print "after" end)
task:wait()
return App
""")
    done = t.run(0, "check", "app.lua")
    equal((done.out.all()[-1], done.err.all()), ("ok", []))


@test
def check_code_2_is_nothing_to_check(t):
    one_line(t.run(2, "check"), "^error: check: give an APP or --config FILE")
    one_line(t.run(2, "check", "--jsn"), "Did you mean '--json'")


@test
def check_of_a_configuration(t):
    realm = {"name": "realm1", "roles": [{"name": "anonymous", "permissions": []}]}
    place = {"type": "websocket", "endpoint": {"type": "tcp", "port": 8080}}
    worker = {"type": "router", "realms": [realm], "transports": [place]}
    t.file("good.json", json.dumps({"version": 2, "workers": [worker]}))
    equal(t.run(0, "check", "--config", "good.json").out.all(), ["ok"])
    realm["name"], place["endpoint"]["port"] = "a b", "8080"
    t.file("bad.json", json.dumps({"version": 2, "workers": [worker]}))
    lines = t.run(1, "check", "--config", "bad.json").out.all()
    assert len(lines) == 2 and all(line.startswith("bad.json.workers[0].") for line in lines), lines
    one_line(t.run(3, "check", "--config", t.file("no.json", "{")), "not JSON")
    one_line(t.run(3, "check", "--config", "absent.json"), "No such file")
    t.file("router.lua", 'return { realm = "realm1" }')
    t.run(0, "check", "--config", "router.lua")
    one_line(t.run(3, "check", "--config", t.file("no.lua", "return 1")), "returned a number")
