#include "fail.h"
#include "keys.h"

#include <iris/app.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Keys that stand inside of this one. */
static const struct manifest_key *next_inside(const struct manifest_key *k,
                                              const struct manifest_key *after)
{
    const struct manifest_key *i = after ? after + 1 : iris__manifest_keys;
    for (; k->child && i->name; i++)
        if (!strcmp(i->where, k->child) && !i->planned)
            return i;
    return NULL;
}

static void add_inside(const struct manifest_key *k, struct text *out)
{
    for (const struct manifest_key *i = NULL; (i = next_inside(k, i));)
        iris__text_addf(out, "  %-14s %s\n", i->name, i->meaning);
}

/* What `iris apply` does about it. */
static const struct {
    const char *word, *words;
} lives[] = {
    [MANIFEST_NOTHING] = {NULL, NULL},
    [MANIFEST_AT_ONCE] = {"at-once", "at once"},
    [MANIFEST_SWAPS] = {"swap", "by a swap: its state and mail stay"},
    [MANIFEST_RESTARTS] = {"restart", "by a restart in place: its mail stays"},
    [MANIFEST_FIXED] = {"refused", "refused while it runs"},
};

/* ---- for people ---- */

static void add_text(const struct manifest_key *k, struct text *out)
{
    struct text path = {0}, value = {0};
    iris__key_path(k, &path);
    iris__key_value(k, &value);
    iris__text_addf(out, "%s: %s\n\n", path.data ? path.data : k->name, k->meaning);
    iris__text_addf(out, "  value    %s\n", value.data ? value.data : "");
    if (k->required)
        iris__text_addf(out, "  must be there\n");
    else if (k->def)
        iris__text_addf(out, "  default  %s\n", k->def);
    if (lives[k->live].words)
        iris__text_addf(out, "  apply    %s\n", lives[k->live].words);
    if (k->planned)
        iris__text_addf(out,
                        "  it is part of the plan, but not built yet: `iris check` refuses it\n");
    if (k->more)
        iris__text_addf(out, "\n%s\n", k->more);
    if (next_inside(k, NULL))
        iris__text_addf(out, "\nkeys inside:\n");
    add_inside(k, out);
    iris__text_finish(&path);
    iris__text_finish(&value);
}

/* ---- for programs ---- */

static json_t *names_inside(const struct manifest_key *k)
{
    json_t *names = json_array();
    for (const struct manifest_key *i = NULL; (i = next_inside(k, i));) {
        struct text path = {0};
        iris__key_path(i, &path);
        json_array_append_new(names, json_string(path.data ? path.data : i->name));
        iris__text_finish(&path);
    }
    return names;
}

static void add_json(const struct manifest_key *k, struct text *out)
{
    struct text path = {0}, value = {0};
    iris__key_path(k, &path);
    iris__key_value(k, &value);
    json_t *all = json_pack("{s:i, s:s*, s:s, s:s*, s:s*, s:b, s:b, s:s*, s:s*, s:o}", "iris", 1,
                            "key", path.data, "meaning", k->meaning, "value", value.data, "default",
                            k->def, "required", k->required, "built", !k->planned, "apply",
                            lives[k->live].word, "more", k->more, "keys", names_inside(k));
    char *line = all ? json_dumps(all, JSON_COMPACT) : NULL;
    if (line)
        iris__text_addf(out, "%s\n", line);
    free(line);
    json_decref(all);
    iris__text_finish(&path);
    iris__text_finish(&value);
}

int iris_app_explain_key(const char *typed, int json, void (*write)(void *ctx, const char *text),
                         void *ctx)
{
    const struct manifest_key *k = iris__key_find(typed);
    struct text out = {0};
    if (!k)
        return IRIS_EXIT_NO_TARGET;
    (json ? add_json : add_text)(k, &out);
    if (out.data)
        write(ctx, out.data);
    iris__text_finish(&out);
    return IRIS_EXIT_OK;
}

/* ---- iris-app.json(5), in the notation of scdoc ---- */

static void add_escaped(struct text *out, const char *text)
{
    if (text && *text == '-') /* no list begins here */
        iris__text_add(out, "\\", 1);
    for (; text && *text; text++) {
        if (strchr("_*\\#[|`", *text))
            iris__text_add(out, "\\", 1);
        iris__text_add(out, *text == '\n' ? " " : text, 1);
    }
}

static void add_entry(struct text *out, const struct manifest_key *k)
{
    struct text value = {0};
    iris__key_value(k, &value);
    iris__text_addf(out, "*");
    add_escaped(out, k->name);
    iris__text_addf(out, "*\n\t");
    add_escaped(out, k->meaning);
    iris__text_addf(out, ".++\nValue: ");
    add_escaped(out, value.data);
    if (k->def)
        iris__text_addf(out, ". Default: "), add_escaped(out, k->def);
    iris__text_addf(out, k->required ? ". It must be there." : ".");
    if (lives[k->live].words)
        iris__text_addf(out, " On *iris apply*: %s.", lives[k->live].words);
    iris__text_addf(out, "\n\n");
    if (k->more)
        iris__text_addf(out, "\t"), add_escaped(out, k->more), iris__text_addf(out, "\n\n");
    iris__text_finish(&value);
}

static int begins_section(const struct manifest_key *k)
{
    for (const struct manifest_key *i = iris__manifest_keys; i < k; i++)
        if (!i->planned && !strcmp(i->where, k->where))
            return 0;
    return !k->planned;
}

static void add_section(struct text *out, const char *where)
{
    iris__text_addf(out, *where ? "## " : "## At the top");
    iris__key_where(where, out);
    iris__text_addf(out, "\n\n");
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!k->planned && !strcmp(k->where, where))
            add_entry(out, k);
}

void iris_app_manual(void (*write)(void *ctx, const char *text), void *ctx)
{
    struct text out = {0};
    iris__text_addf(&out,
                    "iris-app.json(5)\n\n# NAME\n\niris-app.json - the manifest of an app of "
                    "iris(1)\n\n# DESCRIPTION\n\n"
                    "A manifest is one JSON object in UTF-8. It names actors, how each is "
                    "started and stopped, and who restarts it. A key that is not known is an "
                    "error; one that begins with \"//\" or \"x-\" is the user's own. Durations "
                    "and sizes carry a unit (250ms, 5s, 64KiB). In strings, ${NAME}, "
                    "${NAME:-DEFAULT} and ${NAME:?MESSAGE} stand for variables, $$ for $.\n\n"
                    "*iris check* tells every mistake of one, with its place. *iris explain* "
                    "_KEY_ tells what is below, of one key.\n\n# EXAMPLE\n\n"
                    "```\n{\"actors\": [{\"path\": \"/hello\", \"handler\": "
                    "\"hello.py:on_msg\"}]}\n```\n\n# KEYS\n\n");
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (begins_section(k))
            add_section(&out, k->where);
    iris__text_addf(&out, "# SEE ALSO\n\n*iris*(1)\n");
    if (out.data)
        write(ctx, out.data);
    iris__text_finish(&out);
}
