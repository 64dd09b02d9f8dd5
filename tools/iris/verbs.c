#include "verb.h"

#include "term.h"

#include <string.h>

/* In the order in which one gets to know them. */
const struct verb verbs[] = {
    {"new", "NAME", "make an app that runs, to begin with", verb_new, &new_argp},
    {"run", "[FILE]", "run an app from its manifest (./app.json)", verb_run, &run_argp},
    {"check", "[FILE]", "check a manifest without starting anything", verb_check, &check_argp},
    {"ps", "[TEXT]", "list the actors of a running app", verb_ps, &ps_argp},
    {"tree", "", "supervisors, and the actors of each", verb_tree, &tree_argp},
    {"inspect", "PATH", "all that is known of one actor", verb_inspect, &inspect_argp},
    {"ls", "[DIR]", "list the apps that run on this machine", verb_ls, &ls_argp},
    {"top", "[TEXT]", "the busiest actors, each second anew", verb_top, &top_argp},
    {"logs", "[PATTERN]", "what it logs, and what it logs next", verb_logs, &logs_argp},
    {"explain", "PATH|KEY", "what happened to an actor; what a key of the manifest means",
     verb_explain, &explain_argp},
    {"mesh", "[cert]", "list the other nodes; make certificates", verb_mesh, &mesh_argp},
    {"whereis", "NAME", "who has a name, here or on another node", verb_whereis, &whereis_argp},
    {"ask", "PATH DATA", "send a message and print the reply", verb_ask, &ask_argp},
    {"send", "PATH DATA", "send a message", verb_send, &send_argp},
    {"swap", "PATH [HANDLER]", "swap an actor's code while it runs", verb_swap, &swap_argp},
    {"rollback", "PATH", "go back to the code before", verb_rollback, &rollback_argp},
    {"apply", "[FILE]", "make the running app what its manifest says", verb_apply, &apply_argp},
    {"restart", "PATH|PATTERN", "begin actors again, with fresh state", verb_restart,
     &restart_argp},
    {"stop", "[PATH|PATTERN]", "stop the app, or some actors", verb_stop, &stop_argp},
    {"doctor", "[FILE]", "what this machine, or an app on it, lacks", verb_doctor, &doctor_argp},
    {"bench", "", "how fast it is on this machine", verb_bench, &bench_argp},
    {"plugin", "FILE", "what a plugin's file is", verb_plugin, &plugin_argp},
    {"schema", "", "the JSON Schema of manifests, for editors", verb_schema, &schema_argp},
    {"completion", "SHELL", "what makes bash, zsh or fish complete all this", verb_completion,
     &completion_argp},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (!strcmp(v->name, name))
            return v;
    return NULL;
}

/* ---- options ---- */

static void each(const struct argp *argp, void (*call)(void *, const struct argp_option *),
                 void *ctx)
{
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++)
        if (o->name && !(o->flags & (OPTION_HIDDEN | OPTION_DOC)))
            call(ctx, o);
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        each(c->argp, call, ctx);
}

void each_option(const struct verb *v, void (*call)(void *, const struct argp_option *), void *ctx)
{
    static const struct argp_option help = {"help", 'h', NULL, 0, "Tell all of this", 0};
    each(v->argp, call, ctx);
    call(ctx, &help);
}

/* ---- iris --help, and the whole manual ---- */

struct line {
    const char *word, *means;
};

static const struct line exits[] = {
    {"0", "ok"},
    {"1", "failed"},
    {"2", "usage"},
    {"3", "manifest"},
    {"4", "not running"},
    {"5", "no such actor"},
    {"6", "swap or apply refused"},
    {"7", "differences (apply --dry-run)"},
    {"124", "timeout"},
};

static const struct line variables[] = {
    {"IRIS_APP", "the app to talk to, if not -a NAME"},
    {"XDG_RUNTIME_DIR", "where the sockets of apps are, in iris/"},
    {"IRIS_STATE_DIR", "where private copies of behaviour files are made"},
    {"NOTIFY_SOCKET", "iris run tells systemd here that it is ready, reloading, stopping, alive"},
    {"NO_COLOR", "no colours"},
};

enum {
    NEXITS = sizeof exits / sizeof exits[0],
    NVARIABLES = sizeof variables / sizeof variables[0]
};

static void help_exits(FILE *to)
{
    fprintf(to, "\nexit status:");
    for (int i = 0; i < NEXITS; i++)
        fprintf(to, "%s %s %s%s", i == 6 ? "\n            " : "", exits[i].word, exits[i].means,
                i + 1 < NEXITS ? "," : "\n");
}

static void help_variables(FILE *to)
{
    for (int i = 0; i < NVARIABLES; i++)
        fprintf(to, "%s%-16s %s\n", i ? "             " : "\nenvironment: ", variables[i].word,
                variables[i].means);
    fprintf(to, "             ${IRIS_APP_DIR} in a manifest is its own directory\n");
}

void print_help(FILE *to)
{
    const char *bold = term(to, TERM_BOLD), *plain = term(to, TERM_PLAIN);
    fprintf(to, "%susage:%s iris VERB [ARGUMENT...]\n\n", bold, plain);
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(to, "  %s%-11s%s %-15s %s\n", bold, v->name, plain, v->args, v->summary);
    fprintf(to,
            "\n`iris VERB --help` tells more; every verb takes --json. With several apps running,\n"
            "-a NAME or IRIS_APP=NAME chooses one.\n");
    help_exits(to);
    help_variables(to);
}

/* What scdoc takes for markup is escaped. Sentences of argp have a '\v' between what comes before and
 * behind the options. */
static void man_text(FILE *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr("_*\\#[|`", text[i]))
            putc('\\', to);
        putc(text[i], to);
    }
}

static void man_option(void *ctx, const struct argp_option *o)
{
    FILE *to = ctx;
    fprintf(to, "*--%s*", o->name);
    if (o->key > ' ' && o->key < 127)
        fprintf(to, ", *-%c*", o->key);
    if (o->arg) {
        fputs(" _", to);
        for (const char *c = o->arg; *c; c++)
            fprintf(to, *c == '_' ? "\\%c" : "%c", *c);
        fputc('_', to);
    }
    fputs("\n\t", to);
    man_text(to, o->doc, strlen(o->doc));
    fputs("\n\n", to);
}

static void man_verb(FILE *to, const struct verb *v)
{
    const char *doc = v->argp->doc ? v->argp->doc : v->summary;
    size_t n = strcspn(doc, "\v");
    fprintf(to, "## iris %s %s\n\n", v->name, v->args); /* in a heading scdoc escapes nothing */
    man_text(to, doc, n);
    fputs("\n\n", to);
    each_option(v, man_option, to);
    if (doc[n])
        man_text(to, doc + n + 1, strlen(doc + n + 1)), fputs("\n\n", to);
}

static void man_lines(FILE *to, const char *title, const struct line *lines, int n)
{
    fprintf(to, "# %s\n\n", title);
    for (int i = 0; i < n; i++) {
        fprintf(to, "*");
        man_text(to, lines[i].word, strlen(lines[i].word));
        fprintf(to, "*\n\t%s\n\n", lines[i].means);
    }
}

void print_manual(FILE *to)
{
    fputs(
        "iris(1)\n\n# NAME\n\niris - run actors, and swap their code while they run\n\n"
        "# SYNOPSIS\n\n*iris* _VERB_ \\[ARGUMENT...]\n\n"
        "# DESCRIPTION\n\n"
        "An app is a manifest, _app.json_: actors, each with a path and a handler in C, Python or "
        "JavaScript. *iris run* starts it and stays. Every other verb talks to one that runs, over a "
        "UNIX socket that only its user and root may use.\n\n"
        "What is said is for people; with *--json* each verb prints one JSON object instead. Errors "
        "go to stderr, and name the next thing to try. Where several apps run, *-a* _NAME_ or "
        "IRIS\\_APP chooses one.\n\n# VERBS\n\n",
        to);
    for (const struct verb *v = verbs; v->name; v++)
        man_verb(to, v);
    man_lines(to, "EXIT STATUS", exits, NEXITS);
    man_lines(to, "ENVIRONMENT", variables, NVARIABLES);
    fputs(
        "# FILES\n\n_$XDG\\_RUNTIME\\_DIR/iris/NAME.sock_\n\tThe control socket of the app NAME; "
        "_/run/iris/NAME.sock_ for root.\n\n"
        "_~/.local/state/iris_\n\tPrivate copies of loaded behaviours; gone when their app is.\n\n"
        "# SEE ALSO\n\n*iris-app.json*(5)\n",
        to);
}
