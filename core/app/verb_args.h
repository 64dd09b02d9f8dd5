/* What a client may say to a verb: one set of members for all verbs, checked before any of them runs. */
#ifndef IRIS_APP_VERB_ARGS_H
#define IRIS_APP_VERB_ARGS_H

#include <jansson.h>
#include <stdint.h>

struct verb_args { /* texts belong to the body */
    const char *target, *handler, *migrate, *cwd;
    const void *data; /* of "data", or of "data_base64" */
    size_t len;
    int64_t timeout; /* ns; from "timeout_ms", 30 s without */
    uint32_t steps;
    int now, cancel, snapshot;
    void *decoded; /* heap */
};

/* IRIS_OK, or IRIS_FAIL with the reason. Members of other names are left alone. */
int iris__verb_args(const json_t *body, struct verb_args *);
void iris__verb_args_finish(struct verb_args *);

/* One member each: where it is not there, *out stays as it is. IRIS_OK, or IRIS_FAIL with the reason: it is not
 * what was expected. The text is the body's. */
int iris__verb_word(const json_t *body, const char *key, size_t max, const char **out);
int iris__verb_flag(const json_t *body, const char *key, int *out);
int iris__verb_number(const json_t *body, const char *key, int64_t max, int64_t *out);

/* "since=41" -> 41; 0 where it is not there; -1: not a number. */
int64_t iris__verb_since(const char *query);

#endif
