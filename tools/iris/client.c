#include "client.h"

#include "term.h"

#include <errno.h>
#include <iris/app.h>
#include <llhttp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 5000 /* what the app may take longer than asked to */
#define ANSWER_LIMIT (1 << 30)

struct exchange {
    int fd;
    int64_t until; /* ms of the monotonic clock */
    llhttp_t parser;
    int complete;
    char *body;
    size_t len, room;
    int at_server; /* the header that is being read says who answers */
    char server[64];
};

/* ---- errors ---- */

static int exit_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } exits[] = {
        {"bad-request", IRIS_EXIT_USAGE},     {"no-such-target", IRIS_EXIT_NO_TARGET},
        {"swap-refused", IRIS_EXIT_SWAP},     {"rollback-refused", IRIS_EXIT_SWAP},
        {"apply-refused", IRIS_EXIT_SWAP},    {"not-running", IRIS_EXIT_NOT_RUNNING},
        {"several-running", IRIS_EXIT_USAGE}, {"timeout", IRIS_EXIT_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        if (!strcmp(exits[i].code, code))
            return exits[i].status;
    return IRIS_EXIT_FAILED;
}

const char *text_of(const json_t *v, const char *key)
{
    const char *text = json_string_value(json_object_get(v, key));
    return text ? text : "";
}

json_int_t number_of(const json_t *v, const char *key)
{
    return json_integer_value(json_object_get(v, key));
}

static int print_json(json_t *body)
{
    json_dumpf(body, stdout, JSON_COMPACT);
    putchar('\n');
    return fflush(stdout);
}

void client_print(json_t *answer)
{
    json_t *all = json_pack("{s:i}", "iris", 1);
    json_object_update(all, answer);
    print_json(all);
    json_decref(all);
    json_decref(answer);
}

int client_error(const struct common *c, const char *code, const char *hint, const char *message)
{
    if (!c->json) {
        say_error(message, hint);
        return exit_of(code);
    }
    json_t *all = json_pack("{s:i, s:{s:s, s:s, s:s*}}", "iris", 1, "error", "code", code,
                            "message", message, "hint", hint);
    print_json(all);
    json_decref(all);
    return exit_of(code);
}

/* ---- the socket ---- */

int client_failure(const struct common *c, const char *code)
{
    const char *reason = iris_app_reason(), *hint = strstr(reason, "\nhint: ");
    char *message = strndup(reason, hint ? (size_t)(hint - reason) : strlen(reason));
    int status = client_error(c, code, hint ? hint + strlen("\nhint: ") : NULL,
                              message ? message : "out of memory");
    free(message);
    return status;
}

static int is_bad_name(const char *name)
{
    char path[IRIS_SOCKET_ROOM];
    const char *chosen = name ? name : getenv("IRIS_APP");
    return chosen && *chosen && iris_socket_path(chosen, path, sizeof path);
}

int client_find(const struct common *c, char *path, size_t room)
{
    switch (iris_socket_find(c->app, path, room)) {
    case IRIS_OK:
        return IRIS_EXIT_OK;
    case IRIS_DEAD:
        return c->follows ? IRIS_EXIT_NOT_RUNNING
                          : client_error(c, "not-running", "start it with: iris run app.json",
                                         iris_app_reason());
    case IRIS_AGAIN:
        return client_failure(c, "several-running");
    }
    return client_failure(c, is_bad_name(c->app) ? "bad-request" : "failed");
}

static int dial(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !connect(fd, (struct sockaddr *)&at, sizeof at))
        return fd;
    close(fd);
    return -1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0, or -1 with errno: ETIMEDOUT when the time is over. */
static int await(struct exchange *x, short events)
{
    struct pollfd p = {.fd = x->fd, .events = events};
    for (;;) {
        int64_t left = x->until - now_ms();
        int n = left > 0 ? poll(&p, 1, left > 1000000 ? 1000000 : (int)left) : 0;
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -1;
        if (left <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

static int write_all(struct exchange *x, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(x->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno == EPIPE) {
            return 0; /* it has hung up on us: it may have said why */
        } else if ((errno != EAGAIN && errno != EINTR) || await(x, POLLOUT)) {
            return -1;
        }
    }
    return 0;
}

/* ---- HTTP ---- */

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct exchange *x = p->data;
    if (x->len + len > ANSWER_LIMIT)
        return -1;
    if (x->len + len > x->room) {
        x->room = (x->len + len) * 2;
        char *body = realloc(x->body, x->room);
        if (!body)
            return -1;
        x->body = body;
    }
    memcpy(x->body + x->len, at, len);
    x->len += len;
    return 0;
}

/* What has parsed whole stands in one read, or in several. */
static int on_field(llhttp_t *p, const char *at, size_t len)
{
    struct exchange *x = p->data;
    x->at_server = len == strlen("server") && !strncasecmp(at, "server", len);
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct exchange *x = p->data;
    size_t used = strlen(x->server), room = sizeof x->server - 1 - used;
    if (x->at_server)
        memcpy(x->server + used, at, len < room ? len : room);
    return 0;
}

static int on_complete(llhttp_t *p)
{
    struct exchange *x = p->data;
    x->complete = 1;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_header_field = on_field,
                                           .on_header_value = on_value,
                                           .on_body = on_body,
                                           .on_message_complete = on_complete};

static int send_request(struct exchange *x, const char *method, const char *path,
                        const json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char *head;
    int n = asprintf(&head,
                     "%s %s HTTP/1.1\r\nHost: iris\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                     method, path, text ? strlen(text) : 0);
    int failed =
        n < 0 || write_all(x, head, (size_t)n) || (text && write_all(x, text, strlen(text)));
    if (n >= 0)
        free(head);
    free(text);
    return failed ? -1 : 0;
}

static int read_answer(struct exchange *x)
{
    char chunk[16384];
    llhttp_init(&x->parser, HTTP_RESPONSE, &settings);
    x->parser.data = x;
    while (!x->complete) {
        if (await(x, POLLIN))
            return -1;
        ssize_t n = read(x->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        errno = n < 0 ? errno : n ? EPROTO : ENODATA;
        if (n <= 0 || (llhttp_execute(&x->parser, chunk, (size_t)n) && !x->complete))
            return -1;
    }
    return 0;
}

/* ---- the call ---- */

static int lost(const struct common *c, const char *path)
{
    int late = errno == ETIMEDOUT, ended = errno == ENODATA || errno == ECONNRESET;
    int absent =
        errno == ECONNREFUSED || errno == ENOENT; /* between the look for it and the call */
    char *message;
    if (c->follows && (ended || absent))
        return IRIS_EXIT_OK;
    if (asprintf(&message, "%s: %s", path,
                 late    ? "no answer in time"
                 : ended ? "the app ended before it answered"
                         : strerror(errno)) < 0)
        return IRIS_EXIT_FAILED;
    int status = client_error(c,
                              late     ? "timeout"
                              : absent ? "not-running"
                                       : "failed",
                              late ? "is it stopped or being debugged? try again with --timeout 2m"
                                   : "has it just ended, or only begun? try: iris ps",
                              message);
    free(message);
    return status;
}

/* Members are only added, so most works; what does not is understood sooner when this was said. A program reads
 * stdout, and stderr is for people. */
static void compare_versions(const struct exchange *x)
{
    static const char mark[] = "iris/";
    const char *there = strncmp(x->server, mark, sizeof mark - 1) ? "(unknown)" : x->server + 5;
    if (!strcmp(there, iris_app_version()))
        return;
    say_errorf(
        "what one of them does not know, the other may: use that version's program, or start "
        "the app anew with this one",
        "the app runs iris %s, and this is iris %s", there, iris_app_version());
}

static void copy_body(const struct exchange *x)
{
    fwrite(x->body, 1, x->len, stdout);
    if (!x->len || x->body[x->len - 1] != '\n')
        putchar('\n');
}

/* The answer as it is; its error, if it is one, as an exit status. A good one that is only handed on is not read:
 * of 100,000 actors that would be most of the time. */
static int judge(const struct common *c, const struct exchange *x, json_t **answer)
{
    const char *code = NULL, *message = "no reason was given", *hint = NULL;
    if (c->json && !c->quiet && x->parser.status_code == 200 && x->len && *x->body == '{') {
        copy_body(x);
        return IRIS_EXIT_OK;
    }
    json_t *body = json_loadb(x->body ? x->body : "", x->len, 0, NULL);
    if (!json_is_object(body)) {
        json_decref(body);
        return client_error(c, "failed", NULL, "the app's answer is not JSON");
    }
    json_unpack(body, "{s:{s:s, s?s, s?s}}", "error", "code", &code, "message", &message, "hint",
                &hint);
    if (c->follows && code && !strcmp(code, "stopping")) { /* it was about to end when asked */
        json_decref(body);
        return IRIS_EXIT_OK;
    }
    int status = code ? exit_of(code) : IRIS_EXIT_OK;
    if (c->json && (code || !c->quiet))
        copy_body(x);
    else if (code)
        say_error(message, hint);
    else
        *answer = json_incref(body);
    json_decref(body);
    return status;
}

static int exchange(struct exchange *x, const char *at, const char *method, const char *path,
                    const json_t *body)
{
    x->fd = dial(at);
    int failed = x->fd < 0 || send_request(x, method, path, body) || read_answer(x), error = errno;
    if (x->fd >= 0)
        close(x->fd);
    errno = error;
    return failed;
}

int client_fetch(const char *socket, int64_t timeout_ms, const char *method, const char *path,
                 const json_t *body, json_t **answer)
{
    struct exchange x = {.until = now_ms() + timeout_ms};
    int failed = exchange(&x, socket, method, path, body), error = errno;
    *answer = failed ? NULL : json_loadb(x.body ? x.body : "", x.len, 0, NULL);
    free(x.body);
    errno = failed ? error : EBADMSG;
    if (json_is_object(*answer))
        return 0;
    json_decref(*answer);
    *answer = NULL;
    return -1;
}

int client_call(const struct common *c, const char *method, const char *path, json_t *body,
                json_t **answer)
{
    char at[IRIS_SOCKET_ROOM];
    struct exchange x = {.until = now_ms() + c->timeout_ms + GRACE_MS};
    *answer = NULL;
    int status = client_find(c, at, sizeof at);
    if (status == IRIS_EXIT_NOT_RUNNING && c->follows)
        status = IRIS_EXIT_OK;
    else if (!status && exchange(&x, at, method, path, body))
        status = lost(c, at);
    else if (!status) {
        compare_versions(&x);
        status = judge(c, &x, answer);
    }
    free(x.body);
    json_decref(body);
    return status;
}

int client_await_end(const struct common *c, int watch)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    int result = iris_app_watched(watch);
    for (int64_t ms = 0; result == IRIS_AGAIN && ms < c->timeout_ms; ms += 5) {
        nanosleep(&nap, NULL);
        result = iris_app_watched(watch);
    }
    return result;
}
