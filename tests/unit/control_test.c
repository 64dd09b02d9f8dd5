/* The control server over real sockets: order, bounds, who may come in, and how it ends. */
#include "main.h"

#include "control.h"
#include "fail.h"
#include "socket.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a server with a few verbs ---- */

struct bench {
    char dir[64], path[96], lock[96];
    struct control *control;
    pthread_mutex_t mutex;
    pthread_cond_t came;
    struct control_reply *kept[80];
    int nkept;
};

static void health(void *app, const struct control_request *r, struct control_reply *reply)
{
    (void)app;
    (void)r;
    iris__control_reply(reply, 200, json_pack("{s:b}", "ok", 1));
}

static void echo(void *app, const struct control_request *r, struct control_reply *reply)
{
    (void)app;
    iris__control_reply(reply, 200, json_pack("{s:O}", "you", r->body));
}

static void keep(void *app, const struct control_request *r, struct control_reply *reply)
{
    struct bench *b = app;
    (void)r;
    pthread_mutex_lock(&b->mutex);
    b->kept[b->nkept++] = reply;
    pthread_cond_signal(&b->came);
    pthread_mutex_unlock(&b->mutex);
}

static void broken(void *app, const struct control_request *r, struct control_reply *reply)
{
    (void)app;
    (void)r;
    iris__control_error(reply, "no-such-target", "iris ps", "no actor \"/a\377\"");
}

static const struct control_verb verbs[] = {
    {"GET", "/v1/health", health, 0},  {"POST", "/v1/echo", echo, 0}, {"POST", "/v1/keep", keep, 8},
    {"POST", "/v1/broken", broken, 0}, {NULL, NULL, NULL, 0},
};

static struct bench *bench_create(void)
{
    struct bench *b = calloc(1, sizeof *b);
    snprintf(b->dir, sizeof b->dir, "/tmp/iris-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->path, sizeof b->path, "%s/app.sock", b->dir);
    snprintf(b->lock, sizeof b->lock, "%s/app.lock", b->dir);
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->came, NULL);
    return b;
}

static void open_control(struct bench *b)
{
    if (iris__control_open(b->path, verbs, b, &b->control))
        fail_msg("%s", iris__reason());
}

static int setup(void **state)
{
    *state = bench_create();
    open_control(*state);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    iris__control_close(b->control);
    assert_int_not_equal(access(b->path, F_OK), 0); /* P9: nothing is left */
    assert_int_not_equal(access(b->lock, F_OK), 0);
    assert_int_equal(rmdir(b->dir), 0);
    pthread_mutex_destroy(&b->mutex);
    pthread_cond_destroy(&b->came);
    free(b);
    return 0;
}

static void await_kept(struct bench *b, int n)
{
    pthread_mutex_lock(&b->mutex);
    while (b->nkept < n)
        pthread_cond_wait(&b->came, &b->mutex);
    pthread_mutex_unlock(&b->mutex);
}

/* ---- a client by hand ---- */

static int try_dial(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!connect(fd, (struct sockaddr *)&at, sizeof at))
        return fd;
    close(fd);
    return -1;
}

static int dial(struct bench *b)
{
    int fd = try_dial(b->path);
    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *bytes)
{
    size_t len = strlen(bytes);
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0)
            return; /* the server hung up; what it said is still to be read */
        bytes += n;
        len -= (size_t)n;
    }
}

/* Reads to the end of the connection. */
static char *hear_all(int fd)
{
    struct text all = {0};
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;)
        iris__text_add(&all, chunk, (size_t)n);
    iris__text_add(&all, "", 0);
    close(fd);
    return all.data;
}

/* Reads one answer of a connection that stays. */
static char *hear_one(int fd)
{
    struct text all = {0};
    char c;
    while (read(fd, &c, 1) == 1) {
        iris__text_add(&all, &c, 1);
        char *head = strstr(all.data, "\r\n\r\n"), *length = strstr(all.data, "Content-Length: ");
        if (head && length && all.data + all.len - (head + 4) >= atol(length + 16))
            break;
    }
    iris__text_add(&all, "", 0);
    return all.data;
}

static void assert_hears(char *got, const char *expected)
{
    if (!got || !strstr(got, expected))
        fail_msg("got: %s\nexpected in it: %s", got ? got : "nothing", expected);
    free(got);
}

static void assert_answers(struct bench *b, const char *request, const char *expected)
{
    int fd = dial(b);
    say(fd, request);
    assert_hears(hear_all(fd), expected);
}

#define ENDS "Connection: close\r\n\r\n"

/* ---- what it answers ---- */

static void answers(void **state)
{
    assert_answers(*state, "GET /v1/health HTTP/1.1\r\n" ENDS, "{\"iris\":1,\"ok\":true}\n");
    assert_answers(*state, "GET /v1/health?x HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n");
    assert_answers(*state, "POST /v1/echo HTTP/1.1\r\nContent-Length: 7\r\n" ENDS "{\"a\":1}",
                   "{\"iris\":1,\"you\":{\"a\":1}}");
    assert_answers(*state, "POST /v1/echo HTTP/1.1\r\n" ENDS, "\"you\":{}");
}

static void explains_errors(void **state)
{
    assert_answers(*state, "GET /v2/ps HTTP/1.1\r\n" ENDS, "404 Not Found");
    assert_answers(*state, "GET /v2/ps HTTP/1.1\r\n" ENDS,
                   "{\"iris\":1,\"error\":{\"code\":\"no-such-verb\"");
    assert_answers(*state, "POST /v1/health HTTP/1.1\r\n" ENDS, "405 Method Not Allowed");
    assert_answers(*state, "POST /v1/echo HTTP/1.1\r\nContent-Length: 2\r\n" ENDS "{]",
                   "\"code\":\"bad-request\",\"message\":\"the body is not JSON: line 1, column 2");
    assert_answers(*state, "POST /v1/echo HTTP/1.1\r\nContent-Length: 2\r\n" ENDS "[]",
                   "but not an object");
    assert_answers(*state,
                   "POST /v1/echo HTTP/1.1\r\nContent-Length: 13\r\n" ENDS "{\"a\":1,\"a\":2}",
                   "duplicate object key");
    assert_answers(*state, "POST /v1/broken HTTP/1.1\r\n" ENDS, "404 Not Found");
    assert_answers(*state, "POST /v1/broken HTTP/1.1\r\n" ENDS,
                   "\"message\":\"no actor \\\"/a?\\\"\",\"hint\":\"iris ps\"");
    assert_answers(*state, "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "a folded header line");
}

static void keeps_the_connection(void **state)
{
    int fd = dial(*state);
    for (int i = 0; i < 1000; i++) {
        say(fd, "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_hears(hear_one(fd), "Connection: keep-alive");
    }
    close(fd);
}

static void answers_pipelined_requests_in_order(void **state)
{
    int fd = dial(*state);
    struct text all = {0};
    for (int i = 0; i < 300; i++)
        iris__text_addf(&all, "POST /v1/echo HTTP/1.1\r\nContent-Length: 10\r\n%s\r\n{\"n\":%04d}",
                        i == 299 ? "Connection: close\r\n" : "", 1000 + i);
    say(fd, all.data);
    iris__text_finish(&all);
    char *got = hear_all(fd), *at = got;
    for (int i = 0; i < 300; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "{\"n\":%d}", 1000 + i);
        assert_non_null(at = strstr(at, "\"you\":"));
        at += 6;
        assert_memory_equal(at, expected, strlen(expected));
    }
    free(got);
}

static void answers_who_has_stopped_sending(void **state)
{
    int fd = dial(*state);
    say(fd, "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(fd, SHUT_WR);
    assert_hears(hear_all(fd), "\"ok\":true");
}

/* ---- replies that come later ---- */

static void *complete(void *arg)
{
    iris__control_reply(arg, 200, json_pack("{s:s}", "from", "a thread"));
    return NULL;
}

static void takes_replies_of_other_threads(void **state)
{
    struct bench *b = *state;
    int fd[16];
    pthread_t threads[16];
    for (int i = 0; i < 16; i++)
        say(fd[i] = dial(b), "POST /v1/keep HTTP/1.1\r\n" ENDS);
    await_kept(b, 16);
    for (int i = 0; i < 16; i++)
        pthread_create(&threads[i], NULL, complete, b->kept[i]);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 16; i++)
        assert_hears(hear_all(fd[i]), "\"from\":\"a thread\"");
}

static void survives_a_client_that_left(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 20; i++) {
        int fd = dial(b);
        say(fd, "POST /v1/keep HTTP/1.1\r\n\r\nGET /v1/health HTTP/1.1\r\n\r\n");
        await_kept(b, i + 1);
        close(fd);
    }
    for (int i = 0; i < 20; i++)
        complete(b->kept[i]);
    assert_answers(b, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true");
}

static void ends_with_open_replies(void **state)
{
    struct bench *b = *state;
    int fd[8];
    for (int i = 0; i < 8; i++)
        say(fd[i] = dial(b), "POST /v1/keep HTTP/1.1\r\nHost: x\r\n\r\n");
    int idle = dial(b);
    await_kept(b, 8);
    complete(b->kept[0]); /* complete before the end: it is sent */
    iris__control_close(b->control);
    b->control = NULL;
    assert_hears(hear_all(fd[0]), "200 OK");
    for (int i = 1; i < 8; i++) {
        assert_hears(hear_all(fd[i]), "503 Service Unavailable");
        complete(b->kept[i]); /* for nobody */
    }
    assert_hears(hear_all(idle), "");
}

/* Who has more to end than the server keeps others from the name meanwhile; who watches is told how it
 * ended, and is not told of the next one. */
static void leaves_the_claim_to_its_owner(void **state)
{
    struct bench *b = *state;
    struct socket_claim claim;
    int watch = iris_app_watch(b->path);
    iris__control_take_claim(b->control, &claim);
    iris__control_close(b->control);
    b->control = NULL;
    assert_int_equal(iris__control_open(b->path, verbs, b, &b->control), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "runs already"));
    assert_int_equal(iris_app_watched(watch), IRIS_AGAIN);
    iris__socket_note_end(&claim, 0);
    iris__socket_release(&claim);
    assert_int_equal(iris__control_open(b->path, verbs, b, &b->control), IRIS_OK);
    assert_int_equal(iris_app_watched(watch), IRIS_FAIL);
    assert_non_null(strstr(iris_app_reason(), "a handler did not return"));
    close(watch);
}

/* A client that does not read its answer cannot hold up the end. */
static void ends_in_spite_of_a_deaf_client(void **state)
{
    struct bench *b = *state;
    int fd = dial(b);
    say(fd, "POST /v1/keep HTTP/1.1\r\nHost: x\r\n\r\n");
    await_kept(b, 1);
    char *much = malloc(8 << 20);
    memset(much, 'x', 8 << 20);
    iris__control_reply(b->kept[0], 200, json_pack("{s:s%}", "much", much, (size_t)8 << 20));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    poll(&p, 1, -1);
    iris__control_close(b->control);
    b->control = NULL;
    close(fd);
    free(much);
}

/* ---- bounds ---- */

static void refuses_large_requests(void **state)
{
    struct text all = {0};
    iris__text_addf(&all, "POST /v1/echo HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n");
    for (int i = 0; i < 3000; i++)
        iris__text_addf(&all, "%01000d", 0);
    assert_answers(*state, all.data, "413 Content Too Large");
    iris__text_finish(&all);
    iris__text_addf(&all, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < 100; i++)
        iris__text_addf(&all, "%01000d", 0);
    assert_answers(*state, all.data, "431 Request Header Fields Too Large");
    iris__text_finish(&all);
}

/* 56 requests that wait, and 8 connections that do nothing: the next one waits for a place. */
static void keeps_places_and_lets_the_65th_wait(void **state)
{
    struct bench *b = *state;
    int fd[56], idle[8];
    for (int i = 0; i < 56; i++)
        say(fd[i] = dial(b), "POST /v1/keep HTTP/1.1\r\n" ENDS);
    await_kept(b, 56);
    assert_answers(b, "POST /v1/keep HTTP/1.1\r\n" ENDS, "56 requests wait for their answers");
    assert_answers(b, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true");
    for (int i = 0; i < 8; i++)
        idle[i] = dial(b);
    int next = dial(b);
    say(next, "GET /v1/health HTTP/1.1\r\n" ENDS);
    close(idle[0]);
    assert_hears(hear_all(next), "\"ok\":true");
    for (int i = 0; i < 56; i++)
        complete(b->kept[i]);
    for (int i = 0; i < 56; i++)
        assert_hears(hear_all(fd[i]), "a thread");
    for (int i = 1; i < 8; i++)
        close(idle[i]);
}

/* Also while somebody waits for a place it ends. */
static void ends_with_one_that_waits_for_a_place(void **state)
{
    struct bench *b = *state;
    int fd[65];
    for (int i = 0; i < 65; i++)
        fd[i] = dial(b);
    iris__control_close(b->control);
    b->control = NULL;
    for (int i = 0; i < 65; i++)
        assert_hears(hear_all(fd[i]), "");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One drips a request, one begins none, one reads nothing; the others are served meanwhile. */
static void gives_a_request_five_seconds(void **state)
{
    int64_t begin = now_ms();
    int slow = dial(*state), silent = dial(*state);
    say(slow, "GET /v1/he");
    for (;;) {
        struct pollfd p = {.fd = slow, .events = POLLIN};
        if (poll(&p, 1, 200))
            break;
        say(slow, "a");
        assert_answers(*state, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true");
    }
    assert_true(now_ms() - begin >= 4900);
    assert_hears(hear_all(slow), "408 Request Timeout");
    char *nothing = hear_all(silent);
    assert_string_equal(nothing, "");
    free(nothing);
}

/* ---- who may come in ---- */

static void lets_nobody_else_in(void **state)
{
    struct bench *b = *state;
    struct stat st;
    assert_int_equal(stat(b->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    if (geteuid() != 0)
        skip();
    /* Even if somebody opens the doors later. */
    assert_int_equal(chmod(b->dir, 0755) | chmod(b->path, 0666), 0);
    pid_t child = fork();
    if (!child) {
        if (setgid(65534) || setuid(65534))
            _exit(2);
        int fd = try_dial(b->path);
        char got[64] = "";
        say(fd, "GET /v1/health HTTP/1.1\r\n" ENDS);
        if (read(fd, got, sizeof got - 1) <= 0)
            _exit(3);
        _exit(strstr(got, "403 Forbidden") ? 0 : 4);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void refuses_a_directory_of_others(void **state)
{
    struct bench *b = *state;
    char path[128], dir[96];
    struct control *c;
    snprintf(dir, sizeof dir, "%s/open", b->dir);
    snprintf(path, sizeof path, "%s/app.sock", dir);
    mkdir(dir, 0700);
    chmod(dir, 0777);
    assert_int_equal(iris__control_open(path, verbs, b, &c), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "mode 0777 lets others in; expected a directory of"));
    rmdir(dir);
    assert_int_equal(symlink(b->dir, dir), 0);
    assert_int_equal(iris__control_open(path, verbs, b, &c), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "not a directory"));
    unlink(dir);
}

/* ---- one of a name ---- */

static void refuses_a_second_of_the_name(void **state)
{
    struct bench *b = *state;
    struct control *second;
    char pid[32];
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_int_equal(iris__control_open(b->path, verbs, b, &second), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), pid));
    assert_answers(b, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true"); /* the first lives on */
}

static void takes_over_from_the_dead(void **state)
{
    struct bench *b = *state = bench_create();
    pid_t child = fork();
    if (!child) {
        struct control *c;
        raise(iris__control_open(b->path, verbs, b, &c) ? SIGTERM : SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(access(b->path, F_OK), 0); /* what kill -9 leaves */
    assert_int_equal(access(b->lock, F_OK), 0);
    open_control(b);
    assert_answers(b, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true");
}

static void removes_no_file_of_the_user(void **state)
{
    struct bench *b = *state = bench_create();
    close(open(b->path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(iris__control_open(b->path, verbs, b, &b->control), IRIS_FAIL);
    assert_non_null(strstr(iris__reason(), "not a socket"));
    assert_int_equal(unlink(b->path), 0); /* it was still there */
}

/* ---- finding it ---- */

static void finds_the_running_app(void **state)
{
    (void)state;
    char dir[] = "/tmp/iris-test-XXXXXX", sub[64], path[IRIS_SOCKET_ROOM], found[IRIS_SOCKET_ROOM];
    struct control *one, *two;
    setenv("XDG_RUNTIME_DIR", mkdtemp(dir), 1);
    unsetenv("IRIS_APP");
    assert_int_equal(iris_socket_find(NULL, found, sizeof found), IRIS_DEAD);
    assert_int_equal(iris_socket_path("one", path, sizeof path), IRIS_OK);
    assert_int_equal(iris__control_open(path, verbs, NULL, &one), IRIS_OK);
    assert_int_equal(iris_socket_find(NULL, found, sizeof found), IRIS_OK);
    assert_string_equal(found, path);
    assert_int_equal(iris_socket_path("two", path, sizeof path), IRIS_OK);
    assert_int_equal(iris__control_open(path, verbs, NULL, &two), IRIS_OK);
    assert_int_equal(iris_socket_find(NULL, found, sizeof found), IRIS_AGAIN);
    assert_non_null(strstr(iris_app_reason(), "2 apps run here: "));
    setenv("IRIS_APP", "two", 1);
    assert_int_equal(iris_socket_find(NULL, found, sizeof found), IRIS_OK);
    assert_string_equal(found, path);
    assert_int_equal(iris_socket_find(path, found, sizeof found), IRIS_OK);
    assert_int_equal(iris_socket_find("three", found, sizeof found), IRIS_DEAD);
    assert_int_equal(iris_socket_find("../x", found, sizeof found), IRIS_DEAD);
    assert_int_equal(iris_socket_find(".x", found, sizeof found), IRIS_FAIL);
    iris__control_close(one);
    iris__control_close(two);
    snprintf(sub, sizeof sub, "%s/iris", dir);
    assert_int_equal(rmdir(sub) | rmdir(dir), 0);
}

static void travels_as_base64(void **state)
{
    (void)state;
    unsigned char bytes[256], back[256];
    char text[IRIS_BASE64_ROOM(256)];
    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n <= 256; n++) {
        size_t len = iris_base64_encode(text, bytes, n);
        assert_int_equal(len, strlen(text));
        assert_int_equal(iris_base64_decode(back, text, len), n);
        assert_memory_equal(back, bytes, n);
    }
    iris_base64_encode(text, "iris", 4);
    assert_string_equal(text, "aXJpcw==");
    const char *bad[] = {"a", "aXJ", "aX=p", "====", "aXJpc===", "aXJpcx==", "aXJ\n", "aXJpc_=="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(iris_base64_decode(back, bad[i], strlen(bad[i])), -1);
}

static void starts_and_ends_many_times(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 200; i++) {
        iris__control_close(b->control);
        open_control(b);
        assert_answers(b, "GET /v1/health HTTP/1.1\r\n" ENDS, "\"ok\":true");
    }
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST_WITH("p10.control_answers", answers, setup, teardown),
    IRIS_TEST_WITH("p10.control_explains_errors", explains_errors, setup, teardown),
    IRIS_TEST_WITH("p10.control_keeps_the_connection", keeps_the_connection, setup, teardown),
    IRIS_TEST_WITH("p10.control_answers_pipelined_requests_in_order",
                   answers_pipelined_requests_in_order, setup, teardown),
    IRIS_TEST_WITH("p10.control_answers_who_has_stopped_sending", answers_who_has_stopped_sending,
                   setup, teardown),
    IRIS_TEST_WITH("p10.control_takes_replies_of_other_threads", takes_replies_of_other_threads,
                   setup, teardown),
    IRIS_TEST_WITH("p10.control_survives_a_client_that_left", survives_a_client_that_left, setup,
                   teardown),
    IRIS_TEST_WITH("p9.control_ends_with_open_replies", ends_with_open_replies, setup, teardown),
    IRIS_TEST_WITH("p9.control_ends_in_spite_of_a_deaf_client", ends_in_spite_of_a_deaf_client,
                   setup, teardown),
    IRIS_TEST_WITH("p10.control_refuses_large_requests", refuses_large_requests, setup, teardown),
    IRIS_TEST_WITH("p9.control_leaves_the_claim_to_its_owner", leaves_the_claim_to_its_owner, setup,
                   teardown),
    IRIS_TEST_WITH("p10.control_keeps_places_and_lets_the_65th_wait",
                   keeps_places_and_lets_the_65th_wait, setup, teardown),
    IRIS_TEST_WITH("p9.control_ends_with_one_that_waits_for_a_place",
                   ends_with_one_that_waits_for_a_place, setup, teardown),
    IRIS_TEST_WITH("p10.control_gives_a_request_five_seconds", gives_a_request_five_seconds, setup,
                   teardown),
    IRIS_TEST_WITH("p10.control_lets_nobody_else_in", lets_nobody_else_in, setup, teardown),
    IRIS_TEST_WITH("p10.control_refuses_a_directory_of_others", refuses_a_directory_of_others,
                   setup, teardown),
    IRIS_TEST_WITH("control.refuses_a_second_of_the_name", refuses_a_second_of_the_name, setup,
                   teardown),
    IRIS_TEST_WITH("control.takes_over_from_the_dead", takes_over_from_the_dead, NULL, teardown),
    IRIS_TEST_WITH("control.removes_no_file_of_the_user", removes_no_file_of_the_user, NULL,
                   teardown),
    IRIS_TEST("control.finds_the_running_app", finds_the_running_app),
    IRIS_TEST("control.travels_as_base64", travels_as_base64),
    IRIS_TEST_WITH("p9.control_starts_and_ends_many_times", starts_and_ends_many_times, setup,
                   teardown),
};
IRIS_MAIN(tests)
