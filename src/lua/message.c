/* message.c - message objects of Lua to bytes and back. See message.h.
 *
 * The idea: a row's shape says what each element is, the class what its field is called,
 * so one loop over both reads or writes any message. What is wrong with a field is said
 * by the class, which also guards assignments. */
#include "lua/message.h"

#include <lauxlib.h>

#include "base/mem.h"
#include "lua/errors.h"
#include "lua/l_client.h"

static const char KEY_CLASSES; /* registry: code -> class */

/* ---- to Lua ------------------------------------------------------------------------ */

/* Pushes an element; false (nothing pushed) when it is absent. */
static bool push_element(lua_State *L, const struct msg *m, char letter)
{
    switch (letter) {
    case 'r':
    case 'z':
        lua_pushinteger(L, (lua_Integer)m->request);
        return true;
    case 'i':
    case 'h':
        lua_pushinteger(L, (lua_Integer)m->id);
        return true;
    case 'p':
        lua_pushinteger(L, (lua_Integer)m->publication);
        return true;
    case 't':
        lua_pushinteger(L, m->type);
        return true;
    case 'u':
        lua_pushlstring(L, m->uri.p, m->uri.n);
        return true;
    case 's':
        lua_pushlstring(L, m->text.p, m->text.n);
        return true;
    case 'd':
    case 'D':
        if (m->dict.p)
            push_value(L, m->wire, m->dict);
        return m->dict.p != NULL;
    case 'A':
        if (m->args.p)
            push_value(L, m->wire, m->args);
        return m->args.p != NULL;
    default:
        if (m->kwargs.p)
            push_value(L, m->wire, m->kwargs);
        return m->kwargs.p != NULL;
    }
}

void push_decoded(lua_State *L, const struct msg *m)
{
    const char *shape = m->row->shape;

    luaL_checkstack(L, 8, "message");
    lua_createtable(L, 0, 6);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_CLASSES);
    lua_rawgeti(L, -1, m->row->code);
    lua_remove(L, -2);
    lua_getfield(L, -1, "fields"); /* object class fields */
    for (int i = 0; shape[i]; i++) {
        lua_rawgeti(L, -1, i + 1); /* object class fields name */
        if (push_element(L, m, shape[i]))
            lua_rawset(L, -5);
        else
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_setmetatable(L, -2);
}

void push_message(lua_State *L, const struct wire *wire, struct slice bytes)
{
    struct buf *b = buf_from(bytes.p, bytes.n);
    struct fault f;
    struct msg m;

    msg_decode(&m, wire, b, &f);
    buf_unref(b);
    push_decoded(L, &m);
    msg_fini(&m);
}

/* ---- from Lua ---------------------------------------------------------------------- */

struct object {
    lua_State *L;
    int idx, class, fields; /* stack indexes */
    const struct msg_row *row;
    struct writer *w;
    uint64_t *next;
};

/* The class says what is wrong with the field at the top of the stack; it raises. */
static void complain(const struct object *o, const char *name)
{
    lua_State *L = o->L;

    lua_getfield(L, o->class, "check");
    lua_pushvalue(L, o->class);
    lua_pushstring(L, name);
    lua_pushvalue(L, -4); /* value check class name value */
    lua_call(L, 3, 0);
}

/* The request id; a request may lack it until it is sent. */
static void write_request(const struct object *o, const char *name)
{
    lua_State *L = o->L;
    bool asks = o->row->answer && (o->row->from & FROM_CLIENT);

    if (lua_isnil(L, -1) && asks && o->next) {
        writer_int(o->w, (int64_t)*o->next);
    } else if (lua_isnil(L, -1) && asks) {
        writer_null(o->w);
    } else {
        if (!lua_isinteger(L, -1))
            complain(o, name);
        if (o->next)
            *o->next = (uint64_t)lua_tointeger(L, -1);
        writer_int(o->w, lua_tointeger(L, -1));
    }
}

static bool is_empty(lua_State *L)
{
    lua_pushnil(L);
    if (!lua_next(L, -2))
        return true;
    lua_pop(L, 2);
    return false;
}

/* A dict, list of arguments or keyword arguments; an empty list says what it is. */
static void write_container(const struct object *o, char letter, const char *name)
{
    lua_State *L = o->L;

    if (lua_isnil(L, -1) || is_empty(L)) {
        if (letter == 'A') {
            writer_list(o->w, 0);
            writer_list_end(o->w);
        } else {
            writer_dict(o->w, 0);
            writer_dict_end(o->w);
        }
        return;
    }
    write_value(L, o->w, -1, name);
}

/* Writes the field at the top of the stack. */
static void write_field(const struct object *o, char letter, const char *name)
{
    lua_State *L = o->L;
    bool number = lua_isinteger(L, -1), text = lua_type(L, -1) == LUA_TSTRING;

    switch (letter) {
    case 'r':
        write_request(o, name);
        return;
    case 'z':
    case 'i':
    case 'h':
    case 'p':
    case 't':
        if (!number)
            complain(o, name);
        writer_int(o->w, lua_tointeger(L, -1));
        return;
    case 'u':
    case 's':
        if (!text)
            complain(o, name);
        write_value(L, o->w, -1, name);
        return;
    default:
        if (!lua_isnil(L, -1) && !lua_istable(L, -1))
            complain(o, name);
        write_container(o, letter, name);
        return;
    }
}

/* Pushes the name and the value of a field. */
static const char *push_field(const struct object *o, int i)
{
    lua_rawgeti(o->L, o->fields, i + 1);
    lua_pushvalue(o->L, -1);
    lua_rawget(o->L, o->idx);
    return lua_tostring(o->L, -2);
}

/* How many elements are written: those that may be absent are not, at the end. */
static int count_fields(const struct object *o)
{
    int n = (int)lua_rawlen(o->L, o->fields);

    for (; n > 0; n--) {
        char letter = o->row->shape[n - 1];
        bool absent;

        push_field(o, n - 1);
        absent = lua_isnil(o->L, -1);
        lua_pop(o->L, 2);
        if (!absent || (letter != 'D' && letter != 'A' && letter != 'K'))
            break;
    }
    return n;
}

/* The row of the class at the top of the stack; NULL when it is none of ours. */
static const struct msg_row *row_of_class(lua_State *L)
{
    lua_Integer code;

    lua_pushliteral(L, "WAMP_CODE");
    lua_rawget(L, -2);
    code = lua_tointeger(L, -1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_CLASSES);
    lua_rawgeti(L, -1, code); /* class code classes class? */
    code = lua_rawequal(L, -1, -4) ? code : -1;
    lua_pop(L, 3);
    return msg_row(code);
}

static void open_object(struct object *o, int idx)
{
    lua_State *L = o->L;

    luaL_checkstack(L, 12, "message");
    o->idx = lua_absindex(L, idx);
    if (!lua_istable(L, o->idx) || !lua_getmetatable(L, o->idx))
        luaL_typeerror(L, idx, "message of wampy.messages");
    o->class = lua_gettop(L);
    o->row = row_of_class(L);
    if (!o->row)
        luaL_typeerror(L, idx, "message of wampy.messages");
    lua_getfield(L, o->class, "fields");
    o->fields = o->class + 1;
}

struct slice check_object(lua_State *L, struct state *S, const struct wire *wire, int idx,
                          uint64_t *next)
{
    struct object o = { .L = L, .next = next, .w = scratch_writer(S, wire) };
    int n;

    open_object(&o, idx);
    n = count_fields(&o);
    writer_list(o.w, (size_t)n + 1);
    writer_int(o.w, o.row->code);
    for (int i = 0; i < n; i++) {
        write_field(&o, o.row->shape[i], push_field(&o, i));
        lua_pop(L, 2);
    }
    writer_list_end(o.w);
    lua_pop(L, 2);
    return slice_buf(o.w->buf);
}

struct buf *check_message(lua_State *L, struct l_client *lc, int idx, uint64_t *next)
{
    struct slice bytes = check_object(L, lc->S, lc->wire, idx, next);

    return buf_from(bytes.p, bytes.n);
}

/* ---- the grammar ------------------------------------------------------------------- */

static void push_row(lua_State *L, const struct msg_row *row)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, row->code);
    lua_setfield(L, -2, "code");
    lua_pushstring(L, row->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, row->shape);
    lua_setfield(L, -2, "shape");
    lua_pushboolean(L, row->from & FROM_CLIENT);
    lua_setfield(L, -2, "client");
    lua_pushboolean(L, row->answer != 0);
    lua_setfield(L, -2, "answer");
}

/* core.set_messages(classes): hands in the classes of lua/wampy/messages.lua, by code */
static int l_set_messages(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_CLASSES);
    return 0;
}

/* core.message_list(object) -> the list as it is sent; null for an id not given yet */
static int l_message_list(lua_State *L)
{
    struct slice bytes = check_object(L, state_of(L), &wire_json, 1, NULL);

    lua_pushlstring(L, bytes.p, bytes.n); /* anchored while it is read */
    push_value(L, &wire_json, check_slice(L, -1));
    return 1;
}

static const luaL_Reg functions[] = { { "set_messages", l_set_messages },
                                      { "message_list", l_message_list },
                                      { NULL, NULL } };

void message_open(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
    lua_createtable(L, (int)msg_row_count, 0); /* core.messages: the rows */
    for (unsigned i = 0; i < msg_row_count; i++) {
        push_row(L, &msg_rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "messages");
}
