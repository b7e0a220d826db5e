"""test_tools.py: the verbs that need no router: new, test, keygen, passwd, completion, help, version."""
import json
import os
import re
import signal
import stat
import subprocess
import urllib.request

from harness import PROGRAM, equal, one_line, test, test_each

KINDS = {kind: (kind,) for kind in ("service", "pubsub", "web", "empty")}


# ---- new and test


@test_each(KINDS)
def a_new_project_passes_its_own_spec_and_check(t, kind):
    said = t.run(0, "new", "my-app", "-t", kind).out.all()
    assert {"my-app/app.lua", "my-app/spec/app_spec.lua", "my-app/README.md", "my-app/.luarc.json",
            "my-app/.luacheckrc", "my-app/.busted"} <= set(said), said
    for name in said:
        with open(os.path.join(t.folder, name), encoding="utf-8") as file:
            text = file.read()
        left = re.findall(r"\$(?:name|Class|uri|try|library)", text)
        assert text and not left, (name, left)
    folder = os.path.join(t.folder, "my-app")
    out = t.run(0, "test", cwd=folder).out.all()
    assert any(re.search(r"[1-9] success(es)? / 0 failures / 0 errors", line) for line in out), out
    equal(t.run(0, "check", "app.lua", cwd=folder).out.all()[-1], "ok")
    subprocess.run(["luacheck", "-q", "."], cwd=folder, check=True, stdout=subprocess.PIPE)
    with open(folder + "/.luarc.json", encoding="utf-8") as file:
        json.load(file)


@test
def a_new_service_runs_as_its_readme_says(t):
    t.run(0, "new", "shop")
    folder = os.path.join(t.folder, "shop")
    app = t.start("run", "app.lua", "--router=0", cwd=folder)
    url = app.out.wait(r"^router +(\S+)").group(1)
    app.out.wait("^ready")
    with open(folder + "/README.md", encoding="utf-8") as file:
        command = re.search(r"wampy-lua (call .*)", file.read()).group(1)
    equal(t.run(0, *command.split(), "--url", url).out.all(), ["3"])


@test
def a_new_page_is_served_by_the_router(t):
    t.run(0, "new", "page", "-t", "web")
    _, url = t.router("--listen", "0", "--web", "page/public")
    with urllib.request.urlopen(url.replace("ws", "http", 1), timeout=30) as page:
        assert "<title>page</title>" in page.read().decode()


@test
def new_refuses_names_and_folders(t):
    one_line(t.run(2, "new", "1 2"), "^error: new: expected a name such as shop or my-shop, got '1 2'")
    one_line(t.run(2, "new", "x", "-t", "rest"), "must be one of 'service'")
    t.run(0, "new", "x")
    one_line(t.run(1, "new", "x"), "^error: x: File exists")
    one_line(t.run(1, "new", "no/such/x"), "^error: no/such/x: No such file")


SPEC = """
describe("sums", function()
  it("are right", function() assert.equal(2, 1 + 1) end)
  it("are %s", function() assert.equal(3, 1 + %s) end)
  it("have the module", function() assert.is_table(require("wampy.testing")) end)
end)
"""


@test
def test_runs_specs_and_says_how_they_went(t):
    t.file("spec/good_spec.lua", SPEC % ("good", "2"))
    bad = t.file("bad_spec.lua", SPEC % ("bad", "1"))
    t.run(0, "test").out.wait("^3 successes / 0 failures")
    t.run(1, "test", bad).out.wait("^2 successes / 1 failure ")
    t.run(0, "test", bad, "--filter", "are right").out.wait("^1 success / 0 failures")
    t.run(1, "test", "--no-such-flag").err.wait("no-such-flag")
    t.run(1, "test", "nowhere").out.wait("nowhere")


@test_each({"INT": (signal.SIGINT, 130), "TERM": (signal.SIGTERM, 143)})
def test_with_watch_runs_them_again_when_a_file_is_saved(t, number, code):
    t.file("lib/sum.lua", "return 1")
    t.file("spec/sum_spec.lua", """
        it("is right", function() assert.equal(2, dofile("lib/sum.lua")) end)""")
    child = t.start("test", "--watch", "--filter", "right")
    child.out.wait("^0 successes / 1 failure ")
    child.err.wait("^info: waiting for a change$")
    t.file("lib/sum.lua", "return 2")
    child.out.wait("^1 success / 0 failures")
    t.file("spec/new_spec.lua", 'it("is right, too", function() end)')
    child.out.wait("^2 successes / 0 failures")
    child.ends(code, number)


@test
def test_without_busted_says_what_to_install(t):
    path = {"LUA_PATH": t.folder + "/?.lua"}
    one_line(t.run(1, "test", env=path), "^error: test: busted is not installed")


# ---- keys and secrets


def configuration(t, auth):
    """A router's configuration with this section auth, and the role user."""
    role = {"name": "user", "permissions": [{"uri": "", "match": "prefix", "allow": {
        "call": True, "register": True, "publish": True, "subscribe": True}}]}
    place = {"type": "websocket", "endpoint": {"type": "tcp", "port": 0}, "auth": json.loads(auth)}
    worker = {"type": "router", "realms": [{"name": "realm1", "roles": [role]}],
              "transports": [place]}
    return t.file("router.json", json.dumps({"version": 2, "workers": [worker]}))


def private(path):
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)


@test
def a_key_of_keygen_lets_its_owner_in(t):
    entry = t.run(0, "keygen", "joe.key", "--authid", "joe").out.all()
    private(t.folder + "/joe.key")
    _, url = t.router("--config", configuration(t, entry[0]))
    t.run(0, "ping", "-u", url, "--key", "joe.key", "--authid", "joe")
    public = t.run(0, "keygen").out.all()
    private(t.folder + "/wampy.key")
    assert re.fullmatch("[0-9a-f]{64}", public[0]), public
    t.run(5, "ping", "-u", url, "--key", "wampy.key", "--authid", "joe")


@test
def keygen_keeps_what_is_there(t):
    path = t.file("joe.key", "precious")
    one_line(t.run(1, "keygen", "joe.key"), "^error: joe.key: File exists")
    with open(path, encoding="utf-8") as file:
        equal(file.read(), "precious")
    one_line(t.run(1, "keygen", "no/such/folder.key"), "No such file")
    one_line(t.run(2, "keygen", "--role", "user"), "give --authid, too")


@test_each({
    "scram": ([], "wamp-scram"),
    "scram by Argon2": (["--kdf", "argon2id-13", "--memory", "64"], "wamp-scram"),
    "wampcra": (["-m", "wampcra", "--iterations", "100"], "wampcra"),
    "ticket": (["-m", "ticket", "--realm", "realm1"], "ticket"),
})
def an_entry_of_passwd_lets_in_who_knows_the_secret(t, flags, method):
    made = t.start("passwd", "joe", *flags, stdin="o, pssst!\n").ends(0)
    _, url = t.router("--config", configuration(t, made.out.all()[0]))
    who = ["ping", "-u", url, "--authid", "joe", "--authmethod", method, "--secret-file"]
    t.run(0, *who, t.file("right", "o, pssst!\n"))
    t.run(5, *who, t.file("wrong", "psst!\n"))


@test
def passwd_writes_a_file_for_its_owner_alone(t):
    made = t.start("passwd", "joe", "-o", "joe.json", stdin="secret").ends(0)
    equal(made.out.all(), [])
    private(t.folder + "/joe.json")
    with open(t.folder + "/joe.json", encoding="utf-8") as file:
        entry = json.load(file)["scram"]["principals"]["joe"]
    equal(entry["role"], "user")
    again = t.start("passwd", "joe", "-o", "joe.json", stdin="secret").ends(1)
    one_line(again, "^error: joe.json: File exists")


@test_each({
    "no secret": (["joe"], "", "the secret is empty"),
    "one that no password may be": (["joe"], "a\x01b", "RFC 4013"),
    "one that is no text": (["joe", "-m", "ticket"], "x" * 2000, "no text of at most 1024 bytes"),
    "one like a variable": (["joe", "-m", "wampcra"], "$HOME", "name of a variable"),
    "too few iterations": (["joe", "--iterations", "10"], None, "scram wants 4096 at least"),
    "memory without Argon2": (["joe", "--memory", "64"], None, "only with --kdf argon2id-13"),
    "a kdf of another method": (["joe", "-m", "ticket", "--kdf", "pbkdf2"], None, "not with ticket"),
    "more work than a client does": (
        ["joe", "--kdf", "argon2id-13", "--iterations", "100000"], None, "at most with so much"),
    "no name": ([""], None, "AUTHID: expected a name"),
    "nobody": ([], None, "missing argument 'authid'"),
})
def passwd_code_2_is(t, words, secret, complaint):
    one_line(t.start("passwd", *words, stdin=secret).ends(2), "^error: .*" + complaint)


# ---- what the program says of itself


COMPLETE = """
source <("$1" completion bash)
COMP_WORDS=(wampy-lua "${@:2}") COMP_CWORD=$(($# - 1))
_wampy-lua wampy-lua "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completions(t, *words):
    script = t.file("complete.sh", COMPLETE)
    done = subprocess.run(["bash", script, PROGRAM[0]] + list(words), check=True, timeout=30,
                          stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout.split()


@test
def bash_completes_verbs_flags_and_choices(t):
    equal(sorted(completions(t, "ke")), ["keygen"])
    assert "check" in completions(t, "ch")
    assert "--timeout" in completions(t, "call", "--t")
    equal(completions(t, "ping", "--color", "al"), ["always"])


@test
def completion_speaks_to_other_shells(t):
    equal(t.run(0, "completion", "zsh").out.all()[0], "#compdef wampy-lua")
    assert any("complete -c wampy-lua" in line for line in t.run(0, "completion", "fish").out.all())
    one_line(t.run(2, "completion", "tcsh"), "must be one of 'bash', 'zsh', 'fish'")
    one_line(t.run(2, "completion"), "missing argument 'shell'")


@test
def help_knows_verbs_and_topics(t):
    whole = t.run(0, "help").out.all()
    topics = [line.split()[0] for line in whole[whole.index("Topics of help:") + 1:]]
    assert {"arguments", "auth", "environment", "exit-codes", "uris"} <= set(topics), topics
    for topic in topics:
        lines = t.run(0, "help", topic).out.all()
        assert len(lines) > 3 and max(map(len, lines)) <= 100, lines
    equal(t.run(0, "help", "check").out.all(), t.run(0, "check", "--help").out.all())
    equal(t.run(0, "help", "-h").out.all(), t.run(0, "help").out.all())
    one_line(t.run(2, "help", "exit-code"), "^error: no help for 'exit-code'; did you mean exit-codes?")
    one_line(t.run(2, "help", "cal"), "did you mean call?")
    one_line(t.run(2, "help", "something"), "wampy-lua help lists what there is")
    one_line(t.run(2, "chek"), "Did you mean 'check'?")


@test
def version_is_one_line(t):
    one = t.run(0, "version").out.all()
    equal(one, t.run(0, "--version").out.all())
    equal(one, t.run(0, "-V").out.all())
    whole = json.loads(t.run(0, "version", "--json").out.all()[0])
    equal(one, ["%s %s (%s)" % (whole["name"], whole["version"], whole["lua"])])
    one_line(t.run(2, "version", "--jsno"), "Did you mean '--json'")
