#include "manifest_keys.h"

#include "manifest.h"

#include <string.h>

#define IN(type, member) .at = offsetof(struct type, member) + 1
#define KEYS_OF(section) .types = MANIFEST_OBJECT, .child = (section)
#define PLANNED .planned = 1

#define RESTARTS "always on-failure never "
#define STRATEGIES "one_for_one one_for_all rest_for_one "
#define LEVELS MANIFEST_LEVEL_WORDS
#define OVERFLOWS "dropnew dropold block redirect spill "

/* Sections stand in the order of the file, keys in the order of the manual. */
const struct manifest_key iris__manifest_keys[] = {
    {"", "$schema", MANIFEST_STRING, .meaning = "the JSON Schema of this file, for editors"},
    {"", "manifest", MANIFEST_INT, .def = "1", .min = 1, .max = 1,
     .meaning = "version of the format"},
    {"", "name", MANIFEST_NAME, IN(manifest, name),
     .meaning = "name of the app: of its socket, in logs; by default that of the directory",
     .more = "`iris ps -a NAME` and IRIS_APP=NAME choose it among several that run."},
    {"", "include", MANIFEST_STRINGS, PLANNED, .meaning = "more files, by patterns"},
    {"", "env", MANIFEST_ENV,
     .meaning = "values of ${VARIABLES} in this file; ${IRIS_APP_DIR} is its directory",
     .more =
         "--set env.NAME=VALUE comes first, then what is written here, then the environment of the process.\n${NAME:-DEFAULT} has a value of its own, ${NAME:?MESSAGE} must be set, $$ is a $."},
    {"", "profiles", MANIFEST_OBJECT, PLANNED, .meaning = "changes to this file, by name"},
    {"", "hosts", MANIFEST_MAP, .child = "hosts.*", IN(manifest, hosts),
     .meaning = "how languages are run, each by its name, as in hosts.python"},
    {"", "actors", MANIFEST_OBJECTS, .child = "actors[]", .required = 1, IN(manifest, actors),
     .meaning = "the actors, in the order in which they start"},
    {"", "supervisors", MANIFEST_OBJECTS, .child = "supervisors[]", IN(manifest, supervisors),
     .meaning = "who restarts what, by path"},
    {"", "mesh", MANIFEST_OBJECT, PLANNED, .meaning = "other nodes"},
    {"", "control", KEYS_OF("control"), .meaning = "how the running app is asked and told"},
    {"", "metrics", MANIFEST_OBJECT, PLANNED, .meaning = "figures for Prometheus"},
    {"", "tracing", MANIFEST_OBJECT, PLANNED, .meaning = "spans for OpenTelemetry"},
    {"", "logs", KEYS_OF("logs"), IN(manifest, logs.is_there),
     .meaning = "what is logged, how and where; without it the console tells it in its own words"},
    {"", "limits", MANIFEST_OBJECT, PLANNED, .meaning = "bounds of the whole process"},
    {"", "process", MANIFEST_OBJECT, PLANNED, .meaning = "user, group and directory"},

    {"hosts.*", "plugin", MANIFEST_STRING, PLANNED, .meaning = "the host's plugin"},
    {"hosts.*", "mode", MANIFEST_WORD, PLANNED, .words = "inproc process ", .def = "inproc",
     .meaning = "inside this process, or in one of its own"},
    {"hosts.*", "instances", MANIFEST_INT, .min = 1, .max = 64, .def = "1",
     IN(manifest_host, instances),
     .meaning = "how many environments of the language, each with a thread; its actors take turns"},
    {"hosts.*", "interpreter", MANIFEST_STRING, PLANNED, .meaning = "the language's program"},
    {"hosts.*", "venv", MANIFEST_DIRECTORY, .min = 1, IN(manifest_host, venv),
     .meaning = "the language's environment of packages, such as .venv"},
    {"hosts.*", "search", MANIFEST_DIRECTORIES, .min = 1, IN(manifest_host, search),
     .meaning = "where handlers find modules, before the language's own places"},
    {"hosts.*", "cwd", MANIFEST_DIRECTORY, .min = 1, IN(manifest_host, cwd),
     .meaning = "the working directory, once the host is started; the whole process has one"},
    {"hosts.*", "env", MANIFEST_ENV, IN(manifest_host, env),
     .meaning = "variables that handlers find in the environment"},
    {"hosts.*", "turn_limit", MANIFEST_DURATION, .min = 1, IN(manifest_host, turn_limit),
     .meaning = "a handler that has not returned after this time is interrupted; by default never"},
    {"hosts.*", "load_limit", MANIFEST_DURATION, .min = 1, .def = "30s",
     IN(manifest_host, load_limit),
     .meaning = "a handler whose file has not been run to its end after this time is refused"},
    {"hosts.*", "limits", MANIFEST_OBJECT, PLANNED, .meaning = "bounds of its process"},
    {"hosts.*", "sandbox", MANIFEST_OBJECT, PLANNED, .meaning = "what its process may do"},
    {"hosts.*", "restart", MANIFEST_WORD, PLANNED, .words = RESTARTS,
     .meaning = "when its process is started again"},
    {"hosts.*", "options", MANIFEST_FREE, IN(manifest_host, options),
     .meaning = "the host's own settings; it says which it has"},

    {"actors[]", "path", MANIFEST_PATH, .min = 2, .required = 1, IN(manifest_actor, path),
     .meaning = "who the actor is, such as /shop/ledger"},
    {"actors[]", "handler", MANIFEST_STRING, .min = 1, .required = 1, IN(manifest_actor, handler),
     .meaning = "what answers messages: ./lib.so or ./lib.so:name",
     .more =
         "In C ./lib.so, or ./lib.so:name where it holds several; in Python file.py:name, or package.module:name with\n\"host\": \"python\"; in JavaScript file.mjs#name. A file is looked for where the manifest is."},
    {"actors[]", "host", MANIFEST_HOST, IN(manifest_actor, host),
     .meaning = "the language; by default by the file's ending"},
    {"actors[]", "kind", MANIFEST_WORD, .words = "any push pull ", .def = "any",
     IN(manifest_actor, kind),
     .meaning = "push: called for each message; pull: calls recv(); it is held against the handler",
     .more =
         "any: the handler decides. push and pull say what it must be; `iris check` and the start refuse another."},
    {"actors[]", "name", MANIFEST_LABEL, IN(manifest_actor, name),
     .meaning = "a name to be found by, beside the path"},
    {"actors[]", "args", MANIFEST_ANY, IN(manifest_actor, args),
     .meaning = "any JSON value: what the handler's init is given"},
    {"actors[]", "instances", MANIFEST_INT | MANIFEST_WORD, PLANNED, .words = "cores ", .min = 1,
     .def = "1", .meaning = "how many, behind one path"},
    {"actors[]", "route", MANIFEST_WORD, PLANNED, .def = "round_robin",
     .words = "round_robin least_mailbox hash broadcast ", .meaning = "which instance gets it"},
    {"actors[]", "budget", MANIFEST_INT | MANIFEST_OBJECT, .planned_types = MANIFEST_OBJECT,
     .child = "actors[].budget", .min = 1, .max = 1000000000, .def = "100",
     IN(manifest_actor, budget), .meaning = "messages it may handle before it must yield"},
    {"actors[]", "mailbox", MANIFEST_INT | MANIFEST_WORD | MANIFEST_OBJECT, .words = "unbounded ",
     .child = "actors[].mailbox", .min = 1, .max = 1000000000, .def = "65536",
     IN(manifest_actor, capacity), .meaning = "how many messages may wait",
     .more =
         "A message counts until it is done. \"unbounded\" has no limit but memory; an object says more."},
    {"actors[].mailbox", "capacity", MANIFEST_INT, .min = 1, .max = 1000000000, .def = "65536",
     IN(manifest_actor, capacity), .meaning = "how many messages may wait"},
    {"actors[].mailbox", "bytes", MANIFEST_SIZE, .min = 1, IN(manifest_actor, bytes),
     .meaning = "how many bytes may wait"},
    {"actors[].mailbox", "overflow", MANIFEST_WORD, .words = OVERFLOWS, .def = "dropnew",
     IN(manifest_actor, overflow), .meaning = "what a full mailbox does",
     .more =
         "dropnew: send says no. dropold: the oldest that waits becomes a dead letter. block: the sender waits.\nredirect: \"fallback\" gets it instead. spill: \"fallback\" gets a copy, and the sender waits."},
    {"actors[].mailbox", "warn_at", MANIFEST_NUMBER, .min = 0, .max = 1, .def = "0.8",
     IN(manifest_actor, warn_at), .meaning = "how full it is when a warning is logged"},
    {"actors[].mailbox", "fallback", MANIFEST_PATH, .min = 2, IN(manifest_actor, fallback),
     .meaning = "the actor that gets what is too much; of redirect and spill"},
    {"actors[]", "restart", MANIFEST_WORD, .words = RESTARTS, .def = "on-failure",
     IN(manifest_actor, restart), .meaning = "when it is started again",
     .more =
         "always: whenever it ends. on-failure: after a crash, not after it ended itself or was stopped. never: it\nstays away. Its pid, path and the rest of its mailbox stay; its state begins afresh."},
    {"actors[]", "shutdown", MANIFEST_DURATION | MANIFEST_WORD, .min = 1, .words = "kill ",
     .def = "5s", IN(manifest_actor, shutdown), .meaning = "how long it may take to stop",
     .more =
         "A stop handles what was accepted, for so long; then the actor is killed. kill: at once, and what waits are\ndead letters."},
    {"actors[]", "ready", MANIFEST_WORD, PLANNED, .words = "started notify ", .def = "started",
     .meaning = "when those that depend on it may start"},
    {"actors[]", "start_timeout", MANIFEST_DURATION, PLANNED, .def = "10s",
     .meaning = "how long it may take to start"},
    {"actors[]", "depends_on", MANIFEST_PATHS, .min = 2, IN(manifest_actor, depends_on),
     .meaning = "paths of actors that start before it",
     .more = "They are started, with their init done, before it; and stopped after it."},
    {"actors[]", "env", MANIFEST_ENV, PLANNED, .meaning = "variables for its handler"},
    {"actors[]", "timers", MANIFEST_OBJECTS, .child = "actors[].timers[]",
     IN(manifest_actor, timers), .meaning = "messages that it is sent by time"},
    {"actors[].timers[]", "every", MANIFEST_DURATION, .min = 1, IN(manifest_timer, every_ns),
     .meaning = "time between two messages, and before the first; or see after"},
    {"actors[].timers[]", "after", MANIFEST_DURATION, .min = 1, IN(manifest_timer, after_ns),
     .meaning = "once, so long after the actor has begun; or see every"},
    {"actors[].timers[]", "send", MANIFEST_ANY, .required = 1, IN(manifest_timer, send),
     .meaning = "the message: a string as it is, any other JSON value as its text"},
    {"actors[]", "swap", KEYS_OF("actors[].swap"), .meaning = "how a new version replaces it"},
    {"actors[].swap", "watch", MANIFEST_BOOL | MANIFEST_STRINGS, PLANNED,
     .meaning = "swap when the file changes"},
    {"actors[].swap", "check", MANIFEST_WORD, PLANNED, .words = "load replay ", .def = "load",
     .meaning = "what a new version must pass"},
    {"actors[].swap", "canary", MANIFEST_OBJECT, PLANNED, .meaning = "try it on a part first"},
    {"actors[].swap", "rollback", MANIFEST_OBJECT, PLANNED, .meaning = "when to go back by itself"},
    {"actors[].swap", "keep", MANIFEST_INT, .min = 1, .max = 1000, .def = "4",
     IN(manifest_actor, keep), .meaning = "versions kept for a rollback",
     .more = "`iris rollback` goes back among these."},
    {"actors[].swap", "migrate", MANIFEST_STRING, PLANNED, .meaning = "what converts the state"},
    {"actors[].swap", "stateless", MANIFEST_WORD, .words = "refuse restart ", .def = "refuse",
     IN(manifest_actor, stateless),
     .meaning = "a version that cannot take the state over: refuse it, or start it afresh",
     .more =
         "refuse: a swap to code that cannot take the state over changes nothing. restart: the new code begins with\na fresh state."},
    {"actors[]", "capture", MANIFEST_BOOL | MANIFEST_OBJECT, PLANNED,
     .meaning = "messages kept for a replay"},
    {"actors[]", "trace", MANIFEST_NUMBER, PLANNED, .meaning = "share of messages traced"},
    {"actors[]", "log_level", MANIFEST_WORD, .words = LEVELS, IN(manifest_actor, log_level),
     .meaning = "how much it and what is below its path log; see logs.levels"},
    {"actors[]", "tags", MANIFEST_OBJECT, PLANNED, .meaning = "labels for figures and logs"},
    {"actors[]", "start", MANIFEST_WORD, .words = "eager lazy ", .def = "eager",
     IN(manifest_actor, start), .meaning = "lazy: it begins with its first message"},
    {"actors[]", "idle_timeout", MANIFEST_DURATION, .min = 1, IN(manifest_actor, idle_ns),
     .meaning = "a lazy one rests after this time without a message, until the next"},

    {"supervisors[]", "path", MANIFEST_PATH, .min = 1, .required = 1, IN(manifest_supervisor, path),
     .meaning = "it restarts what is below this path"},
    {"supervisors[]", "strategy", MANIFEST_WORD, .words = STRATEGIES, .def = "one_for_one",
     IN(manifest_supervisor, strategy), .meaning = "who is restarted when one fails",
     .more =
         "one_for_one: the one that failed. one_for_all: all below the path. rest_for_one: it, and those that were\nstarted after it."},
    {"supervisors[]", "intensity", MANIFEST_INT, .min = 0, .max = 1000000, .def = "3",
     IN(manifest_supervisor, intensity), .meaning = "restarts it allows within the period",
     .more = "One more restart than that within \"period\", and \"on_exhausted\" decides."},
    {"supervisors[]", "period", MANIFEST_DURATION, .min = 1, .def = "5s",
     IN(manifest_supervisor, period_ns), .meaning = "see intensity"},
    {"supervisors[]", "backoff", KEYS_OF("supervisors[].backoff"),
     IN(manifest_supervisor, backs_off), .meaning = "how long it waits before a restart"},
    {"supervisors[].backoff", "initial", MANIFEST_DURATION, .min = 1, .def = "100ms",
     IN(manifest_supervisor, initial), .meaning = "before the first restart in a row"},
    {"supervisors[].backoff", "max", MANIFEST_DURATION, .min = 1, .def = "30s",
     IN(manifest_supervisor, max), .meaning = "never longer than that"},
    {"supervisors[].backoff", "factor", MANIFEST_NUMBER, .min = 1, .max = 1000, .def = "2",
     IN(manifest_supervisor, factor), .meaning = "how much longer each time"},
    {"supervisors[].backoff", "jitter", MANIFEST_NUMBER, .min = 0, .max = 1, .def = "0.2",
     IN(manifest_supervisor, jitter),
     .meaning = "by what share it is longer or shorter, at random"},
    {"supervisors[].backoff", "reset_after", MANIFEST_DURATION, .min = 1, .def = "1m",
     IN(manifest_supervisor, reset_after),
     .meaning = "after so long without a failure, the next one is the first again"},
    {"supervisors[]", "on_exhausted", MANIFEST_WORD, .words = "escalate stop exit ",
     .def = "escalate", IN(manifest_supervisor, on_exhausted),
     .meaning = "beyond the intensity: the supervisor above decides, its actors stop, the app ends",
     .more =
         "escalate: the supervisor above restarts this one, or is exhausted too; at the top the app ends. stop: its\nactors stay away, the app runs on. exit: the app ends."},
    {"supervisors[]", "shutdown", MANIFEST_DURATION, .min = 1, IN(manifest_supervisor, shutdown),
     .meaning = "how long each actor below it may take to stop, where it does not say so itself"},
    {"supervisors[]", "defaults", KEYS_OF("actors[]"),
     .meaning = "keys of the actors below it, where they do not say so themselves",
     .more = "Any key of actors but path, handler and name. What is nearer to an actor holds."},

    {"control", "socket", MANIFEST_STRING, .min = 1, IN(manifest, socket),
     .meaning = "UNIX socket; by default $XDG_RUNTIME_DIR/iris/NAME.sock"},
    {"control", "mode", MANIFEST_WORD, .words = "0600 0660 ", .def = "0600",
     IN(manifest, socket_mode),
     .meaning = "who may connect: its user alone (and root), or a group too",
     .more =
         "0660 wants \"group\", and a \"socket\" in a directory of its own, which becomes 0710 and of that "
         "group.\nWhoever may connect may swap code, so 0660 lets the whole group run any code as the app's user."},
    {"control", "group", MANIFEST_STRING, .min = 1, IN(manifest, group),
     .meaning = "the group whose members may connect; of mode 0660",
     .more = "Its members can have the app run any code (`iris swap`), as the app's user."},
    {"control", "http", MANIFEST_STRING | MANIFEST_BOOL, PLANNED, .meaning = "TCP address"},
    {"control", "token", MANIFEST_STRING | MANIFEST_OBJECT, PLANNED, .meaning = "who it is"},
    {"control", "dashboard", MANIFEST_BOOL, PLANNED, .def = "true", .meaning = "the web page"},

    {"logs", "level", MANIFEST_WORD, .words = LEVELS, .def = "info", IN(manifest, logs.level),
     .meaning = "what is less than this is not logged"},
    {"logs", "levels", MANIFEST_LEVELS, .min = 1, IN(manifest, logs.levels),
     .meaning = "the same for what is below a path; the longest path counts"},
    {"logs", "format", MANIFEST_WORD, .words = "auto text json ", .def = "auto",
     IN(manifest, logs.format), .meaning = "auto: text on a terminal, else one JSON object a line"},
    {"logs", "to", MANIFEST_WORD, .words = "stderr stdout journald file ", IN(manifest, logs.to),
     .meaning = "where to; by default stderr, or journald where that is what stderr leads to"},
    {"logs", "file", MANIFEST_STRING, .min = 1, IN(manifest, logs.file),
     .meaning = "the file to append to; SIGHUP opens it anew"},
    {"logs", "rate", MANIFEST_INT, .min = 0, .max = 1000000, .def = "0", IN(manifest, logs.rate),
     .meaning = "lines that each actor may log in a second, the rest is counted; 0: no limit"},
    {.name = NULL},
};

const struct manifest_key *iris__manifest_key(const char *where, const char *name)
{
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++)
        if (!strcmp(k->where, where) && !strcmp(k->name, name))
            return k;
    return NULL;
}

int iris__manifest_word(const char *words, const char *word)
{
    size_t n = strcspn(word, " ");
    if (word[n])
        return -1;
    for (int i = 0; words && *words; i++, words = strchr(words, ' ') + 1)
        if (!strncmp(words, word, n) && words[n] == ' ')
            return i;
    return -1;
}
