/* Any bytes are either a whole save or are refused with a sentence, and nothing of them is kept: see P10. Mutations
 * seldom hit the sum of the bytes, so each input is tried with its sum made right, too. */
#include "fail.h"
#include "hash.h"
#include "saved.h"

#include <iris/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth)
        abort();
}

/* All bytes belong to somebody, and all messages can be read. */
static void check(const struct saved *s, size_t bytes)
{
    size_t sum = 0;
    must(s->app && s->iris && s->time && s->actors);
    for (size_t i = 0; i < s->n; i++) {
        const struct saved_actor *a = &s->actors[i];
        struct saved_message m;
        size_t at = 0;
        uint32_t n = 0;
        must(a->path && a->handler && a->host && (a->has_state || !a->state.len));
        while (iris__saved_next(a, &at, &m)) {
            must(m.data >= a->mail.data && m.data + m.len <= a->mail.data + a->mail.len);
            n++;
        }
        must(n == a->messages && at == a->mail.len);
        sum += a->state.len + a->mail.len;
    }
    must(sum == bytes);
}

static void try(const char *data, size_t size)
{
    static const char name[] = "dir/shop.save: ";
    static const struct saved none;
    struct saved s;
    const char *end = memchr(data, '\n', size);
    iris__fail("nothing");
    if (iris__saved_parse(&s, "dir/shop.save", data, size)) {
        must(!memcmp(&s, &none, sizeof s) && !strncmp(iris__reason(), name, sizeof name - 1));
        return;
    }
    must(end != NULL);
    check(&s, size - (size_t)(end + 1 - data));
    iris__saved_finish(&s);
}

/* The sum that its first line tells becomes that of its bytes. 0: it tells none. */
static int mend(char *data, size_t size)
{
    static const char key[] = "\"sum\":\"";
    const size_t digits = 16;
    char *end = memchr(data, '\n', size), sum[24];
    char *at = end ? memmem(data, (size_t)(end - data), key, sizeof key - 1) : NULL;
    if (!at || (size_t)(end - at) < sizeof key - 1 + digits)
        return 0;
    snprintf(sum, sizeof sum, "%016" PRIx64,
             iris__hash_bytes(end + 1, size - (size_t)(end + 1 - data)));
    memcpy(at + sizeof key - 1, sum, digits);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    must(copy != NULL);
    memcpy(copy, data, size);
    try(copy, size);
    if (mend(copy, size))
        try(copy, size);
    free(copy);
    return 0;
}
