/* test_trace.c - messages as lines for people: which are shown, what an answer is about,
 * and that no secret gets into a line. */
#include "message.h"
#include "wamp/trace.h"
#include "wamp/transcode.h"

void test_trace(void);

static void set(const char *what)
{
    char error[300] = "";

    CHECK(trace_set(what, error, sizeof error));
    CHECK(trace_is_on() == (*what != '\0'));
}

/* Whether the message is shown, and then as `line`, which begins with its name. */
static void check_in(struct trace *t, const char *text, const struct wire *wire,
                     const char *line)
{
    struct buf *json = buf_from(text, strlen(text));
    struct buf *b =
        wire == &wire_json ? buf_ref(json) : transcode(slice_buf(json), &wire_json, wire);
    char shown[TRACE_TEXT] = "";
    bool yes = trace_message(t, b, wire, shown);

    if (yes != (line != NULL))
        complain(text, yes ? "should not be shown" : "should be shown");
    else if (yes && strcmp(shown, line) != 0)
        complain(shown, line);
    buf_unref(b);
    buf_unref(json);
}

static void check_line(struct trace *t, const char *text, const char *line)
{
    check_in(t, text, &wire_json, line);
}

static void shows_messages_of_every_format_as_json(void)
{
    struct trace *t;

    set("all");
    t = trace_new();
    for (int i = 0; wire_subprotocols[i]; i++)
        check_in(t, "[48,1,{},\"com.f\",[1,2.5,\"\\u0000YQ==\"],{\"a\":[null,true]}]",
                 wire_of_subprotocol(slice_of(wire_subprotocols[i])),
                 "CALL [48,1,{},\"com.f\",[1,2.5,\"\\u0000YQ==\"],{\"a\":[null,true]}]");
    check_line(t, "[48,1", "? message is not valid JSON: unexpected end at byte 6");
    trace_free(t);
}

static void masks_what_proves_who_somebody_is(void)
{
    struct trace *t;

    set("session,call");
    t = trace_new();
    check_line(t, "[5,\"my ticket\",{\"nonce\":\"x\"}]",
               "AUTHENTICATE [5,\"***\",{\"nonce\":\"x\"}]");
    check_line(
        t, "[1,\"realm1\",{\"roles\":{},\"authextra\":{\"Secret\":{\"a\":[1]},\"b\":1}}]",
        "HELLO [1,\"realm1\",{\"roles\":{},\"authextra\":{\"Secret\":\"***\",\"b\":1}}]");
    check_line(
        t,
        "[48,1,{},\"com.f\",[{\"x\":[{\"pass\\u0077ord\":7}]}],{\"access_token\":[],"
        "\"pass\":1}]",
        "CALL [48,1,{},\"com.f\",[{\"x\":[{\"password\":\"***\"}]}],{\"access_token\":"
        "\"***\",\"pass\":1}]");
    trace_free(t);
}

static void cuts_what_is_long(void)
{
    char text[6000], shown[TRACE_TEXT];
    struct trace *t;
    struct buf *b;
    int n = snprintf(text, sizeof text, "[48,1,{},\"com.f\",[\"%05000d\"]]", 1);

    set("all");
    t = trace_new();
    b = buf_from(text, (size_t)n);
    CHECK(trace_message(t, b, &wire_json, shown));
    CHECK(strlen(shown) == TRACE_TEXT - 1);
    CHECK(!strcmp(shown + TRACE_TEXT - 4, "..."));
    buf_unref(b);
    trace_free(t);
}

static void shows_the_messages_that_are_named(void)
{
    struct trace *t;

    set("call,WELCOME");
    t = trace_new();
    check_line(t, "[50,1,{}]", "RESULT [50,1,{}]");
    check_line(t, "[8,48,1,{},\"a.b\"]", "ERROR [8,48,1,{},\"a.b\"]");
    check_line(t, "[8,32,1,{},\"a.b\"]", NULL);
    check_line(t, "[2,1,{}]", "WELCOME [2,1,{}]");
    check_line(t, "[6,{},\"a.b\"]", NULL);
    check_line(t, "[36,1,2,{}]", NULL);
    trace_free(t);
    set("");
    CHECK(!trace_new());
}

/* Both sides of a client, in the order in which they pass. */
static void a_prefix_shows_what_belongs_to_its_uris(void)
{
    struct trace *t;

    set("uri:com.a");
    t = trace_new();
    check_line(t, "[2,1,{}]", NULL);
    check_line(t, "[64,1,{},\"com.a.f\"]", "REGISTER [64,1,{},\"com.a.f\"]");
    check_line(t, "[64,2,{},\"com.b.f\"]", NULL);
    check_line(t, "[65,1,7]", "REGISTERED [65,1,7]");
    check_line(t, "[65,2,8]", NULL);
    check_line(t, "[68,1,8,{}]", NULL);
    check_line(t, "[70,1,{}]", NULL);
    check_line(t, "[68,2,7,{}]", "INVOCATION [68,2,7,{}]");
    check_line(t, "[69,2,{}]", "INTERRUPT [69,2,{}]");
    check_line(t, "[8,68,2,{},\"x.y\"]", "ERROR [8,68,2,{},\"x.y\"]");
    check_line(t, "[8,68,2,{},\"x.y\"]", NULL);
    check_line(t, "[48,3,{},\"com.a\"]", "CALL [48,3,{},\"com.a\"]");
    check_line(t, "[50,3,{\"progress\":true}]", "RESULT [50,3,{\"progress\":true}]");
    check_line(t, "[49,3,{}]", "CANCEL [49,3,{}]");
    check_line(t, "[50,3,{}]", "RESULT [50,3,{}]");
    check_line(t, "[50,3,{}]", NULL);
    check_line(t, "[32,4,{},\"com.a\"]", "SUBSCRIBE [32,4,{},\"com.a\"]");
    check_line(t, "[33,4,9]", "SUBSCRIBED [33,4,9]");
    check_line(t, "[36,9,1,{}]", "EVENT [36,9,1,{}]");
    check_line(t, "[36,7,1,{}]", NULL);
    check_line(t, "[34,5,9]", "UNSUBSCRIBE [34,5,9]");
    check_line(t, "[35,5]", "UNSUBSCRIBED [35,5]");
    trace_free(t);
}

static void names_what_it_does_not_know(void)
{
    char error[300] = "";

    set("call");
    CHECK(!trace_set("pub,nonsense", error, sizeof error));
    CHECK(strstr(error, "got 'nonsense'") != NULL);
    CHECK(trace_is_on());
    CHECK(!trace_set(",", error, sizeof error));
}

void test_trace(void)
{
    shows_messages_of_every_format_as_json();
    masks_what_proves_who_somebody_is();
    cuts_what_is_long();
    shows_the_messages_that_are_named();
    a_prefix_shows_what_belongs_to_its_uris();
    names_what_it_does_not_know();
    set("");
}
