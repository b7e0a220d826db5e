"""test_tools_repl.py: the prompt, `wampy-lua repl` and -i: at a terminal, which a pseudo-terminal
stands for, and with a pipe."""
import os
import signal
import stat
import subprocess

from harness import closed_port, equal, one_line, test, test_each
from pty_child import Terminal, resize
from raw_router import RawRouter

CTRL_C, CTRL_D, CTRL_R, CTRL_U, TAB, ESCAPE = "\x03", "\x04", "\x12", "\x15", "\t", "\x1b"
UP, LEFT = ESCAPE + "[A", ESCAPE + "[D"
PROMPT = "^realm1> $"


def joined(t, url, *args, **kw):
    """A prompt that has joined."""
    terminal = Terminal(t, "repl", "--url", url, *args, **kw)
    terminal.wait("session [0-9]+; .help")
    terminal.wait(PROMPT)
    return terminal


def history(t):
    with open(os.path.join(t.folder, "wampy-lua/history"), encoding="utf-8") as file:
        return file.read().splitlines()


# ---- what a line does


@test
def a_prompt_evaluates_lua_and_prints_values(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("1 + 1", "^2$")
        tty.ask("= 'x', nil", '^"x"\nnil$')
        tty.ask("y = { b = kwargs { n = null }, 1.0 }", "")
        tty.ask("y", r"^\{ 1\.0, b = kwargs \{ n = null \} \}$")
        tty.ask("_ == y", "^true$")
        tty.ask("client.session.realm", '^"realm1"$')
        tty.ask("print('a', 1)", "^a\t1$")
        tty.types(CTRL_D)
        tty.ends(0)


@test
def a_chunk_goes_on_over_several_lines(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.types("for i = 1, 2 do\r")
        tty.wait("^     >> $")
        tty.types("print('line', i)\r")
        tty.wait("^     >> $")
        tty.types("end\r")
        tty.wait("^line\t1\nline\t2$")
        tty.wait(PROMPT)


@test
def short_words_call_register_publish_and_subscribe(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("reg('com.add', function(a, b) return a + b end)", "^wampy.Registration .*com.add")
        tty.ask("call('com.add', 1, 2)", "^3$")
        tty.ask("client.call.com.add(3, 4)", "^7$")
        tty.ask("sub('com.news')", "^wampy.Registration .*com.news")
        tty.ask("pub('com.news', 'x', kwargs { n = 1 }, options { exclude_me = false })", "com.news")
        tty.ask("pub('com.other', 1)", "^[0-9]+$")
        tty.ask("ls()", "^com.add +exact")
        tty.ask(".ls topics com.n", "^com.news +exact")
        tty.ask(".calls", "^registered +[0-9]+ +com.add\nsubscribed +[0-9]+ +com.news$")
        tty.ask(".help", "^sub\\(TOPIC")
        tty.types(".quit\r")
        tty.ends(0)


@test
def errors_are_one_line_and_what_may_have_been_meant(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("reg('com.example.weather', function() error('no sun') end)", "Registration")
        tty.ask("pritn(1)", r"^error: attempt to call a nil value .*; did you mean print\? \[W100\]$")
        tty.ask("1 +* 2", r"^error: unexpected symbol near '\*' \[W100\]$")
        tty.ask("call('com.example.wether')",
                r"^error: no such procedure: .*; did you mean com\.example\.weather\? \[W601\]$")
        tty.ask("call('com.example.weather')", "^error: com.example.weather: no sun .*$")
        tty.ask(".hlp", r"^error: no such command: \.hlp; did you mean \.help\? \[W100\]$")
        tty.ask("client:subscrib('x')", r"; did you mean client:subscribe\? \[W100\]$")
        tty.ask("call(nil)", r"^error: bad argument #1 to 'call'")
        tty.ask("coroutine.yield()", r"^error: coroutine\.yield outside .*\[W101\]$")
        tty.ask("error()", r"^error: error object: nil \[W100\]$")
        tty.ask("error { code = 5 }", r"^error: error object: \{ code = 5 \} \[W100\]$")
        tty.ask(".trace", "stack traceback:")
        tty.ask("call('a b')", "^error: .*not a valid URI")
        tty.ask("1", "^1$")


# ---- what goes on meanwhile


@test
def events_appear_above_what_one_types(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("sub('com.news')", "Registration")
        tty.types("1 + 1")
        tty.wait(r"1 \+ 1$")
        t.run(0, "pub", "com.news", "hello\n", "--url", url)
        tty.wait('^com.news  "hello\\\\n"$')
        tty.wait(r"^realm1> 1 \+ 1$")
        tty.types("\r")
        tty.wait("^2$")


@test
def calls_are_answered_while_one_types(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("reg('com.f', function(x) print('called') return x end)", "Registration")
        tty.types("abc")
        tty.wait("abc$")
        equal(t.run(0, "call", "com.f", "5", "--url", url).out.all(), ["5"])
        tty.wait("^called\nrealm1> abc$")


@test
def an_escape_alone_keeps_nothing_waiting(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.ask("reg('com.f', function(x) return x end)", "Registration")
        tty.types(ESCAPE)
        equal(t.run(0, "call", "com.f", "5", "--url", url).out.all(), ["5"])
        tty.types(CTRL_U)  # so that "2", if it comes at once, is no second half of the sequence
        tty.ask("2", "^2$")


@test
def a_lost_link_is_told_and_joined_again(t):
    def vanishes(link):
        link.join()
        link.recv()
        link.vanish()

    def stays(link):
        link.join()
        link.serve()
    with RawRouter(vanishes, stays) as raw, joined(t, raw.url) as tty:
        tty.types("client:publish('com.t', 1); x = 5\r")
        tty.wait(r"warn: .*joining again \[W801\]$")
        tty.wait("info: .*joined realm1 again$")
        tty.ask("x", "^5$")


@test
def a_lost_link_ends_it_when_it_is_not_to_try_again(t):
    def vanishes(link):
        link.join()
        link.recv()
        link.vanish()
    with RawRouter(vanishes) as raw, joined(t, raw.url, "--retries", "0") as tty:
        tty.types("client:publish('com.t', 1)\r")
        tty.wait("^error: .*(lost|closed)")
        tty.ends(8)
        equal(tty.modes(), (True, True))


# ---- keys


@test
def ctrl_c_gives_up_the_line_and_ends_what_runs(t):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.types("nonsense(")
        tty.wait(r"nonsense\($")
        tty.types(CTRL_C)
        tty.wait("\\^C\n")
        tty.wait(PROMPT)
        tty.types("x = {\r")
        tty.wait("^     >> $")
        tty.types(CTRL_C)
        tty.wait(PROMPT)
        tty.types("print('sleeps'); wampy.sleep(1000)\r")
        tty.wait("^sleeps$")
        tty.types(CTRL_C)
        tty.wait(r"^(\^C)?error: interrupted \[W102\]$")
        tty.ask("3", "^3$")


@test
def ctrl_c_ends_lua_that_computes_for_ever(t):
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        tty.types("print('computes'); while true do end\r")
        tty.wait("^computes$")
        tty.types(CTRL_C)
        tty.wait(r"^(\^C)?error: interrupted \[W102\]$")
        tty.ask("3", "^3$")


@test
def lines_are_edited(t):
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        tty.types("'grß'" + LEFT + LEFT + "ü")
        tty.ask("", '^"grüß"$')
        tty.types("'" + "x" * 200 + "'" + "\x01#" + "\r")  # longer than the terminal is wide
        tty.wait("^200$")


@test
def tab_completes_names_and_live_uris(t):
    _, url = t.router()
    t.start("reg", "com.example.weather", "--echo", "--url", url).err.wait("registered")
    t.start("sub", "com.example.news", "--url", url).err.wait("subscribed")
    with joined(t, url) as tty:
        tty.types("clie" + TAB)
        tty.wait("client$")
        tty.types(":subsc" + TAB)
        tty.wait("client:subscri")
        tty.types(TAB)
        tty.wait("^subscribe +subscription_map$")
        tty.types(CTRL_C)
        tty.wait(PROMPT)
        tty.types("call('com.ex" + TAB + "', 7)\r")
        tty.wait("com.example.weather', 7\\)\n7$")
        tty.types("client.call.com" + TAB + "(8)\r")
        tty.wait("weather\\(8\\)\n8$")
        tty.types("pub('c" + TAB)
        tty.wait("com.example.news$")
        tty.types(CTRL_C)
        tty.wait(PROMPT)
        tty.types(".tr" + TAB + "\r")
        tty.wait("^there was no error$")
        tty.types("math.s" + TAB)
        tty.wait("sin .*sqrt")


@test
def history_is_kept_for_the_owner_alone(t):
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        for line in ("x = 1", "x", "x", " secret = 2", "y = 2"):
            tty.ask(line, "")
        tty.types(CTRL_D)
        tty.ends(0)
    equal(history(t), ["x = 1", "x", "y = 2"])
    equal(stat.S_IMODE(os.stat(os.path.join(t.folder, "wampy-lua/history")).st_mode), 0o600)
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        tty.ask(UP + UP + UP, "x = 1")
        tty.ask("x", "^1$")
        tty.ask("'other'", "other")
        tty.types("y" + CTRL_R)
        tty.wait("y = 2$")


@test
def a_history_that_cannot_be_written_stops_nobody(t):
    t.file("file", "")
    with Terminal(t, "-i", env={"XDG_STATE_HOME": os.path.join(t.folder, "file")}) as tty:
        tty.wait("^> $")
        tty.ask("1", "^1$")


# ---- the end, and the terminal


@test_each({"TERM": (signal.SIGTERM, 143), "HUP": (signal.SIGHUP, -signal.SIGHUP)})
def a_signal_ends_it(t, number, code):
    _, url = t.router()
    with joined(t, url) as tty:
        tty.child.send_signal(number)
        tty.ends(code)


@test
def the_terminal_is_as_it_was_afterwards(t):
    _, url = t.router()
    for leave in (CTRL_D, ".quit\r", "client:stop()\r", "wampy.stop()\r", "os.exit(0)\r"):
        with joined(t, url) as tty:
            equal(tty.modes(), (False, False))
            tty.types(leave)
            tty.ends(0)
            equal(tty.modes(), (True, True))
    with joined(t, url) as tty:
        tty.child.send_signal(signal.SIGTERM)
        tty.ends(143)
        equal(tty.modes(), (True, True))


@test
def a_line_that_runs_has_the_terminal_as_it_was(t):
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        tty.types("print('reads'); x = io.read()\r")
        tty.wait("^reads$")
        equal(tty.modes(), (True, True))
        tty.types("typed\r")
        tty.ask("x", '^"typed"$')


@test
def it_goes_on_after_having_been_stopped_and_in_another_size(t):
    with Terminal(t, "-i") as tty:
        tty.wait("^> $")
        tty.types("'ab")
        tty.wait("'ab$")
        tty.child.send_signal(signal.SIGCONT)
        tty.wait("^> 'ab$|\r?> 'ab$")
        resize(tty.master, 24, 30)
        tty.types("c'\r")
        tty.wait('^"abc"$')
        tty.ask("('x'):rep(30), {('y'):rep(30)}", '^\\{\n  "y+"\n\\}$')


# ---- without a terminal


def piped(t, text, code, *args, **kw):
    return t.run(code, "repl", *args, stdin=text, **kw)


@test
def a_pipe_has_no_prompt(t):
    _, url = t.router()
    lines = """x = 2
        for i = 1, x do
          print(i)
        end
        { a = x }
        reg("com.f", function(...) return ... end)
        call("com.f", "a", kwargs { k = 1 })
        .ls
        """
    done = piped(t, lines, 0, "--url", url)
    equal(done.err.all(), [])
    equal(done.out.all()[:3] + done.out.all()[4:6],
          ["1", "2", "{ a = 2 }", '"a"', "kwargs { k = 1 }"])


@test
def values_of_a_pipe_can_be_json(t):
    _, url = t.router()
    lines = "'x'\nwampy.array {}, nil\n"
    equal(piped(t, lines, 0, "--raw", "--url", url).out.all(), ["x", "[]", "null"])
    equal(piped(t, lines, 0, "--json", "--url", url).out.all(),
          ['{"args":["x"],"kwargs":{}}', '{"args":[[],null],"kwargs":{}}'])


@test_each({
    "Lua that raises": ("x = 1\n\nerror 'no'\nprint 'on'\n", 1, r"^error: stdin:3: no \[W100\]$"),
    "Lua that does not parse": ("x = = 1\n", 1, "^error: stdin:1: unexpected symbol"),
    "a chunk that does not end": ("x = 1\ndo\n", 1, "^error: stdin:2: 'end' expected"),
    "no such procedure": ("call('com.no')\nprint 'on'", 6, "^error: stdin:1: no such procedure"),
    "no such command": (".no\n", 1, r"^error: stdin:1: no such command: \.no"),
    "what cannot be sent": ("call('a b')\n", 2, "^error: stdin:1: .*not a valid URI"),
    "a call that takes too long": (
        "reg('com.f', function() wampy.sleep(100) end)\n"
        "call('com.f', options { timeout = 0.05 })\n", 7, "^error: stdin:2: "),
})
def the_first_line_of_a_pipe_that_fails_ends_it(t, text, code, complaint):
    _, url = t.router()
    done = piped(t, text, code, "--url", url)
    one_line(done, complaint)
    equal([line for line in done.out.all() if line == "on"], [])


@test
def lines_of_a_pipe_are_run_as_they_come(t):
    _, url = t.router()
    child = t.start("repl", "--url", url, stdin=subprocess.PIPE)
    for text in ("1 + 1", "'two'"):
        child.child.stdin.write(text + "\n")
        child.child.stdin.flush()
        child.out.wait('^(2|"two")$')
    child.child.stdin.close()
    child.ends(0)


@test
def it_says_why_it_cannot_connect(t):
    one_line(piped(t, "1\n", 4, "--url", "ws://127.0.0.1:%d" % closed_port()),
             "^error: .*connection refused")


# ---- -i


@test
def the_flag_i_prompts_behind_a_script(t):
    script = t.file("script.lua", "answer = ...\n")
    with Terminal(t, "-i", script, "42") as tty:
        tty.wait("^> $")
        tty.ask("answer", '^"42"$')
        tty.ask("require 'wampy'.null", "^null$")
        tty.types(CTRL_D)
        tty.ends(0)
    with Terminal(t, "-e", "x = 1", "-i") as tty:
        tty.wait("^> $")
        tty.ask("x", "^1$")
        tty.child.send_signal(signal.SIGTERM)
        tty.ends(143)
    equal(t.run(0, "-i", "-e", "x = 1", stdin="x + 1\n").out.all(), ["2"])
    one_line(t.run(1, "-i", stdin="x()\n"), "^error: stdin:1: attempt to call a nil value .*W100")
    equal(t.run(1, "-i", "-e", "error 'no'", stdin="print 'on'\n").out.all(), [])


@test
def the_loop_of_i_runs_while_one_types(t):
    _, url = t.router()
    script = t.file("script.lua", """
        local wampy = require "wampy"
        c = wampy.Client { url = arg[1] }:start()
        c:register("com.f", function(x) return x end)""")
    with Terminal(t, "-i", script, url) as tty:
        tty.wait("^> $")
        tty.types("ab")
        equal(t.run(0, "call", "com.f", "5", "--url", url).out.all(), ["5"])
