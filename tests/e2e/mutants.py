"""mutants.py: messages that are wrong, made from right ones: the same ones each time.

`SHAPES` has every message of WAMP with what stands where. `of` makes mutants of one: by its
structure (another type, length, id, nesting ...), where it is known what is wrong with it and a
router must say so, or by its bytes, where anything may come out.
"""
import json
import random

ID, URI, DICT, LIST, TEXT, TYPE = "id", "URI", "dict", "list", "text", "type"
CLIENT, OPENS, ROUTER = "client", "opens", "router"  # who says it; a client's first words


class Shape:
    def __init__(self, who, name, fields, message, least=None):
        self.who, self.name, self.fields, self.message = who, name, fields, message
        self.lengths = range(least or len(message), len(message) + 1)


REQUEST = [ID, DICT, URI]
PAYLOAD = [[1, "x"], {"k": [{}]}]
CALLEE = {"roles": {"callee": {"features": {"call_canceling": True}}, "caller": {}}}
SHAPES = [
    Shape(OPENS, "HELLO", [URI, DICT], [1, "realm1", CALLEE]),
    Shape(ROUTER, "WELCOME", [ID, DICT], [2, 7, {"roles": {"broker": {}}}]),
    Shape(CLIENT, "ABORT", [DICT, URI, LIST, DICT], [3, {}, "wamp.close.normal", *PAYLOAD], 3),
    Shape(ROUTER, "CHALLENGE", [TEXT, DICT], [4, "ticket", {}]),
    Shape(OPENS, "AUTHENTICATE", [TEXT, DICT], [5, "proof", {}]),
    Shape(CLIENT, "GOODBYE", [DICT, URI], [6, {"message": "x"}, "wamp.close.normal"]),
    Shape(CLIENT, "ERROR", [TYPE, ID, DICT, URI, LIST, DICT],
          [8, 68, 1, {}, "com.error", *PAYLOAD], 5),
    Shape(CLIENT, "PUBLISH", REQUEST + [LIST, DICT],
          [16, 1, {"acknowledge": True, "exclude": [1]}, "com.topic", *PAYLOAD], 4),
    Shape(ROUTER, "PUBLISHED", [ID, ID], [17, 1, 2]),
    Shape(CLIENT, "SUBSCRIBE", REQUEST, [32, 1, {"match": "prefix"}, "com.topic"]),
    Shape(ROUTER, "SUBSCRIBED", [ID, ID], [33, 1, 2]),
    Shape(CLIENT, "UNSUBSCRIBE", [ID, ID], [34, 1, 2]),
    Shape(ROUTER, "UNSUBSCRIBED", [ID], [35, 1]),
    Shape(ROUTER, "EVENT", [ID, ID, DICT, LIST, DICT], [36, 1, 2, {}, *PAYLOAD], 4),
    Shape(CLIENT, "CALL", REQUEST + [LIST, DICT],
          [48, 1, {"timeout": 1000, "receive_progress": True}, "com.proc", *PAYLOAD], 4),
    Shape(CLIENT, "CANCEL", [ID, DICT], [49, 1, {"mode": "kill"}]),
    Shape(ROUTER, "RESULT", [ID, DICT, LIST, DICT], [50, 1, {}, *PAYLOAD], 3),
    Shape(CLIENT, "REGISTER", REQUEST, [64, 1, {"invoke": "random"}, "com.proc"]),
    Shape(ROUTER, "REGISTERED", [ID, ID], [65, 1, 2]),
    Shape(CLIENT, "UNREGISTER", [ID, ID], [66, 1, 2]),
    Shape(ROUTER, "UNREGISTERED", [ID], [67, 1]),
    Shape(ROUTER, "INVOCATION", [ID, ID, DICT, LIST, DICT], [68, 1, 2, {}, *PAYLOAD], 4),
    Shape(ROUTER, "INTERRUPT", [ID, DICT], [69, 1, {}]),
    Shape(CLIENT, "YIELD", [ID, DICT, LIST, DICT], [70, 1, {}, *PAYLOAD], 3),
]
OTHERS = [None, True, False, 1, 1.5, "x", [], {}, [1], {"a": 1}, [[]], ""]
NO_IDS = [0, -1, 2 ** 53 + 1, 2 ** 63, 2 ** 64 + 1, 1.5, 1e300, "1"]
FITS = {ID: int, TYPE: int, URI: str, TEXT: str, DICT: dict, LIST: list}
BAD_URIS = ["", ".", "a..b", "com.#", "com. x", "wamp.spoof", "x" * 1025, "\u00e9\0", "com." * 80]
NO_CODES = [0, 7, 9, 15, 71, 255, -1, 1.5, 2 ** 40, None, "48", [], {}, True]


class Mutant:
    def __init__(self, shape, data, wrong):
        self.data, self.wrong, self.opens = data, wrong, shape.who == OPENS


def fits(value, field):
    return isinstance(value, FITS[field]) and not isinstance(value, bool)


# Each takes a list that it may change, and gives bytes or a list, and what is wrong with it.


def other_type(shape, m, chance):
    at = chance.randrange(1, len(m))
    field = shape.fields[at - 1]
    value = chance.choice([v for v in OTHERS if not fits(v, field)])
    m[at] = value
    if value is None and at >= shape.lengths[0]:
        return m, None  # some write the arguments that are not there so
    return m, "%s is %r" % (field, value)


def other_id(shape, m, chance):
    at = [i + 1 for i, field in enumerate(shape.fields) if field == ID]
    if not at:
        return other_type(shape, m, chance)
    value = chance.choice(NO_IDS)
    m[chance.choice(at)] = value
    return m, "id is %r" % value


def other_length(shape, m, chance):
    n = chance.choice([n for n in range(10) if n not in shape.lengths])
    m = (m + [chance.choice(OTHERS) for _ in range(10)])[:n]
    return m, "length is %d" % n


def other_code(_, m, chance):
    m[0] = chance.choice(NO_CODES)
    return m, "code is %r" % (m[0],)


def nested(shape, m, chance):
    depth = chance.choice([130, 1000, 20000])
    at = chance.randrange(1, len(m))
    brackets = chance.choice([("[", "]"), ('{"a":', "}")])
    m[at] = "DEEP"
    return json.dumps(m).replace('"DEEP"', brackets[0] * depth + "1" + brackets[1] * depth), (
        "depth is %d" % depth)


def doubled_key(shape, m, chance):
    at = [i + 1 for i, field in enumerate(shape.fields) if field == DICT][:1]
    if not at:
        return other_length(shape, m, chance)
    m[at[0]] = "TWICE"
    twice = '{"%s":1,"%s":2}' % ((chance.choice(["x", "match", "timeout", "roles"]),) * 2)
    return json.dumps(m).replace('"TWICE"', twice), None


def no_text(shape, m, chance):
    at = [i + 1 for i, field in enumerate(shape.fields) if field in (URI, TEXT)]
    if not at:
        return other_id(shape, m, chance)
    m[chance.choice(at)] = "BYTES"
    bad = chance.choice([b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf",
                         b"\\ud800", b"\\u12", b"\n", b"\\x41"])
    return json.dumps(m).encode().replace(b"BYTES", bad), "text is %r" % bad


def other_uri(shape, m, chance):
    at = [i + 1 for i, field in enumerate(shape.fields) if field == URI]
    if not at:
        return other_length(shape, m, chance)
    m[chance.choice(at)] = chance.choice(BAD_URIS)
    return m, None


def other_option(shape, m, chance):
    at = [i + 1 for i, field in enumerate(shape.fields) if field == DICT]
    if not at:
        return other_code(shape, m, chance)
    key = chance.choice(["match", "timeout", "exclude", "eligible", "mode", "invoke", "roles",
                         "progress", "acknowledge", "concurrency", "retain", "ppt_scheme", "x"])
    m[chance.choice(at)] = {key: chance.choice(OTHERS + NO_IDS)}
    return m, None


def cut_off(_, m, chance):
    text = json.dumps(m)
    return text[:chance.randrange(len(text))], "end is missing"


def flipped(_, m, chance):
    data = bytearray(json.dumps(m).encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        how = chance.randrange(3)
        if how == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            data[at:at] = bytes([chance.randrange(256)])
        elif len(data) > 1:
            del data[at]
    return bytes(data), None


WAYS = [other_type, other_id, other_length, other_code, nested, doubled_key, no_text, other_uri,
        other_option, cut_off, flipped, flipped]


def as_bytes(made):
    if isinstance(made, list):
        made = json.dumps(made)
    return made.encode() if isinstance(made, str) else made


def of(shape, count):
    chance = random.Random(shape.name)
    for i in range(count):
        way = WAYS[i % len(WAYS)]
        made, wrong = way(shape, list(shape.message), chance)
        if shape.who == ROUTER and way is not flipped:
            wrong = wrong or "direction"
        yield Mutant(shape, as_bytes(made), wrong)
