/* test_msg.c - the grammar of messages, generated from the table and held against a
 * second copy of what WAMP says.
 *
 * Two halves. `facts` repeats codes, names, lengths, senders and states from the
 * specification, so that a wrong row shows. The rest loops over msg_rows and builds
 * messages out of samples for each letter: good at each length, too short, too long,
 * each position with each other type. What cannot be generated is in test_msg_cases.c. */
#include "message.h"

void test_msg(void);

static const unsigned states[] = { STATE_OPENING, STATE_CHALLENGING, STATE_JOINED,
                                   STATE_CLOSING };

/* ---- samples ----------------------------------------------------------------------- */

enum type {
    T_NULL,
    T_BOOL,
    T_INT,
    T_NEGATIVE,
    T_FLOAT,
    T_STRING,
    T_BINARY,
    T_LIST,
    T_DICT
};

static const struct {
    enum type type;
    const char *text;
} values[] = {
    { T_NULL, "null" },   { T_BOOL, "true" },
    { T_BOOL, "false" },  { T_INT, "48" },
    { T_NEGATIVE, "-1" }, { T_FLOAT, "1.5" },
    { T_FLOAT, "48.0" },  { T_STRING, "\"48\"" },
    { T_STRING, "\"\"" }, { T_BINARY, "\"\\u0000AAAA\"" },
    { T_LIST, "[]" },     { T_LIST, "[48]" },
    { T_DICT, "{}" },     { T_DICT, "{\"request\":48}" },
};

static enum type type_of(char letter)
{
    switch (letter) {
    case 'u':
    case 's':
        return T_STRING;
    case 'A':
        return T_LIST;
    case 'd':
    case 'D':
    case 'K':
        return T_DICT;
    default:
        return T_INT;
    }
}

/* What the decoder does not parse is oddly spaced, to come out as it went in. */
static const char *sample(char letter)
{
    switch (letter) {
    case 'r':
    case 'z':
        return "7";
    case 't':
        return "48";
    case 'i':
    case 'h':
        return "9007199254740992";
    case 'p':
        return "9007199254740991";
    case 'u':
        return "\"com.example\"";
    case 's':
        return "\"text\"";
    case 'A':
        return "[1 ,\t[ ], \"\\u0041\"]";
    case 'K':
        return "{ \"a\" :\n1}";
    default:
        return "{\"x_y\":  true }";
    }
}

/* Writes a message of `n` elements behind the code; the one at `odd` is `value`
 * instead. */
static void build(char out[TEXT_MAX], const struct msg_row *row, size_t n, size_t odd,
                  const char *value, const char *space)
{
    size_t at = (size_t)snprintf(out, TEXT_MAX, "%s[%d", space, (int)row->code);

    for (size_t i = 0; i < n; i++) {
        const char *more = i < strlen(row->shape) ? sample(row->shape[i]) : "1";
        const char *element = i == odd ? value : more;

        at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s,%s%s", space, space, element);
    }
    snprintf(out + at, TEXT_MAX - at, "%s]%s", space, space);
}

#define NOWHERE 99

static size_t longest(const struct msg_row *row)
{
    return strlen(row->shape);
}

static size_t shortest(const struct msg_row *row)
{
    return strcspn(row->shape, "DAK");
}

/* ---- what WAMP says ---------------------------------------------------------------- */

static const struct {
    int code;
    const char *name;
    size_t least, most; /* elements with the code */
    unsigned from;
    const char *states; /* o opening, c challenging, j joined, x closing */
    int answer;
} facts[] = {
    { 1, "HELLO", 3, 3, FROM_CLIENT, "o", 2 },
    { 2, "WELCOME", 3, 3, FROM_ROUTER, "oc", 0 },
    { 3, "ABORT", 3, 5, FROM_CLIENT | FROM_ROUTER, "ocjx", 0 },
    { 4, "CHALLENGE", 3, 3, FROM_ROUTER, "o", 5 },
    { 5, "AUTHENTICATE", 3, 3, FROM_CLIENT, "c", 2 },
    { 6, "GOODBYE", 3, 3, FROM_CLIENT | FROM_ROUTER, "jx", 6 },
    { 8, "ERROR", 5, 7, FROM_CLIENT | FROM_ROUTER, "jx", 0 },
    { 16, "PUBLISH", 4, 6, FROM_CLIENT, "jx", 17 },
    { 17, "PUBLISHED", 3, 3, FROM_ROUTER, "jx", 0 },
    { 32, "SUBSCRIBE", 4, 4, FROM_CLIENT, "jx", 33 },
    { 33, "SUBSCRIBED", 3, 3, FROM_ROUTER, "jx", 0 },
    { 34, "UNSUBSCRIBE", 3, 3, FROM_CLIENT, "jx", 35 },
    { 35, "UNSUBSCRIBED", 2, 3, FROM_ROUTER, "jx", 0 },
    { 36, "EVENT", 4, 6, FROM_ROUTER, "jx", 0 },
    { 48, "CALL", 4, 6, FROM_CLIENT, "jx", 50 },
    { 49, "CANCEL", 3, 3, FROM_CLIENT, "jx", 0 },
    { 50, "RESULT", 3, 5, FROM_ROUTER, "jx", 0 },
    { 64, "REGISTER", 4, 4, FROM_CLIENT, "jx", 65 },
    { 65, "REGISTERED", 3, 3, FROM_ROUTER, "jx", 0 },
    { 66, "UNREGISTER", 3, 3, FROM_CLIENT, "jx", 67 },
    { 67, "UNREGISTERED", 2, 3, FROM_ROUTER, "jx", 0 },
    { 68, "INVOCATION", 4, 6, FROM_ROUTER, "jx", 70 },
    { 69, "INTERRUPT", 3, 3, FROM_ROUTER, "jx", 0 },
    { 70, "YIELD", 3, 5, FROM_CLIENT, "jx", 0 },
};

static void table(void)
{
    TEST("the table has WAMP's 24 messages, with their names, lengths and answers");
    CHECK_INT(msg_row_count, COUNT(facts));
    for (size_t i = 0; i < COUNT(facts); i++) {
        const struct msg_row *row = msg_row(facts[i].code);

        CHECK(row == &msg_rows[i]);
        if (!row)
            continue;
        CHECK_STR(row->name, facts[i].name);
        CHECK_STR(msg_name(facts[i].code), facts[i].name);
        CHECK_INT(shortest(row) + 1, facts[i].least);
        CHECK_INT(longest(row) + 1, facts[i].most);
        CHECK_INT(row->answer, facts[i].answer);
    }

    TEST("codes that are none of them are not found");
    for (int64_t code = -300, known = 0; code < 2000; code++) {
        known += msg_row(code) != NULL;
        if (code == 1999)
            CHECK_INT(known, COUNT(facts));
    }
    CHECK(!msg_row(INT64_MAX) && !msg_row(INT64_MIN) && !msg_row((int64_t)1 << 32 | 1));
    CHECK_STR(msg_name(7), "?");
}

static bool fact_allows(size_t i, unsigned from, unsigned state)
{
    char letter = state == STATE_OPENING       ? 'o'
                  : state == STATE_CHALLENGING ? 'c'
                  : state == STATE_JOINED      ? 'j'
                                               : 'x';

    return (facts[i].from & from) && strchr(facts[i].states, letter);
}

static void allowed(void)
{
    struct fault f;

    TEST("a message is allowed from its sender, in its states, and nowhere else");
    for (size_t i = 0; i < COUNT(facts); i++) {
        for (unsigned from = FROM_CLIENT; from <= FROM_ROUTER; from++) {
            for (size_t s = 0; s < COUNT(states); s++) {
                struct msg m = { .row = msg_row(facts[i].code),
                                 .type = from == FROM_CLIENT ? 68 : 48 };
                bool ok = msg_allowed(&m, from, states[s], &f);

                if (ok != fact_allows(i, from, states[s]))
                    complain(facts[i].name, ok ? "should not be allowed" : f.text);
                if (!ok && (strcmp(f.uri, "wamp.error.protocol_violation") ||
                            !strstr(f.text, facts[i].name)))
                    complain(facts[i].name, f.text);
            }
        }
    }
}

static void errors_allowed(void)
{
    static const int router[] = { 16, 32, 34, 48, 64, 66 };
    struct fault f;

    TEST("ERROR is for 68 from a client, for 16, 32, 34, 48, 64 and 66 from a router");
    for (int type = -1; type < 100; type++) {
        struct msg m = { .row = msg_row(MSG_ERROR), .type = type };
        bool by_router = false;

        for (size_t i = 0; i < COUNT(router); i++)
            by_router |= router[i] == type;
        CHECK_INT(msg_allowed(&m, FROM_CLIENT, STATE_JOINED, &f), type == 68);
        CHECK_INT(msg_allowed(&m, FROM_ROUTER, STATE_JOINED, &f), by_router);
    }
}

/* ---- generated from the table ------------------------------------------------------ */

static void lengths(void)
{
    char text[TEXT_MAX], words[100];

    TEST("every message is good at each allowed length, and with white space");
    for (unsigned i = 0; i < msg_row_count; i++) {
        const struct msg_row *row = &msg_rows[i];

        for (size_t n = shortest(row); n <= longest(row); n++) {
            build(text, row, n, NOWHERE, "", "");
            check_good(text);
            build(text, row, n, NOWHERE, "", " \r\n\t");
            check_good(text);
        }
    }

    TEST("no message is good with an element less or more");
    for (unsigned i = 0; i < msg_row_count; i++) {
        const struct msg_row *row = &msg_rows[i];

        snprintf(words, sizeof words, "%s: ", row->name);
        for (size_t n = 0; n < longest(row) + 10; n++) {
            if (n >= shortest(row) && n <= longest(row))
                continue;
            build(text, row, n, NOWHERE, "", "");
            check_bad(text, words);
        }
    }
}

static bool fits(const struct msg_row *row, size_t i, enum type type)
{
    bool payload = row->shape[i] == 'A' || row->shape[i] == 'K';

    if (type == T_NULL)
        return payload && (row->from & FROM_ROUTER);
    return type == type_of(row->shape[i]);
}

static void types(void)
{
    char text[TEXT_MAX], words[100];

    TEST("every element is good with its type, and bad with each other");
    for (unsigned i = 0; i < msg_row_count; i++) {
        const struct msg_row *row = &msg_rows[i];

        for (size_t at = 0; at < longest(row); at++) {
            for (size_t v = 0; v < COUNT(values); v++) {
                build(text, row, longest(row), at, values[v].text, "");
                snprintf(words, sizeof words, "%s: element %zu (", row->name, at + 2);
                if (fits(row, at, values[v].type))
                    check_good(text);
                else
                    check_bad(text, words);
            }
        }
    }
}

static void id_ranges(void)
{
    static const char *const inside[] = { "1", "9007199254740991", "9007199254740992" };
    static const char *const outside[] = { "-1",
                                           "-9007199254740992",
                                           "9007199254740993",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "18446744073709551617",
                                           "1e3",
                                           "1.0",
                                           "1.5",
                                           "-0.0",
                                           "\"1\"",
                                           "true" };
    char text[TEXT_MAX];

    TEST("ids go from 1 to 2^53 and are written as integers");
    for (unsigned i = 0; i < msg_row_count; i++) {
        const struct msg_row *row = &msg_rows[i];

        for (size_t at = 0; at < longest(row); at++) {
            if (!strchr("rzihp", row->shape[at]))
                continue;
            for (size_t v = 0; v < COUNT(inside); v++) {
                build(text, row, longest(row), at, inside[v], "");
                check_good(text);
            }
            for (size_t v = 0; v < COUNT(outside); v++) {
                build(text, row, longest(row), at, outside[v], "");
                check_bad(text, row->name);
            }
            build(text, row, longest(row), at, "0", "");
            CHECK_INT(good(text), row->shape[at] == 'z');
        }
    }
}

static void round_trips(void)
{
    char text[TEXT_MAX], spaced[TEXT_MAX];

    TEST("every message encodes to what it was decoded from, payload byte for byte");
    for (unsigned i = 0; i < msg_row_count; i++) {
        const struct msg_row *row = &msg_rows[i];

        for (size_t n = shortest(row); n <= longest(row); n++) {
            build(text, row, n, NOWHERE, "", "");
            check_encoded(text, text);
            build(spaced, row, n, NOWHERE, "", "\n ");
            check_encoded(spaced, text);
        }
    }
}

void test_msg(void)
{
    table();
    allowed();
    errors_allowed();
    lengths();
    types();
    id_ranges();
    round_trips();
}
