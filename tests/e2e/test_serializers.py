"""test_serializers.py: our MsgPack and CBOR against Python's libraries; the choice of a format.

The libraries are those that autobahn-python came with (build/peers/python); they are asked in a
process of theirs, because ours has none.
"""
import os
import subprocess

from harness import ROOT, equal, one_line, test, test_each

PYTHON = os.path.join(ROOT, "build/peers/python/bin/python")
LUA = os.path.join(ROOT, "tests/e2e/differential.lua")

# 3,000 random values, the same each time: "write" prints each as FORMAT HEX JSON, "read" reads our
# bytes for each and says which are another value. Tuples are not lists to Python, so none is made.
THEIRS = r'''
import base64, json, random, struct, sys
import cbor2, msgpack

random.seed(int(sys.argv[2]))
TEXTS = ["", "a", "ü", "\u20ac", "\U0001f389", "\\ \"", "x" * 31, "x" * 32, "é" * 150]
INTEGERS = [sign * (1 << bits) + off for bits in range(63) for off in (-1, 0, 1)
            for sign in (1, -1)] + [2**63 - 1, -2**63]

def number():
    f = struct.unpack("d", random.getrandbits(64).to_bytes(8, "little"))[0]
    return f if f - f == 0 else 0.5

def value(depth):
    kind = random.randrange(8 if depth < 6 else 6)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.choice(INTEGERS)
    if kind == 2:
        return random.choice([number(), float(random.randrange(-9, 9)), -0.0])
    if kind == 3:
        return random.getrandbits(random.randrange(1, 63))
    if kind == 4:
        return random.choice(TEXTS)
    if kind == 5:
        return bytes(random.getrandbits(8) for _ in range(random.choice([0, 1, 40, 300])))
    n = random.choice([0, 1, 2, 3, 15, 16, 24]) if depth < 3 else random.randrange(3)
    if kind == 6:
        return [value(depth + 1) for _ in range(n)]
    return {random.choice(TEXTS) + str(i): value(depth + 1) for i in range(n)}

def binary(b):
    return "\0" + base64.b64encode(b).decode()

def plain(v):
    if isinstance(v, bytes):
        return binary(v)
    if isinstance(v, list):
        return [plain(e) for e in v]
    return {k: plain(e) for k, e in v.items()} if isinstance(v, dict) else v

def exactly(v):
    if isinstance(v, dict):
        return repr(sorted((k, exactly(e)) for k, e in v.items()))
    return repr([exactly(e) for e in v]) if isinstance(v, list) else repr(v)

PACK = {"msgpack": msgpack.packb, "cbor": lambda v: cbor2.dumps(v, canonical=random.random() < .3)}
UNPACK = {"msgpack": lambda b: msgpack.unpackb(b, strict_map_key=True), "cbor": cbor2.loads}
for i in range(3000):
    v, form = value(0), ("msgpack", "cbor")[i % 2]
    packed = PACK[form](v)
    if sys.argv[1] == "write":
        print(form, packed.hex(), json.dumps(plain(v), ensure_ascii=False))
    else:
        line = sys.stdin.readline().strip()
        if line == "differs" or exactly(UNPACK[form](bytes.fromhex(line))) != exactly(v):
            print("differs:", form, packed.hex()[:200], line[:200])
'''


def theirs(t, what, seed, given=""):
    done = subprocess.run([PYTHON, "-c", THEIRS, what, str(seed)], input=given, text=True,
                          capture_output=True, timeout=60, check=False)
    equal((done.returncode, done.stderr), (0, ""))
    return done.stdout


@test_each({"first": (1,), "second": (2,), "third": (3,)})
def random_values_are_the_same_to_the_libraries_of_python(t, seed):
    written = theirs(t, "write", seed)
    ours = "".join(line + "\n" for line in t.run(0, LUA, stdin=written).out.all())
    equal(theirs(t, "read", seed, ours), "")


ECHO = """
local wampy = require "wampy"
local c = wampy.Client { url = arg[1], serializers = arg[2] and { arg[2] } }:start()
c:register("echo", function(...) return ... end)
print(#c:call("echo", wampy.binary "\\xff\\0\\xfe"), c.config.serializers[1])
"""


@test
def the_variable_names_the_format_and_the_constructor_wins(t):
    router = t.start("router", "--listen", "127.0.0.1:0")
    url = router.out.wait(r"(ws://\S+)").group(1)
    path = t.file("echo.lua", ECHO)
    equal(t.run(0, path, url, env={"WAMPY_SERIALIZER": "cbor, json"}).out.all(), ["3\tcbor"])
    equal(t.run(0, path, url, "msgpack", env={"WAMPY_SERIALIZER": "cbor"}).out.all(),
          ["3\tmsgpack"])


@test_each({
    "flag": (["run", "-s", "xml", "app.lua"], {}, 2, r'--serializer: "xml" is not available'),
    "list": (["run", "--serializer", "json,json", "app.lua"], {}, 2, "is named twice"),
    "nothing": (["run", "-s", "", "app.lua"], {}, 2, "is not available"),
})
def a_format_that_there_is_none_of_is_refused(t, args, env, code, words):
    one_line(t.run(code, *args, env=env), words)


@test
def a_wrong_variable_is_named(t):
    path = t.file("x.lua", "require('wampy').Client {}")
    run = t.run(1, path, env={"WAMPY_SERIALIZER": "json,bson"})
    equal(any('WAMPY_SERIALIZER: "bson" is not available' in line for line in run.err.all()), True)
