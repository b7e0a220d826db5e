"""test_script.py: `wampy-lua FILE`, -e, -l and -: lua(1) with wampy inside; core.so in lua(1) itself."""
import os
import shutil
import signal

from harness import PROGRAM, ROOT, equal, one_line, test, test_each
from raw_router import GOODBYE, RawRouter

JOIN = """
local wampy = require "wampy"
local c = wampy.Client { url = arg[1] }:start()
"""


def plays_along(link):
    link.join()
    link.serve()


@test
def a_script_gets_its_arguments_both_ways(t):
    path = t.file("args.lua", "print(arg[0], #arg, arg[1], arg[2], ...)")
    equal(t.run(0, path, "a", "-b").out.all(), [path + "\t2\ta\t-b\ta\t-b"])


@test
def a_script_need_not_end_in_lua(t):
    equal(t.run(0, t.file("tool", "print(1)")).out.all(), ["1"])


@test
def a_script_can_be_standard_input(t):
    equal(t.run(0, "-", "x", stdin="print(arg[0], ...)").out.all(), ["-\tx"])


@test
def a_chunk_of_the_command_line_runs(t):
    equal(t.run(0, "-e", "print(require('wampy')._VERSION)").out.all()[0].split()[0], "wampy-lua")


@test
def modules_are_loaded_first(t):
    t.file("mine.lua", "return { answer = 42 }")
    equal(t.run(0, "-lmine", "-e", "print(mine.answer)").out.all(), ["42"])
    equal(t.run(0, "-l", "mine", t.file("x.lua", "print(mine.answer)")).out.all(), ["42"])


@test
def a_script_starts_by_its_first_line(t):
    link = os.path.join(t.folder, "interpreter")
    os.symlink(PROGRAM[0], link)
    path = t.file("tool", "#!%s\nprint('hello', ...)" % link)
    os.chmod(path, 0o755)
    equal(t.start("you", program=[path]).ends(0).out.all(), ["hello\tyou"])


@test_each({
    "a script": (lambda t: [t.file("bad.lua", "local function f() error('no luck') end\nf()")],
                 r"bad\.lua:1: no luck"),
    "a chunk": (lambda t: ["-e", "error('no luck')"], r"command line\):1: no luck"),
    "an error of ours": (lambda t: ["-e", "error(require('wampy').error('a.b', 'no luck'))"],
                         r"RemoteError: no luck \(a\.b\)"),
})
def an_error_has_a_traceback_and_code_1_in(t, args, line):
    done = t.run(1, *args(t))
    done.err.wait("^wampy-lua: .*" + line)
    done.err.wait("stack traceback")
    equal(done.out.all(), [])


@test_each({
    "syntax": (lambda t: [t.file("bad.lua", "x = = 1")], r"bad\.lua:1: .*near '='"),
    "missing file": (lambda t: ["nothere.lua"], r"nothere\.lua"),
    "flag without value": (lambda t: ["-e"], "-e needs an argument"),
})
def one_line_and_code_1_for(t, args, line):
    one_line(t.run(1, *args(t)), line)


@test
def a_missing_module_is_named(t):
    t.run(1, "-l", "not.here", "-e", "print(1)").err.wait("module 'not.here' not found")


@test_each({"by its end": ("", 0), "by os.exit": ("os.exit(7)", 7),
            "by os.exit(false)": ("os.exit(false)", 1), "by an error": ("error('x')", 1)})
def clients_say_goodbye_when_a_script_ends(t, ending, code):
    with RawRouter(plays_along) as raw:
        t.run(code, t.file("x.lua", JOIN + ending), raw.url)
        raw.wait(GOODBYE)


@test_each({"its end": ("", 0), "os.exit": ("os.exit(7)", 7), "an error": ("error('x')", 1)})
def a_task_that_has_just_been_spawned_is_closed_at(t, ending, code):
    done = t.run(code, t.file("x.lua", """
require("wampy").spawn(function()
  local _ <close> = setmetatable({}, { __close = function() print "closed" end })
  require("wampy").sleep(900)
end)
""" + ending))
    equal(done.out.all(), ["closed"])


@test_each({"INT": (signal.SIGINT,), "TERM": (signal.SIGTERM,)})
def a_script_in_wampy_run_ends_with_goodbye_and_0(t, number):
    with RawRouter(plays_along) as raw:
        script = t.start(t.file("x.lua", JOIN + """
wampy.after(0, function() print "on" io.stdout:flush() end)
wampy.run()"""), raw.url)
        script.out.wait("^on$")
        script.ends(0, number)
        raw.wait(GOODBYE)


@test
def a_connection_that_fails_is_an_error_to_catch(t):
    with RawRouter(lambda link: (link.request(), link.answer("404 Not Found"))) as raw:
        done = t.run(1, t.file("x.lua", JOIN), raw.url)
        done.err.wait(r"^wampy-lua: .*x\.lua:3: .*404")


SERVE_AND_CALL = """
local wampy = require "wampy"
local router <close> = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
local service <close> = wampy.Client { url = router.url }:start()
service:register("add", function(a, b) return a + b end)
local c <close> = wampy.Client { url = router.url }:start()
print(c:call("add", 40, 2), c.rpc.add(1, 2))
"""


@test
def plain_lua_does_the_same_with_the_module(t):
    lua = shutil.which("lua5.4")
    env = {"LUA_PATH": os.path.join(ROOT, "lua/?.lua") + ";;",
           "LUA_CPATH": os.path.join(os.path.dirname(PROGRAM[0]), "?.so") + ";;"}
    equal(t.script(SERVE_AND_CALL, env=env, program=[lua]), ["42\t3"])
    equal(t.script(SERVE_AND_CALL), ["42\t3"])


UNFINISHED = """
local wampy = require "wampy"
local router = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
local service = wampy.Client { url = router.url }:start()
service:register("hang", function() wampy.sleep(60) end)
for i = 1, 3 do
  wampy.spawn(function()
    local c = wampy.Client { url = router.url }:start()
    local said <close> = setmetatable({}, { __close = function()
      wampy.sleep(0.01)
      print("closed " .. i)
      io.stdout:flush()
    end })
    if i == 1 then c:call("hang") elseif i == 2 then wampy.sleep(60) else wampy.event():wait() end
  end)
end
wampy.sleep(%s)
print("the end")
io.stdout:flush()
"""


@test_each({"joined": ("0.3",), "while they join": ("0.001",), "before they begin": ("0",)})
def unfinished_tasks_are_cancelled_at_the_end(t, pause):
    lua = shutil.which("lua5.4")
    env = {"LUA_PATH": os.path.join(ROOT, "lua/?.lua") + ";;",
           "LUA_CPATH": os.path.join(os.path.dirname(PROGRAM[0]), "?.so") + ";;"}
    for more in ({}, {"env": env, "program": [lua]}):
        lines = t.script(UNFINISHED % pause, **more)
        equal(lines[0], "the end")
        if pause == "0.3":
            equal(sorted(lines[1:]), ["closed 1", "closed 2", "closed 3"])
