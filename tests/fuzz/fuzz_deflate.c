/* fuzz_deflate.c - compressed messages. It covers what there is of ws_deflate.c without a
 * connection.
 *
 * The first octet is the limit. What is laid out is within it, whatever the rest says,
 * and takes no more room than that; and when it is compressed again, it is laid out as
 * the same. */
#include <stdlib.h>
#include <string.h>

#include "net/ws_private.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void again(struct ws_net *net, const struct buf *whole)
{
    struct buf *packed = ws_deflate(net, slice_buf(whole)), *back;

    if (!packed)
        return;
    check(packed->len < whole->len);
    check(ws_inflate(net, slice_buf(packed), whole->len, &back) == WS_INFLATED);
    check(slice_eq(slice_buf(back), slice_buf(whole)));
    buf_unref(back);
    check(ws_inflate(net, slice_buf(packed), whole->len - 1, &back) ==
          WS_INFLATED_TOO_LONG);
    buf_unref(packed);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct ws_net net; /* its compressor is kept, as it is for all connections */
    struct buf *whole;
    size_t max;

    if (!size)
        return 0;
    max = (size_t)1 << (data[0] & 15);
    if (ws_inflate(&net, (struct slice){ (const char *)data + 1, size - 1 }, max,
                   &whole) != WS_INFLATED)
        return 0;
    check(whole->len <= max && whole->cap <= 2 * (max + 4096));
    again(&net, whole);
    buf_unref(whole);
    return 0;
}
