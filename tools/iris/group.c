#include "group.h"

#include "client.h"
#include "term.h"

#include <iris/app.h>

#include <string.h>

int is_pattern(const char *target)
{
    return strchr(target, '*') != NULL;
}

static void say_failures(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "failures"), *one;
    long long more = number_of(answer, "failed") - (long long)json_array_size(list);
    size_t i;
    json_array_foreach(list, i, one)
        say_errorf(NULL, "%s: %s", text_of(one, "path"), text_of(one, "why"));
    if (more > 0)
        say_errorf(NULL, "and %lld more", more);
}

static void say(const char *pattern, const json_t *answer, const char *done)
{
    long long left = number_of(answer, "left");
    printf("%s  %lld of %lld actors %s in %.1f ms; ", pattern, number_of(answer, done),
           number_of(answer, "matched"), done, (double)number_of(answer, "ns") / 1e6);
    say_advice(stdout, "what runs: iris ps");
    putchar('\n');
    say_failures(answer);
    if (left)
        say_errorf("wait longer with --timeout 2m", "the time was over before %lld of them", left);
}

int call_group(const struct common *c, const char *request, const char *pattern, const char *done)
{
    json_t *answer, *body = json_pack("{s:s, s:I}", "pattern", pattern, "timeout_ms",
                                      (json_int_t)c->timeout_ms);
    struct common quiet = *c;
    quiet.quiet = 1; /* what failed makes the status another one */
    int status = client_call(&quiet, "POST", request, body, &answer);
    if (!answer)
        return status;
    if (number_of(answer, "failed"))
        status = IRIS_EXIT_FAILED;
    else if (number_of(answer, "left"))
        status = IRIS_EXIT_TIMEOUT;
    if (c->json)
        client_print(json_incref(answer));
    else
        say(pattern, answer, done);
    json_decref(answer);
    return status;
}
