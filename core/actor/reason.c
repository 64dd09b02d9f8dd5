#include "reason.h"

#include <iris/ext/watch.h>

#include <stdio.h>

char *iris__reason_write(const char *word, const char *metadata, const char *text)
{
    char *reason = NULL;
    int n = asprintf(&reason, "%s%s%s%s%s%s", word, metadata ? " (" : "", metadata ? metadata : "",
                     metadata ? ")" : "", text ? ": " : "", text ? text : "");
    return n < 0 ? NULL : reason;
}

char *iris__reason_pass(const char *given, size_t len, uint64_t from)
{
    iris_reason_parts r;
    size_t n;
    char *reason = NULL;
    iris_reason_split(given, len, &r);
    if (iris_reason_value(&r, "from", &n))
        return asprintf(&reason, "%.*s", (int)len, given) < 0 ? NULL : reason;
    if (asprintf(&reason, "%.*s (%.*s%sfrom=%llu)%s%.*s", (int)r.word_len, r.word,
                 (int)r.metadata_len, r.metadata ? r.metadata : "", r.metadata_len ? ", " : "",
                 (unsigned long long)from, r.text ? ": " : "", (int)r.text_len,
                 r.text ? r.text : "") < 0)
        return NULL;
    return reason;
}

int iris__reason_is(const char *reason, size_t len, const char *word)
{
    iris_reason_parts r;
    iris_reason_split(reason, len, &r);
    return iris_reason_is(&r, word);
}

int iris__reason_is_ordered(const char *reason, size_t len)
{
    iris_reason_parts r;
    size_t n;
    iris_reason_split(reason, len, &r);
    const char *how = iris_reason_value(&r, "how", &n);
    return iris_reason_is(&r, "parent") ||
           (iris_reason_is(&r, "killed") && how && n == 4 && memcmp(how, "stop", 4) == 0);
}
