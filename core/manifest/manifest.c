#include "manifest.h"

#include "manifest_reading.h"
#include "redact.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- memory ---- */

struct manifest_block {
    struct manifest_block *next;
    max_align_t data[];
};

static void *add_block(struct manifest *m, size_t size)
{
    struct manifest_block *b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->next = m->blocks;
    m->blocks = b;
    return b->data;
}

void *iris__manifest_alloc(struct reading *r, size_t size)
{
    void *p = add_block(r->m, size);
    if (!p)
        r->no_memory = 1;
    return p;
}

char *iris__manifest_copy(struct reading *r, const char *s, size_t len)
{
    char *copy = iris__manifest_alloc(r, len + 1);
    return copy ? memcpy(copy, s, len) : NULL;
}

size_t iris__manifest_index(const struct manifest *m, const char *path)
{
    size_t i = 0;
    while (i < m->nactors && strcmp(m->actors[i].path, path) != 0)
        i++;
    return i;
}

void iris__manifest_free(struct manifest *m)
{
    for (struct manifest_block *b = m ? m->blocks : NULL, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(m);
}

/* ---- what follows from where the file is ---- */

/* A link to the file is followed by whoever opens it; what is relative is so to the name given. */
static void find_directory(struct reading *r)
{
    const char *file = r->m->file, *slash = strrchr(file, '/');
    size_t n = slash == file ? 1 : slash ? (size_t)(slash - file) : 1;
    char *dir = iris__manifest_copy(r, slash ? file : ".", n);
    char *real = dir ? realpath(dir, NULL) : NULL;
    r->m->dir = real ? iris__manifest_copy(r, real, strlen(real)) : dir;
    free(real);
}

/* "My App_2" -> "my-app-2". */
static void name_after_directory(struct reading *r)
{
    const char *s = r->m->dir ? strrchr(r->m->dir, '/') : NULL;
    char name[64] = "";
    size_t n = 0;
    for (s = s ? s + 1 : ""; *s && n < sizeof name - 1; s++) {
        char c = (char)tolower((unsigned char)*s);
        int letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (letter || (n && digit))
            name[n++] = c;
        else if (n && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n && name[n - 1] == '-')
        n--;
    r->m->name = iris__manifest_copy(r, n ? name : "app", n ? n : 3);
}

/* The kernel's limit; told here, because later it would be an unclear failure of the server. */
static void find_socket(struct reading *r)
{
    const char *s = r->m->socket;
    if (!s)
        return;
    r->m->socket = s = iris__manifest_relative(r, s, strlen(s));
    if (!s || strlen(s) <= 107)
        return;
    size_t back = iris__pointer_key(&r->pointer, "control", 7);
    iris__pointer_key(&r->pointer, "socket", 6);
    iris__manifest_problem(r, "bad-value", "found a path of %zu bytes; expected at most 107",
                           strlen(s));
    iris__pointer_back(&r->pointer, back);
}

/* Half of it would let nobody in, or be without effect. */
static void check_shared(struct reading *r)
{
    const struct manifest *m = r->m;
    int shared = m->socket_mode == MANIFEST_SHARED;
    const char *key = shared ? "mode" : "group";
    if (shared ? m->group && m->socket : !m->group)
        return;
    size_t back = iris__pointer_key(&r->pointer, "control", 7);
    iris__pointer_key(&r->pointer, key, strlen(key));
    if (!shared)
        iris__manifest_problem(r, "bad-value",
                               "is without effect; expected \"mode\": \"0660\" beside it");
    else if (!m->group)
        iris__manifest_problem(r, "bad-value",
                               "\"0660\" wants a \"group\" beside it, whose members may connect");
    else
        iris__manifest_problem(
            r, "bad-value",
            "\"0660\" wants a \"socket\" beside it, in a directory of its own: the usual "
            "one is for this user alone");
    iris__pointer_back(&r->pointer, back);
}

/* ---- reading ---- */

static void read_root(struct reading *r)
{
    if (json_is_object(r->root)) {
        iris__manifest_apply_sets(r);
        iris__manifest_env(r);
    }
    iris__manifest_defaults("logs", r->m);
    iris__manifest_defaults("metrics", r->m);
    iris__manifest_defaults("process", r->m);
    r->m->logs.to = MANIFEST_TO_ANY;
    iris__manifest_check(r);
    find_socket(r);
    iris__manifest_logs(r);
    iris__manifest_metrics(r);
    check_shared(r);
    if (!r->m->name)
        name_after_directory(r);
    iris__manifest_place_elements(r);
    iris__manifest_order(r);
    iris__manifest_instances(r);
    iris__manifest_singletons(r);
    iris__manifest_check_sets(r);
}

static void read_text(struct reading *r)
{
    find_directory(r);
    r->root = iris__manifest_json(r);
    r->env = json_object();
    r->set_keys = json_object();
    r->used = json_object();
    if (!r->env || !r->set_keys || !r->used)
        r->no_memory = 1;
    else if (r->root)
        read_root(r);
    if (r->no_memory)
        iris__problem_add(r->problems, r->m->file, "", "no-memory", "no memory is left");
    if (r->root)
        iris__manifest_locate(r->m, r->problems);
    json_decref(r->root);
    json_decref(r->env);
    json_decref(r->set_keys);
    json_decref(r->used);
    json_decref(r->above);
    iris__text_finish(&r->pointer);
}

int iris__manifest_parse(const char *file, const char *text, size_t len,
                         const struct manifest_set *sets, size_t nsets, struct manifest **out,
                         struct problems *problems)
{
    struct reading r = {.problems = problems, .sets = sets, .nsets = nsets};
    size_t before = iris__problems_count(problems);
    r.m = calloc(1, sizeof *r.m);
    if (!r.m) {
        iris__problem_add(problems, file, "", "no-memory", "no memory is left");
        return -1;
    }
    r.m->file = iris__manifest_copy(&r, file, strlen(file));
    r.m->text = iris__manifest_copy(&r, text, len);
    r.m->len = len;
    if (r.m->file && r.m->text)
        read_text(&r);
    iris__problems_redact(problems, r.m->secrets);
    if (!r.no_memory && iris__problems_count(problems) == before) {
        *out = r.m;
        return 0;
    }
    iris__manifest_free(r.m);
    return -1;
}

int iris__manifest_read(const char *file, const struct manifest_set *sets, size_t nsets,
                        struct manifest **out, struct problems *problems)
{
    struct text text = {0};
    int failed = iris__manifest_slurp(file, &text, problems) ||
                 iris__manifest_parse(file, text.data ? text.data : "", text.len, sets, nsets, out,
                                      problems);
    iris__text_finish(&text);
    return failed ? -1 : 0;
}

char *iris__manifest_path(const struct manifest *m)
{
    const char *slash = strrchr(m->file, '/');
    char *path;
    return asprintf(&path, "%s/%s", m->dir, slash ? slash + 1 : m->file) < 0 ? NULL : path;
}
