/* json.h - what the files of the JSON format share: json.c makes tokens, json_scan.c
 * knows the grammar, json_write.c writes, json_number.c turns doubles into text and back.
 * Everybody else uses wire.h. */
#ifndef WAMP_JSON_H
#define WAMP_JSON_H

#include "wamp/wire.h"

/* ---- eight bytes of a string at a time --------------------------------------------- *
 * Bit tricks on a word that holds eight bytes, the first one lowest. A mask has the high
 * bit of a byte set where the byte is sought. x - ONES has it where x has a zero byte;
 * borrows come from such a byte and go upwards, so masks are exact up to and including
 * the first byte set. */

#define JSON_ONES 0x0101010101010101ULL
#define JSON_HIGH 0x8080808080808080ULL

/* Compilers make one load of it. */
static inline uint64_t json_load8(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
           (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* The bytes in front of the first one set in a mask that is not 0: the ones of the bytes
 * below its lowest bit, added up in the top byte. */
static inline size_t json_first8(uint64_t mask)
{
    return ((((mask & (0 - mask)) >> 7) - 1) & JSON_ONES) * JSON_ONES >> 56;
}

static inline bool json_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* ---- the state of a reader --------------------------------------------------------- */

/* r->state, see json.c; reader_init makes it 0. */
enum { JSON_VALUE, JSON_FIRST, JSON_AFTER };

/* ---- json_scan.c ------------------------------------------------------------------- *
 * From where something begins to where it has ended; NULL with r->error and r->p set if
 * it is not what it should be. */

static inline const char *json_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ')
        return p; /* nearly always */
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* From behind the opening quote to the closing one; sets *escaped if there is an
 * escape. */
const char *json_scan_string(struct reader *r, const char *p, bool *escaped);

/* From the opening quote to behind the colon. */
const char *json_scan_key(struct reader *r, const char *p, struct slice *text,
                          bool *escaped);
const char *json_scan_literal(struct reader *r, const char *p, const char *word);

/* *integral: it has neither fraction nor exponent. */
const char *json_scan_number(struct reader *r, const char *start, bool *integral);

/* The code point of the \u escape at p, two of them for a surrogate pair; -1 if it is
 * none. */
int32_t json_unicode(const char *p, size_t n);

bool json_skip(struct reader *r, struct slice *value); /* reader_skip */

/* ---- json_number.c ----------------------------------------------------------------- */

#define JSON_NUMBER_SIZE 40 /* room for any number written, and more */

/* The double nearest to the number [p, end), which has JSON's grammar; infinite when
 * there is none. Does not depend on the locale, nor do those below. */
double json_number_read(const char *p, const char *end);

/* Writes the shortest text that reads back as the same finite double and does not look
 * like an integer; returns its length. */
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
