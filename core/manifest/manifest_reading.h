/* One manifest being read: what the manifest_*.c files share, and nobody else. */
#ifndef IRIS_MANIFEST_MANIFEST_READING_H
#define IRIS_MANIFEST_MANIFEST_READING_H

#include "manifest.h"
#include "manifest_keys.h"
#include "nearest.h"

#include <jansson.h>

#define MANIFEST_SIZE_MAX (1024 * 1024)
#define MANIFEST_PATH_MAX 255
#define MANIFEST_DEPTH_MAX 60                 /* libfyaml refuses 64 */
#define MANIFEST_GROWTH_MAX (4 * 1024 * 1024) /* bytes that variables may add up to */

struct reading {
    struct manifest *m;
    struct problems *problems;
    const struct manifest_set *sets;
    size_t nsets;
    json_t *root;
    json_t *env;         /* variables of --set and of "env", resolved */
    json_t *own;         /* those of the actor that is being read, or NULL */
    int only_env;        /* of an actor only its variables are read */
    json_t *set_keys;    /* what --set has changed: {pointer: "--set KEY"} */
    struct text pointer; /* to what is being read */
    json_t *used;        /* names of the variables that strings refer to: {name: true} */
    size_t grown;        /* by variables */
    json_t *above;       /* manifest_inherit.c: supervisors with something to hand down, by path */
    size_t inherited;    /* bytes that actors got from them */
    int of_defaults;     /* what is read are defaults: no key is missing, some are refused */
    int no_memory;
};

/* ---- manifest.c: memory of the manifest, freed with it; NULL sets no_memory ---- */
void *iris__manifest_alloc(struct reading *, size_t);
char *iris__manifest_copy(struct reading *, const char *, size_t len);

/* ---- manifest_say.c: problems at the pointer ---- */
struct problem *iris__manifest_problem(struct reading *, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void iris__manifest_wrong_kind(struct reading *, const struct manifest_key *, const json_t *);
void iris__manifest_wrong_value(struct reading *, const struct manifest_key *, const json_t *);
/* `what`: "" for the key itself, else with a space behind it. */
void iris__manifest_not_built(struct reading *, const struct manifest_key *, const char *what);
void iris__manifest_unknown_key(struct reading *, const char *where, const char *name);

void iris__manifest_at_key(struct problem *); /* the name is meant, not the value; NULL is fine */

/* Steps the pointer into a member or an element. Returns where to step back to. */
size_t iris__pointer_key(struct text *pointer, const char *key, size_t len);
size_t iris__pointer_index(struct text *pointer, size_t index);
void iris__pointer_back(struct text *pointer, size_t to);

/* ---- manifest_text.c ---- */
int iris__manifest_slurp(const char *file, struct text *out, struct problems *);
json_t *iris__manifest_json(struct reading *); /* NULL: a problem */

/* ---- manifest_syntax.c ---- */
void iris__manifest_syntax(struct reading *, const json_error_t *); /* why it is not JSON */
/* Behind white space; behind the token at `s`: a string, one of []{}:, or what stands together. */
const char *iris__json_skip_space(const char *s, const char *end);
const char *iris__json_token_end(const char *s, const char *end);

/* ---- manifest_position.c: where in the text is what the JSON library read ---- */
struct span {
    size_t offset, width;
};
/* Calls visit() for each value, in the order of the file, with the pointer to it and the place of
 * its key (width 0: an element has none). The text must have passed iris__manifest_json(). */
typedef void manifest_visit(void *arg, const char *pointer, struct span key, struct span value);
int iris__manifest_visit(const char *text, size_t len, manifest_visit *, void *arg);

/* ---- manifest_place.c: what wants to know it ---- */
void iris__manifest_place_elements(struct reading *); /* line and column of actors, supervisors */
/* The key that ends at `offset` stands in its object twice. */
void iris__manifest_duplicate_key(struct reading *, size_t offset);

/* ---- manifest_expand.c ---- */
/* The text with its ${VARIABLES} replaced, in the manifest's memory. NULL: a problem. */
const char *iris__manifest_expand(struct reading *, const char *text);
int iris__manifest_is_variable(const char *name); /* may be one's name */
#define MANIFEST_VARIABLE_RULE \
    "expected a variable's name: letters, digits and \"_\", the first not a digit"
/* The same for all strings inside of a value, in place. -1: a problem. */
int iris__manifest_expand_all(struct reading *, json_t *);

/* ---- manifest_env.c ---- */
void iris__manifest_env(struct reading *); /* fills r->env and m->env */

/* An object of variables, as the text of one JSON object; with those that are kept there already. */
void iris__manifest_variables(struct reading *, const struct manifest_key *, json_t *, void *base);
/* The variables of an actor (or of defaults) before all else of it, because its strings may refer to them; and
 * when all of it is read. */
void iris__manifest_actor_env(struct reading *, json_t *object, struct manifest_actor *,
                              int inherits);
void iris__manifest_actor_env_end(struct reading *);
/* By the one above, already. */
int iris__manifest_is_read(const struct reading *, const char *where, const char *name);

/* ---- manifest_host.c ---- */
void iris__manifest_hosts(struct reading *, const struct manifest_key *, json_t *map);
/* Of a host's keys: a directory, a list of them, an object of the host's own. */
void iris__manifest_directory(struct reading *, const struct manifest_key *, json_t *, void *base);
void iris__manifest_directories(struct reading *, const struct manifest_key *, json_t *,
                                void *base);
void iris__manifest_free_object(struct reading *, const struct manifest_key *, json_t *,
                                void *base);

/* ---- manifest_set.c ---- */
void iris__manifest_apply_sets(struct reading *);
void iris__manifest_check_sets(
    struct reading *); /* when all has been read: variables that nothing uses */

/* ---- manifest_units.c ---- */
/* "250ms" -> nanoseconds, "64KiB" -> bytes. -1: it is not one. */
int iris__duration(const char *text, int64_t *ns);
int iris__size(const char *text, int64_t *bytes);
int iris__duration_ms(int64_t ms, int64_t *ns); /* a bare number is milliseconds */

/* ---- manifest_value.c: one value, as its key wants it ---- */
#define MANIFEST_TEXTS                                                                  \
    (MANIFEST_STRING | MANIFEST_NAME | MANIFEST_LABEL | MANIFEST_HOST | MANIFEST_PATH | \
     MANIFEST_ADDRESS | MANIFEST_REMOTE | MANIFEST_NODE)
/* -1: the key takes no such kind of value (and no problem was noted). */
int iris__manifest_scalar(struct reading *, const struct manifest_key *, json_t *, void *base);
/* What is kept of a string; NULL: it was no good, and that is said. */
typedef const char *iris__manifest_keep(struct reading *, const struct manifest_key *, json_t *);
iris__manifest_keep iris__manifest_text;
/* A list of strings, each of that type. */
int iris__manifest_is_path(const char *, int64_t min); /* min 2: "/" is none */
void iris__manifest_strings(struct reading *, const struct manifest_key *, json_t *, void *base,
                            unsigned type, iris__manifest_keep *);
void iris__manifest_defaults(const char *where, void *base);
/* A list is two members: where its elements are and, next to it, how many. */
void iris__manifest_keep_list(const struct manifest_key *, void *base, void *elements, size_t n);

void iris__manifest_singleton(struct reading *, const json_t *actor, const struct manifest_actor *);
void iris__manifest_singletons(struct reading *); /* the mesh is told of them */
void iris__manifest_keep_json(struct reading *, const struct manifest_key *, const json_t *,
                              void *base); /* as text; NULL: no memory */

/* ---- manifest_check.c: the walk through objects and lists ---- */
void iris__manifest_check(struct reading *);
void iris__manifest_object(struct reading *, const char *where, json_t *object, void *base);
/* One key of an object. */
void iris__manifest_member(struct reading *, const char *where, const char *name, json_t *,
                           void *base);
/* Who an actor is, and what it runs, is its own: no key of "defaults". */
int iris__manifest_is_own(const char *where, const char *name);
int iris__manifest_is_free(const char *name); /* "//" is a comment, x-... is the user's own */

/* ---- manifest_inherit.c ---- */
/* What the actor gets from "shutdown" and "defaults" of the supervisors above its path. */
void iris__manifest_inherit(struct reading *, const json_t *actor, void *base);

/* ---- manifest_logs.c ---- */
void iris__manifest_levels(struct reading *, const struct manifest_key *, json_t *, void *base);
void iris__manifest_logs(struct reading *); /* when all is read: what its keys mean to each other */

/* ---- manifest_metrics.c ---- */
void iris__manifest_metrics(struct reading *); /* when all is read */
/* Of an actor, or of defaults: what its tags may not be, as they become labels. */
void iris__manifest_tags(struct reading *, const json_t *object, const struct manifest_actor *);

/* ---- manifest_secret.c ---- */
/* The value of a variable that is written as an object: {"file": F} or {"secret": TEXT}; it is noted as
 * a secret. NULL: a problem. */
const char *iris__manifest_secret(struct reading *, json_t *object);
void iris__manifest_hide(struct reading *, const char *value);
/* Where it would be shown: a problem, and 1. */
int iris__manifest_shows_secret(struct reading *, const struct manifest_key *, const char *text);

/* ---- manifest_mesh.c ---- */
void iris__manifest_mesh(struct reading *, const struct manifest_key *, json_t *, void *base);
/* A list of addresses, each a string or an object. */
void iris__manifest_addresses(struct reading *, const struct manifest_key *, json_t *, void *base);
/* Of an actor: the two parts of "remote". */
void iris__manifest_remote(struct reading *, const json_t *actor, struct manifest_actor *);
int iris__manifest_is_address(const char *); /* HOST:PORT */
int iris__manifest_is_node(const char *);

/* ---- manifest_handler.c ---- */
void iris__manifest_handler(struct reading *, struct manifest_actor *);
const char *iris__manifest_relative(struct reading *, const char *path, size_t len);

/* ---- manifest_timer.c: what keys of one object mean to each other ---- */
void iris__manifest_timer(struct reading *, json_t *object, struct manifest_timer *);
void iris__manifest_begins(struct reading *, const struct manifest_actor *);

/* ---- manifest_order.c: what only the whole shows ---- */
void iris__manifest_order(struct reading *);

/* ---- manifest_instances.c ---- */
void iris__manifest_route(struct reading *, const json_t *object, struct manifest_actor *);
/* At the end: several instances become several actors. */
void iris__manifest_instances(struct reading *);

#endif
