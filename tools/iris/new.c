/* iris new: an app that runs, to begin with. It is put together beside and then named, so that it is there
 * as a whole or not at all. */
#include "client.h"
#include "new_files.h"
#include "term.h"

#include <iris/app.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_JSON = 1000, KEY_LANG, MOST_FILES = 12 };

struct new
{
    const char *directory, *name; /* the name is its last part */
    const char *language;         /* or "all" */
    int json;
    char *temporary;
    const char *files[MOST_FILES];
    int nfiles;
};

static int is_language(const char *name)
{
    for (const struct new_language *l = new_languages; l->name; l++)
        if (!strcmp(l->name, name))
            return 1;
    return !strcmp(name, "all");
}

/* Of all those that this build can run: what is made has to work. */
static int is_wanted(const struct new *n, const struct new_language *l)
{
    return !strcmp(n->language, l->name) ||
           (!strcmp(n->language, "all") && !iris_app_has_host(l->host));
}

/* As manifests have it. */
static int is_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz", rest[] =
                                                                    "abcdefghijklmnopqrstuvwxyz"
                                                                    "0123456789-";
    return *s && strchr(letters, *s) && !s[strspn(s, rest)] && strlen(s) <= 63;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct new *n = state->input;
    switch (key) {
    case KEY_JSON:
        n->json = 1;
        return 0;
    case KEY_LANG:
        if (!is_language(arg))
            argp_error(state, "--lang=%s: expected python, node, c or all", arg);
        n->language = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (n->directory)
            argp_error(state, "%s: expected one NAME", arg);
        n->directory = arg;
        n->name = strrchr(arg, '/') ? strrchr(arg, '/') + 1 : arg;
        if (!is_name(n->name))
            argp_error(state,
                       "\"%s\": expected a lower-case letter, then up to 62 of a-z, 0-9 and \"-\"",
                       n->name);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "NAME is missing: of the app, and of the directory to be made");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"lang", KEY_LANG, "LANGUAGE", 0, "python (default), node, c, or all", 1},
    {"json", KEY_JSON, NULL, 0, "Print what was made as JSON", 8},
    {0},
};

const struct argp new_argp = {
    options,
    parse,
    "NAME",
    "Make a directory with an app that runs: manifest, handler, the schema for editors.\v"
    "What is there already is not touched. NAME may be a path; its last part is the app's name.",
    NULL,
    NULL,
    NULL,
};

/* ---- one file ---- */

static int refuse(const struct new *n, const char *what)
{
    char message[PATH_MAX + 128];
    const struct common c = {.json = n->json};
    int taken = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
    snprintf(message, sizeof message, "%s: %s; nothing was made", what,
             taken ? "there is something of that name already" : strerror(errno));
    return client_error(&c, "failed", taken ? "choose another name, or move it away" : NULL,
                        message);
}

static FILE *create(struct new *n, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", n->temporary, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0755);
    *slash = '/';
    if (n->nfiles < MOST_FILES)
        n->files[n->nfiles++] = name;
    return fopen(path, "wxe");
}

static int close_file(FILE *f)
{
    int failed = !f || ferror(f);
    return (f && fclose(f)) || failed ? -1 : 0;
}

/* @NAME@ and the others, each by the value behind it in `values`. */
static void fill(FILE *to, const char *text, const char *const values[])
{
    while (*text) {
        int i = 0;
        while (*text == '@' && values[i] && strncmp(text, values[i], strlen(values[i])))
            i += 2;
        if (*text == '@' && values[i]) {
            fputs(values[i + 1], to);
            text += strlen(values[i]);
        } else {
            putc(*text++, to);
        }
    }
}

static void write_text(void *ctx, const char *text)
{
    fputs(text, ctx);
}

static int write_schema(struct new *n)
{
    FILE *f = create(n, ".iris/app.schema.json");
    if (f)
        iris_app_schema(write_text, f);
    return close_file(f);
}

/* ---- the app ---- */

static const char *path_of(const struct new *n, const struct new_language *l, char room[64])
{
    snprintf(room, 64, !strcmp(n->language, "all") ? "/hello/%s" : "/hello", l->name);
    return room;
}

static int write_manifest(struct new *n)
{
    FILE *f = create(n, "app.json");
    char path[64];
    int more = 0;
    if (!f)
        return -1;
    fprintf(f,
            "{\n  \"$schema\": \"./.iris/app.schema.json\",\n  \"name\": \"%s\",\n  \"actors\": [",
            n->name);
    for (const struct new_language *l = new_languages; l->name; l++)
        if (is_wanted(n, l))
            fprintf(f, "%s\n    {\"path\": \"%s\", \"handler\": \"%s\"}", more++ ? "," : "",
                    path_of(n, l, path), l->handler);
    fputs("\n  ]\n}\n", f);
    return close_file(f);
}

static void write_use(FILE *f, const struct new *n, const struct new_language *l)
{
    char path[64];
    path_of(n, l, path);
    fprintf(f, "    iris ask %s Ada\n", path);
    fprintf(f, "    %s%siris swap %s        # after an edit of %s; iris rollback %s undoes it\n",
            l->change ? l->change : "", l->change ? " && " : "", path, l->files[0].name, path);
}

static int write_readme(struct new *n)
{
    FILE *f = create(n, "README.md");
    if (!f)
        return -1;
    fprintf(f, "# %s\n\nIn this directory, in one terminal:\n\n", n->name);
    for (const struct new_language *l = new_languages; l->name; l++)
        if (is_wanted(n, l) && l->build)
            fprintf(f, "    %s\n", l->build);
    fputs("    iris run\n\nand in another:\n\n", f);
    for (const struct new_language *l = new_languages; l->name; l++)
        if (is_wanted(n, l))
            write_use(f, n, l);
    fputs(
        "    iris ps\n    iris stop\n\n`iris explain actors` tells what else `app.json` may say; editors "
        "know it from its `$schema`.\n",
        f);
    return close_file(f);
}

/* Of the installed tree, or of the clone that this program was built in. */
static const char *find_include(char *room, size_t size)
{
    static const char *const places[] = {"../include", "../../../include"};
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(program, '/');
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++) {
        char header[PATH_MAX + 64], *real;
        snprintf(header, sizeof header, "%.*s/%s/iris/plugin.h", (int)(slash - program), program,
                 places[i]);
        real = realpath(header, NULL);
        if (!real)
            continue;
        snprintf(room, size, "%.*s", (int)(strlen(real) - strlen("/iris/plugin.h")), real);
        free(real);
        return room;
    }
    return "$(shell pkg-config --variable=includedir iris)";
}

static int write_language(struct new *n, const struct new_language *l)
{
    char include[PATH_MAX], path[64];
    const char *const values[] = {"@NAME@",    n->name,
                                  "@PATH@",    path_of(n, l, path),
                                  "@INCLUDE@", find_include(include, sizeof include),
                                  NULL};
    for (const struct new_file *file = l->files; file->name; file++) {
        FILE *f = create(n, file->name);
        if (f)
            fill(f, file->text, values);
        if (close_file(f))
            return -1;
    }
    return 0;
}

static int write_all(struct new *n)
{
    int failed = write_manifest(n);
    for (const struct new_language *l = new_languages; l->name && !failed; l++)
        failed = is_wanted(n, l) && write_language(n, l);
    return failed || write_readme(n) || write_schema(n) ? -1 : 0;
}

/* ---- all or nothing ---- */

static void take_back(const struct new *n)
{
    char path[PATH_MAX];
    int why = errno;
    for (int i = 0; i < n->nfiles; i++) {
        snprintf(path, sizeof path, "%s/%s", n->temporary, n->files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/.iris", n->temporary);
    rmdir(path);
    rmdir(n->temporary);
    errno = why;
}

/* rename() replaces an empty directory, and nothing else. */
static int make(struct new *n)
{
    if (asprintf(&n->temporary, "%s.new-XXXXXX", n->directory) < 0 || !mkdtemp(n->temporary))
        return -1;
    if (!write_all(n) && !chmod(n->temporary, 0755) && !rename(n->temporary, n->directory))
        return 0;
    take_back(n);
    return -1;
}

static const char *build_of(const struct new *n)
{
    for (const struct new_language *l = new_languages; l->name; l++)
        if (is_wanted(n, l) && l->build)
            return l->build;
    return NULL;
}

/* Told, too, where it was asked for by name: then it was made all the same. */
static void say_missing(const struct new *n)
{
    for (const struct new_language *l = new_languages; l->name; l++) {
        if ((strcmp(n->language, "all") && strcmp(n->language, l->name)) ||
            !iris_app_has_host(l->host))
            continue;
        fprintf(stderr, is_wanted(n, l) ? "%s will not run: " : "%s is left out: ", l->name);
        say_report(stderr, iris_app_reason());
        putc('\n', stderr);
    }
}

static void say(const struct new *n)
{
    printf("%s:", n->directory);
    for (int i = 0; i < n->nfiles; i++)
        printf("  %s", n->files[i]);
    printf("\nnext: ");
    if (build_of(n))
        printf("%s -C %s && ", build_of(n), n->directory);
    say_advice(stdout, "iris run ");
    printf("%s/app.json\n", n->directory);
    say_missing(n);
}

static void say_json(const struct new *n)
{
    json_t *files = json_array();
    for (int i = 0; i < n->nfiles; i++)
        json_array_append_new(files, json_string(n->files[i]));
    client_print(json_pack("{s:s, s:s, s:o, s:s*}", "directory", n->directory, "name", n->name,
                           "files", files, "build", build_of(n)));
}

int verb_new(int argc, char **argv)
{
    struct new n = {.language = "python"};
    parse_arguments(&new_argp, argc, argv, &n);
    int status = make(&n) ? refuse(&n, n.directory) : IRIS_EXIT_OK;
    if (!status)
        (n.json ? say_json : say)(&n);
    free(n.temporary);
    return status;
}
