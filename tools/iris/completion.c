/* iris completion: what a shell runs to complete our verbs, options, actors and keys. */
#include "client.h"
#include "term.h"

#include <iris/app.h>
#include <stdlib.h>
#include <string.h>

struct completion {
    const char *shell;
    int json;
};

enum { KEY_JSON = 1000 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct completion *c = state->input;
    switch (key) {
    case KEY_JSON:
        c->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (c->shell)
            argp_error(state, "%s: expected one SHELL", arg);
        c->shell = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "SHELL is missing: bash, zsh or fish");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print it as a string in JSON", 8},
    {0},
};

const struct argp completion_argp = {
    options,
    parse,
    "SHELL",
    "Print what makes bash, zsh or fish complete verbs, options, actors and keys.\v"
    "For this shell: source <(iris completion bash). For ever: put it where your shell looks, as "
    "~/.local/share/bash-completion/completions/iris, a directory of zsh's fpath as _iris, or "
    "~/.config/fish/completions/iris.fish.",
    NULL,
    NULL,
    NULL,
};

/* ---- what there is to complete ---- */

static int takes(const struct verb *v, const char *word)
{
    return strstr(v->args, word) != NULL;
}

static int takes_files(const struct verb *v)
{
    return takes(v, "FILE") || takes(v, "HANDLER");
}

static void verb_names(FILE *to)
{
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(to, "%s ", v->name);
    fputs("help", to);
}

/* In a list of words, shells replace what begins with a $. */
static void add_key(void *ctx, const char *text)
{
    fprintf(ctx, *text == '$' ? "\\%s" : "%s", text);
}

static void key_names(FILE *to)
{
    iris_app_keys(add_key, to);
}

/* Actors of the app that runs: names that need no quoting. */
static const char actors[] = "command iris ps 2>/dev/null | sed -n 's/^\\(\\/[^ ]*\\).*/\\1/p'";

/* ---- bash ---- */

static void bash_option(void *ctx, const struct argp_option *o)
{
    fprintf(ctx, " --%s", o->name);
}

static void bash_verb(FILE *to, const struct verb *v)
{
    fprintf(to, "    %s)\n        words='", v->name);
    each_option(v, bash_option, to);
    fputs("'\n", to);
    if (takes_files(v))
        fputs("        files=1\n", to);
    if (takes(v, "PATH"))
        fprintf(to, "        [[ $current == -* ]] || words+=\" $(%s)\"\n", actors);
    if (takes(v, "KEY"))
        fputs("        words+=\" $keys\"\n", to);
    if (takes(v, "SHELL"))
        fputs("        words+=' bash zsh fish'\n", to);
    fputs("        ;;\n", to);
}

static void bash(FILE *to)
{
    fputs("# bash completion of iris; made by: iris completion bash\n_iris() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} words= files= keys='",
          to);
    key_names(to);
    fputs("'\n    COMPREPLY=()\n    if ((COMP_CWORD == 1)); then\n        words='", to);
    verb_names(to);
    fputs(" --help --version'\n    else\n    case ${COMP_WORDS[1]} in\n    help) words='", to);
    verb_names(to);
    fputs("' ;;\n", to);
    for (const struct verb *v = verbs; v->name; v++)
        bash_verb(to, v);
    fputs("    esac\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    [[ -z $files || $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\"))\n"
          "}\ncomplete -o filenames -F _iris iris\n",
          to);
}

/* ---- zsh ---- */

static void quoted(FILE *to, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", to);
        else if (strchr(escaped, *text))
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void zsh_option(void *ctx, const struct argp_option *o)
{
    FILE *to = ctx;
    fprintf(to, " \\\n            '--%s%s[", o->name, o->arg ? "=" : "");
    quoted(to, o->doc, "[]:\\");
    fprintf(to, o->arg ? "]:%s:'" : "]'", o->arg);
}

static void zsh_verb(FILE *to, const struct verb *v)
{
    fprintf(to, "        %s) _arguments", v->name);
    each_option(v, zsh_option, to);
    if (takes(v, "PATH") || takes(v, "KEY") || takes(v, "SHELL"))
        fprintf(to, " \\\n            '1:%s:( %s%s%s)'", v->args,
                takes(v, "PATH") ? "'\"$actors\"'" : "", takes(v, "KEY") ? " '\"$keys\"'" : "",
                takes(v, "SHELL") ? "bash zsh fish" : "");
    if (takes_files(v))
        fputs(" \\\n            '*:file:_files'", to);
    fputs(" ;;\n", to);
}

static void zsh(FILE *to)
{
    fputs("#compdef iris\n# made by: iris completion zsh\n_iris() {\n    local keys='", to);
    key_names(to);
    fprintf(to, "'\n    local actors=\"$(%s | tr '\\n' ' ')\"\n", actors);
    fputs("    if ((CURRENT == 2)); then\n        local -a names=(", to);
    for (const struct verb *v = verbs; v->name; v++) {
        fprintf(to, "\n            '%s:", v->name);
        quoted(to, v->summary, "");
        fputc('\'', to);
    }
    fputs(")\n        _describe verb names\n        return\n    fi\n"
          "    local verb=$words[2]\n    shift words\n    ((CURRENT--))\n    case $verb in\n",
          to);
    for (const struct verb *v = verbs; v->name; v++)
        zsh_verb(to, v);
    fputs("    esac\n}\nif [[ $funcstack[1] == _iris ]]; then _iris \"$@\"; "
          "else compdef _iris iris; fi\n",
          to);
}

/* ---- fish ---- */

struct fish {
    FILE *to;
    const struct verb *verb;
};

static void fish_rule(FILE *to, const struct verb *v)
{
    fprintf(to, "complete -c iris -n '__fish_seen_subcommand_from %s'", v->name);
}

static void fish_option(void *ctx, const struct argp_option *o)
{
    const struct fish *f = ctx;
    fish_rule(f->to, f->verb);
    fprintf(f->to, " -l %s%s -d '", o->name, o->arg ? " -r" : "");
    for (const char *c = o->doc; *c; c++)
        fprintf(f->to, strchr("'\\", *c) ? "\\%c" : "%c", *c);
    fputs("'\n", f->to);
}

static void fish_verb(FILE *to, const struct verb *v)
{
    struct fish f = {to, v};
    fprintf(to, "complete -c iris -n __fish_use_subcommand -a %s -d \"%s\"\n", v->name, v->summary);
    each_option(v, fish_option, &f);
    if (takes(v, "PATH"))
        fish_rule(to, v), fprintf(to, " -a \"(%s)\"\n", actors);
    if (takes(v, "KEY"))
        fish_rule(to, v), fputs(" -a '", to), key_names(to), fputs("'\n", to);
    if (takes(v, "SHELL"))
        fish_rule(to, v), fputs(" -a 'bash zsh fish'\n", to);
    if (takes_files(v))
        fish_rule(to, v), fputs(" -F\n", to);
}

static void fish(FILE *to)
{
    fputs("# made by: iris completion fish\ncomplete -c iris -f\n", to);
    for (const struct verb *v = verbs; v->name; v++)
        fish_verb(to, v);
}

int print_completion(const char *shell, FILE *to)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (!strcmp(shells[i].shell, shell))
            return shells[i].print(to), 0;
    return -1;
}

int verb_completion(int argc, char **argv)
{
    struct completion c = {0};
    char *text = NULL;
    size_t len;
    parse_arguments(&completion_argp, argc, argv, &c);
    const struct common common = {.json = c.json};
    FILE *to = open_memstream(&text, &len);
    int failed = !to || print_completion(c.shell, to);
    if (to)
        fclose(to);
    if (!failed && c.json)
        client_print(json_pack("{s:s, s:s}", "shell", c.shell, "script", text));
    else if (!failed)
        fputs(text, stdout);
    free(text);
    return failed
               ? client_error(&common, "bad-request", "expected bash, zsh or fish", "no such shell")
               : IRIS_EXIT_OK;
}
