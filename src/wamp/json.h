/* json.h - what the files of the JSON format share: json.c reads, json_write.c writes,
 * json_number.c turns doubles into text and back. Everybody else uses wire.h. */
#ifndef WAMP_JSON_H
#define WAMP_JSON_H

#include "wamp/wire.h"

/* ---- eight bytes of a string at a time --------------------------------------------- */

#define JSON_ONES 0x0101010101010101ULL
#define JSON_HIGH 0x8080808080808080ULL

/* Not 0 when one of the eight bytes is `"`, `\` or a control character: those that a string
 * cannot hold as they are. (x - ONES) & ~x has a high bit where x has a zero byte; borrows can
 * only add bits above a true one, so the answer to "any?" is exact.) */
static inline uint64_t json_special8(uint64_t w)
{
    uint64_t quote = w ^ (JSON_ONES * '"'), slash = w ^ (JSON_ONES * '\\');

    return (((quote - JSON_ONES) & ~quote) | ((slash - JSON_ONES) & ~slash) |
            ((w - JSON_ONES * 0x20) & ~w)) &
           JSON_HIGH;
}

static inline bool json_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* ---- json_number.c ----------------------------------------------------------------- */

#define JSON_NUMBER_SIZE 40 /* room for any number written, and more */

/* The double nearest to the number [p, end), which has JSON's grammar; infinite when there is
 * none. Does not depend on the locale, nor do those below. */
double json_number_read(const char *p, const char *end);

/* Writes the shortest text that reads back as the same finite double and does not look like an
 * integer; returns its length. */
size_t json_number_write(char out[JSON_NUMBER_SIZE], double f);

size_t json_integer_write(char out[JSON_NUMBER_SIZE], int64_t i);

/* ---- json_write.c: the writing half of wire_json ----------------------------------- */

void json_write_null(struct writer *w);
void json_write_boolean(struct writer *w, bool b);
void json_write_integer(struct writer *w, int64_t i);
void json_write_number(struct writer *w, double f);
void json_write_string(struct writer *w, struct slice utf8);
void json_write_binary(struct writer *w, struct slice bytes);
void json_write_list(struct writer *w, size_t n);
void json_write_list_end(struct writer *w);
void json_write_dict(struct writer *w, size_t n);
void json_write_key(struct writer *w, struct slice utf8);
void json_write_dict_end(struct writer *w);
void json_write_raw(struct writer *w, struct slice value);

#endif
