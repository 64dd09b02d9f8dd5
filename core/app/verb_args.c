#include "verb_args.h"

#include "fail.h"

#include <iris/app.h>

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define TIMEOUT_MAX INT64_C(86400000) /* ms: a day */
#define TARGET_MAX 255

int iris__verb_word(const json_t *body, const char *key, size_t max, const char **out)
{
    const json_t *v = json_object_get(body, key);
    if (!v)
        return IRIS_OK;
    if (!json_is_string(v) || !json_string_length(v))
        return iris__fail("\"%s\": expected a string that is not empty", key);
    if (json_string_length(v) > max || strlen(json_string_value(v)) != json_string_length(v))
        return iris__fail("\"%s\": expected up to %zu characters, none of them NUL", key, max);
    *out = json_string_value(v);
    return IRIS_OK;
}

int iris__verb_flag(const json_t *body, const char *key, int *out)
{
    const json_t *v = json_object_get(body, key);
    if (v && !json_is_boolean(v))
        return iris__fail("\"%s\": expected true or false", key);
    *out = json_is_true(v);
    return IRIS_OK;
}

int iris__verb_number(const json_t *body, const char *key, int64_t max, int64_t *out)
{
    const json_t *v = json_object_get(body, key);
    if (!v)
        return IRIS_OK;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
        return iris__fail("\"%s\": expected a whole number from 0 to %lld", key, (long long)max);
    *out = json_integer_value(v);
    return IRIS_OK;
}

static int decode(const json_t *v, struct verb_args *a)
{
    size_t len = json_string_length(v);
    a->decoded = malloc(len + 1);
    long n = a->decoded ? iris_base64_decode(a->decoded, json_string_value(v), len) : -1;
    if (n < 0)
        return iris__fail("\"data_base64\": expected base64 (RFC 4648, padded)");
    a->data = a->decoded;
    a->len = (size_t)n;
    return IRIS_OK;
}

static int take_data(const json_t *body, struct verb_args *a)
{
    const json_t *text = json_object_get(body, "data"), *b = json_object_get(body, "data_base64");
    if (text && b)
        return iris__fail("\"data\" and \"data_base64\": expected one of them");
    if ((text && !json_is_string(text)) || (b && !json_is_string(b)))
        return iris__fail("\"%s\": expected a string", text ? "data" : "data_base64");
    if (b)
        return decode(b, a);
    a->data = text ? json_string_value(text) : "";
    a->len = text ? json_string_length(text) : 0;
    return IRIS_OK;
}

static int take_state(const json_t *body, struct verb_args *a)
{
    const char *state = "current";
    if (iris__verb_word(body, "state", 16, &state))
        return IRIS_FAIL;
    a->snapshot = strcmp(state, "snapshot") == 0;
    if (!a->snapshot && strcmp(state, "current") != 0)
        return iris__fail("\"state\": expected \"current\" or \"snapshot\"");
    return IRIS_OK;
}

int iris__verb_args(const json_t *body, struct verb_args *a)
{
    int64_t ms = 30000, steps = 1;
    *a = (struct verb_args){0};
    if (iris__verb_word(body, "target", TARGET_MAX, &a->target) ||
        iris__verb_word(body, "handler", 4000, &a->handler) ||
        iris__verb_word(body, "migrate", 4000, &a->migrate) ||
        iris__verb_word(body, "cwd", 4000, &a->cwd) || iris__verb_flag(body, "now", &a->now) ||
        iris__verb_flag(body, "cancel", &a->cancel) ||
        iris__verb_number(body, "timeout_ms", TIMEOUT_MAX, &ms) ||
        iris__verb_number(body, "steps", 1000, &steps) || take_state(body, a) || take_data(body, a))
        return IRIS_FAIL;
    a->timeout = ms * MS;
    a->steps = (uint32_t)steps;
    return IRIS_OK;
}

void iris__verb_args_finish(struct verb_args *a)
{
    free(a->decoded);
    a->decoded = NULL;
}

int64_t iris__verb_since(const char *query)
{
    static const char key[] = "since=";
    for (const char *at = query; *at; at += strcspn(at, "&"), at += *at == '&') {
        if (strncmp(at, key, sizeof key - 1))
            continue;
        char *end;
        const char *digits = at + sizeof key - 1;
        if (*digits < '0' || *digits > '9')
            return -1;
        long long n = strtoll(digits, &end, 10);
        return *end == '\0' || *end == '&' ? n : -1;
    }
    return 0;
}
