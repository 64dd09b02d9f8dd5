/* The differ of `iris apply`: two manifests in, a plan out, and nothing else looked at. */
#include "main.h"

#include "plan.h"

#include <stdlib.h>

static struct manifest *parse(const char *text)
{
    struct manifest *m = NULL;
    struct problems problems = {0};
    struct text said = {0};
    iris__manifest_parse("/tmp/app.json", text, strlen(text), NULL, 0, &m, &problems);
    iris__problems_text(&problems, 0, &said);
    assert_string_equal(said.data ? said.data : "", "");
    iris__text_finish(&said);
    iris__problems_finish(&problems);
    return m;
}

struct seen {
    struct text steps, refused;
    size_t kept;
};

static struct seen differ_with(const char *from, const char *to, const struct plan_facts *facts)
{
    struct manifest *a = parse(from), *b = parse(to);
    struct problems problems = {0};
    struct plan plan;
    struct seen s = {0};
    iris__plan(a, b, facts, &plan, &problems);
    iris__manifest_free(a); /* the plan is read once they are gone */
    iris__manifest_free(b);
    assert_int_equal(plan.no_memory, 0);
    iris__text_add(&s.steps, "", 0);
    iris__text_add(&s.refused, "", 0);
    for (size_t i = 0; i < plan.n; i++) {
        iris__plan_line(&plan.steps[i], &s.steps);
        iris__text_addf(&s.steps, "\n");
    }
    for (size_t i = 0; i < problems.n; i++)
        iris__text_addf(&s.refused, "%s: %s\n", problems.items[i].pointer,
                        problems.items[i].message);
    s.kept = plan.kept;
    iris__plan_finish(&plan);
    iris__problems_finish(&problems);
    return s;
}

static void expect_with(const char *from, const char *to, const struct plan_facts *facts,
                        const char *steps, size_t kept)
{
    struct seen s = differ_with(from, to, facts);
    assert_string_equal(s.refused.data, "");
    assert_string_equal(s.steps.data, steps);
    assert_int_equal(s.kept, kept);
    iris__text_finish(&s.steps);
    iris__text_finish(&s.refused);
}

static void expect(const char *from, const char *to, const char *steps, size_t kept)
{
    expect_with(from, to, NULL, steps, kept);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct seen s = differ_with(from, to, NULL);
    if (!strstr(s.refused.data, why))
        fail_msg("expected \"%s\" in \"%s\"", why, s.refused.data);
    iris__text_finish(&s.steps);
    iris__text_finish(&s.refused);
}

/* clang-format off */
#define APP(rest) "{\"name\": \"t\", " rest "}"
#define ACTORS(list) "\"actors\": [" list "]"
#define A(path, more) "{\"path\": \"" path "\", \"handler\": \"./" "x.so\"" more "}"
/* clang-format on */

static void same(void **state)
{
    (void)state;
    const char *all = APP(
        "\"supervisors\": [{\"path\": \"/s\", \"backoff\": {\"initial\": \"1s\"}}], "
        "\"logs\": {\"levels\": {\"/s\": \"debug\"}}, \"hosts\": {\"python\": {\"instances\": 2}}, " ACTORS(
            A("/s/a", ", \"args\": {\"n\": 1}, \"timers\": [{\"every\": \"1s\", \"send\": \"x\"}]") "," A(
                "/s/b",
                ", \"instances\": 3, \"mailbox\": {\"capacity\": 5, \"overflow\": \"block\"}")));
    expect(all, all, "", 5);
}

static void adds_and_removes(void **state)
{
    (void)state;
    expect(APP(ACTORS(A("/a", "") "," A("/b", "") "," A("/c", ", \"depends_on\": [\"/b\"]"))),
           APP(ACTORS(A("/x", ", \"depends_on\": [\"/y\"]") "," A("/a", "") "," A("/y", ""))),
           "add      /y  ./x.so\n"
           "add      /x  ./x.so\n"
           "remove   /c\n"
           "remove   /b\n",
           1);
}

static void by_key(void **state)
{
    (void)state;
    expect(
        APP(ACTORS(
            A("/a", ", \"restart\": \"never\"") "," A("/b", "") "," A("/c", "") "," A("/d", ""))),
        APP(ACTORS(
            A("/a", ", \"log_level\": \"debug\", \"budget\": 7") "," A("/b", ", \"args\": [1], \"timers\": [{\"after\": \"1s\", \"send\": 1}]") "," A(
                "/c",
                ", \"mailbox\": 7, \"swap\": {\"keep\": 9}") ","
                                                             "{\"path\": \"/d\", \"handler\": \"./y.so:two\", \"args\": 1}")),
        "set      /a  budget, restart, log_level\n"
        "set      /c  mailbox, swap.keep\n"
        "swap     /d  ./x.so -> ./y.so:two\n"
        "restart  /b  args, timers\n"
        "restart  /d  args\n",
        0);
}

static void of_order_and_words(void **state)
{
    (void)state; /* what is written elsewhere, or otherwise, is no difference */
    expect(APP(ACTORS(A("/a", ", \"shutdown\": \"1s\", \"args\": {\"a\": 1}") "," A("/b", ""))),
           APP("\"//\": \"hello\", \"env\": {\"N\": \"1\"}, " ACTORS(
               A("/b", ", \"kind\": \"any\"") "," A(
                   "/a", ", \"shutdown\": 1000, \"depends_on\": [\"/b\"], \"args\": { \"a\":1 }"))),
           "", 2);
}

static void supervisors(void **state)
{
    (void)state;
    expect(APP("\"supervisors\": [{\"path\": \"/s\"}, {\"path\": \"/old\"}], " ACTORS(
               A("/s/a", "") "," A("/old/a", ""))),
           APP("\"supervisors\": [{\"path\": \"/new\"}, {\"path\": \"/s\", \"intensity\": 9, "
               "\"backoff\": {\"initial\": \"1s\"}}], \"metrics\": {\"max_series\": 10}, " ACTORS(
                   A("/s/a", "") "," A("/old/a", ""))),
           "set      metrics  max_series\n"
           "add      supervisor /new\n"
           "set      supervisor /s  intensity, backoff, backoff.initial\n"
           "remove   supervisor /old\n",
           2);
}

static void instances(void **state)
{
    (void)state;
    const char *two = APP(ACTORS(A("/a", ", \"instances\": 2")));
    expect(two, APP(ACTORS(A("/a", ", \"instances\": 3, \"route\": \"hash\""))),
           "add      /a/3  ./x.so\n"
           "swap     /a  round_robin of 2 -> hash of 3\n",
           2);
    expect(APP(ACTORS(A("/a", ", \"instances\": 3"))), two,
           "swap     /a  round_robin of 3 -> round_robin of 2\n"
           "remove   /a/3\n",
           2);
    expect(two, APP(ACTORS(A("/a", ", \"instances\": 2, \"args\": 5"))),
           "restart  /a/1  args\nrestart  /a/2  args\n", 1);
    expect(two, APP(ACTORS(A("/b", ", \"instances\": 2"))),
           "add      /b/1  ./x.so\nadd      /b/2  ./x.so\nadd      /b  round_robin of 2\n"
           "remove   /a\nremove   /a/2\nremove   /a/1\n",
           0);
    refused(two, APP(ACTORS(A("/a", ""))),
            "/actors/0/instances: \"instances\" of /a cannot change");
}

static void facts(void **state)
{
    (void)state;
    const char *all = APP(ACTORS(A("/a", "") "," A("/b", "") "," A("/c", "") "," A("/d", "")));
    const char *code[] = {"its file has changed", "", NULL, ""};
    const unsigned char gone[] = {0, 0, 1, 0};
    struct plan_facts f = {code, gone};
    expect_with(all, all, &f,
                "add      /c  ./x.so, which has ended\n"
                "swap     /a  its file has changed\n",
                2);
    expect_with(all, APP(ACTORS("{\"path\": \"/b\", \"handler\": \"./y.so\"}")),
                &(struct plan_facts){(const char *const[]){""}, gone}, "remove   /d\nremove   /a\n",
                1);
}

static void fixed(void **state)
{
    (void)state;
    const char *a = APP(ACTORS(A("/a", "")));
    static const struct {
        const char *to, *why;
    } cases[] = {
        {"{\"name\": \"u\", \"actors\": []}", "/name: \"name\" cannot change"},
        {APP("\"control\": {\"socket\": \"/tmp/x/y.sock\"}, " ACTORS(A("/a", ""))),
         "/control/socket: \"control.socket\" cannot change while the app runs"},
        {APP("\"mesh\": {\"node\": \"b\"}, " ACTORS(A("/a", ""))), "/mesh: \"mesh\" cannot"},
        {APP("\"hosts\": {\"node\": {}}, " ACTORS(A("/a", ""))), "/hosts: \"hosts\" cannot"},
        {APP("\"logs\": {\"file\": \"x.log\"}, " ACTORS(A("/a", ""))),
         "/logs/file: \"logs.file\" cannot"},
        {APP("\"logs\": {}, " ACTORS(A("/a", ""))), "/logs: \"logs\" cannot"},
        {APP("\"metrics\": {\"listen\": \"127.0.0.1:9464\"}, " ACTORS(A("/a", ""))),
         "/metrics/listen: \"metrics.listen\" cannot"},
        {APP("\"metrics\": {\"labels\": {\"cluster\": \"eu\"}}, " ACTORS(A("/a", ""))),
         "/metrics/labels: \"metrics.labels\" cannot"},
        {APP("\"process\": {\"user\": \"web\"}, " ACTORS(A("/a", ""))),
         "/process/user: \"process.user\" cannot"},
        {APP("\"process\": {\"notify\": false}, " ACTORS(A("/a", ""))),
         "/process/notify: \"process.notify\" cannot"},
        {APP("\"limits\": {\"memory\": \"1MiB\"}, " ACTORS(A("/a", ""))),
         "/limits/memory: \"limits.memory\" cannot"},
        {APP(ACTORS(A("/a", ", \"start\": \"lazy\""))), "/actors/0/start: \"start\" of /a cannot"},
        {APP(ACTORS(A("/a", ", \"mailbox\": \"unbounded\""))),
         "/actors/0/mailbox: \"mailbox.capacity\" of /a cannot"},
        {APP(ACTORS(A("/a", ", \"mailbox\": {\"bytes\": 5}"))),
         "/actors/0/mailbox: \"mailbox.bytes\" of /a"},
        {APP(ACTORS(A("/a", ", \"mailbox\": {\"warn_at\": 0.5}"))),
         "/actors/0/mailbox: \"mailbox.warn_at\" of /a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(a, cases[i].to, cases[i].why);
}

/* Each key says what a difference asks for: a new one is not forgotten. */
static void every_key(void **state)
{
    (void)state;
    static const char *const without[] = {"path", "kind", "depends_on", "shutdown", "defaults"};
    for (const struct manifest_key *k = iris__manifest_keys; k->name; k++) {
        int is_inside = *k->where && strncmp(k->where, "mesh", 4) && strncmp(k->where, "hosts", 5);
        int known = k->live != MANIFEST_NOTHING || k->planned || !k->at ||
                    !strcmp(k->where, "actors[].timers[]");
        for (size_t i = 0; i < sizeof without / sizeof *without; i++)
            known |= !strcmp(k->name, without[i]);
        if (is_inside && !known)
            fail_msg("%s.%s: what `iris apply` does about it is not said", k->where, k->name);
    }
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("plan.equal_manifests_have_no_difference", same),
    IRIS_TEST("plan.adds_in_start_order_and_removes_in_reverse", adds_and_removes),
    IRIS_TEST("plan.each_key_says_what_it_needs", by_key),
    IRIS_TEST("plan.order_and_spelling_are_no_difference", of_order_and_words),
    IRIS_TEST("plan.supervisors_come_first_and_go_last", supervisors),
    IRIS_TEST("plan.instances_come_before_their_router_and_go_after", instances),
    IRIS_TEST("plan.what_runs_counts_more_than_what_was_written", facts),
    IRIS_TEST("plan.what_cannot_change_is_named", fixed),
    IRIS_TEST("plan.no_key_is_forgotten", every_key),
};
IRIS_MAIN(tests)
