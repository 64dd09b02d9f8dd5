/* Mail between two meshes: whole, in order, counted to the last one, whatever happens to the link. */
#include "main.h"

#include "meshes.h"

#include <time.h>

struct pair {
    struct meshes net;
    struct end *a, *b;
};

static void pair_up_with(struct pair *p, const struct mesh_config *config, size_t pipe)
{
    meshes_begin(&p->net);
    p->net.pipe = pipe;
    p->a = meshes_add_with(&p->net, "a", 1, config);
    p->b = meshes_add_with(&p->net, "b", 2, config);
    mesh_want(p->a->mesh, "b:1", MESH_OURS);
    meshes_run(&p->net, 50 * MS);
    assert_int_equal(p->a->ups + p->b->ups, 2);
}

static const struct mesh_config usual = {.cookie = "0123456789abcdef0123456789abcdef",
                                         .cookie_len = 32};

static void pair_up(struct pair *p)
{
    pair_up_with(p, &usual, 0);
}

static int send_bytes(struct end *e, uint64_t to, const void *bytes, size_t n)
{
    iris_message m = {.len = (uint32_t)n, .from = 7, .to = to, .data = bytes};
    return mesh_send(e->mesh, &m);
}

/* sent = handled + letters, by what this end and the other say. */
static void assert_exact(struct pair *p, uint64_t sent)
{
    assert_int_equal(p->b->delivered + p->a->lettered, sent);
}

/* ---- pieces ---- */

static void large_ones_come_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000, 1 << 20};
    struct pair p;
    char *data = calloc(1, 1 << 20);
    (void)state;
    for (size_t chop = 0; chop < 3; chop++) {
        pair_up(&p);
        p.net.chop = chop * 4099;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            snprintf(data, 16, "%zu", sizes[i]);
            assert_int_equal(send_bytes(p.a, end_abroad(p.a, 9), data, sizes[i]), IRIS_OK);
        }
        mesh_flush(p.a->mesh, p.a->index);
        meshes_run(&p.net, 100 * MS);
        assert_int_equal(p.b->ngot, 8);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(p.b->got[i].len, sizes[i]);
            if (sizes[i] > 1)
                assert_int_equal(atol(p.b->got[i].text), sizes[i]);
        }
        assert_int_equal(send_bytes(p.a, end_abroad(p.a, 9), data, (1 << 20) + 1), IRIS_LARGE);
        meshes_finish(&p.net);
    }
    free(data);
}

/* A byte at a time: every place at which a read can end. */
static void any_chunks_do(void **state)
{
    struct pair p;
    (void)state;
    for (size_t chop = 1; chop < 40; chop++) {
        pair_up(&p);
        p.net.chop = chop;
        for (int i = 0; i < 10; i++) {
            char text[32];
            snprintf(text, sizeof text, "%d............", i);
            end_send(p.a, 7, end_abroad(p.a, 9), text, i & 1 ? 33 : 0);
        }
        meshes_run(&p.net, 20 * MS);
        assert_int_equal(p.b->ngot, 10);
        for (int i = 0; i < 10; i++)
            assert_int_equal(atoi(p.b->got[i].text), i);
        meshes_finish(&p.net);
    }
}

/* 16 KiB fit into the pipe, and it is read in 1 KiB pieces: control passes the mail that waits. */
static void control_passes_mail(void **state)
{
    struct pair p;
    char *data = calloc(1, 1 << 20);
    (void)state;
    pair_up_with(&p, &usual, 16384);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_bytes(p.a, end_abroad(p.a, 9), data, 1 << 20), IRIS_OK);
    mesh_flush(p.a->mesh, p.a->index);
    size_t before = p.a->written;
    end_signal(p.a, IRIS_MONITOR, 7, end_abroad(p.a, 9), 77, "");
    for (int i = 0; i < 1000 && !p.b->ngot; i++) {
        p.net.chop = 1024;
        meshes_move(&p.net);
    }
    assert_int_equal(p.b->got[0].kind, IRIS_MONITOR);
    assert_true(p.a->written - before < 65536 + 3 * 16384); /* the piece that had begun, no more */
    p.net.chop = 0;
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(p.b->ngot, 4);
    meshes_finish(&p.net);
    free(data);
}

static int has_signal(const struct end *e)
{
    for (int i = 0; i < e->ngot; i++)
        if (e->got[i].kind == IRIS_MONITOR)
            return 1;
    return 0;
}

/* So much time, in which the line takes so much of the large messages that wait without end. */
static void carry(struct pair *p, int64_t time, size_t bytes_each_ms)
{
    static const char large[1 << 20];
    for (int64_t end = p->net.now + time; p->net.now < end; p->net.now += MS) {
        p->net.chop = bytes_each_ms;
        meshes_move(&p->net);
        if (end_node(p->a, "b").queued < 1 << 20)
            send_bytes(p->a, end_abroad(p->a, 9), large, sizeof large);
        mesh_flush(p->a->mesh, p->a->index);
    }
}

static void pieces_fit_the_line(void **state)
{
    struct pair p;
    (void)state;
    pair_up_with(&p, &usual, 16384);
    carry(&p, 300 * MS, 2500);
    assert_int_equal(p.a->pace, 16384); /* 6.5 ms of it */
    carry(&p, SECOND, 2500);            /* what was cut before is gone */
    size_t before = p.a->written;
    end_signal(p.a, IRIS_MONITOR, 7, end_abroad(p.a, 9), 77, "");
    while (!has_signal(p.b))
        carry(&p, MS, 2500);
    assert_true(p.a->written - before <= 16384 + 16384); /* its piece, and what the pipe holds */
    carry(&p, 300 * MS, 100000);
    assert_int_equal(p.a->pace, 65536);
    meshes_finish(&p.net);
}

/* ---- a full link ---- */

static void a_full_link_says_so(void **state)
{
    struct mesh_config small = usual;
    struct pair p;
    char data[1000] = {0};
    uint64_t sent = 0;
    (void)state;
    small.limits.queue = 100000;
    small.limits.window = 20000;
    pair_up_with(&p, &small, 4096);
    while (send_bytes(p.a, end_abroad(p.a, 9), data, sizeof data) == IRIS_OK)
        sent++;
    assert_in_range(sent, 80, 100);
    assert_int_equal(p.a->rooms, 0);
    assert_true(end_node(p.a, "b").queued <= 100000);
    mesh_flush(p.a->mesh, p.a->index);
    assert_int_equal(p.a->rooms, 0);
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(p.a->rooms, 1);
    assert_int_equal(p.b->ngot, (int)sent);
    assert_int_equal(send_bytes(p.a, end_abroad(p.a, 9), data, sizeof data), IRIS_OK);
    meshes_finish(&p.net);
}

/* Nothing of it is read for so long: the line is broken, whatever comes from the other side. */
static void a_link_that_takes_nothing_ends(void **state)
{
    struct pair p;
    char *data = calloc(1, 100000);
    (void)state;
    pair_up_with(&p, &usual, 4096);
    end_cut(p.b, 0, 0);
    for (int i = 0; i < WIRES; i++)
        p.net.wires[i].side[0].blocked = 0;
    send_bytes(p.a, end_abroad(p.a, 9), data, 100000);
    mesh_flush(p.a->mesh, p.a->index);
    /* what a writes stays in the pipe: only b's side is carried */
    for (int64_t t = 0; t < 6000 && !p.a->downs; t += 10) {
        p.net.now += 10 * MS;
        for (int i = 0; i < WIRES; i++)
            if (p.net.wires[i].used)
                wire_carry(&p.net.wires[i], 1);
        p.b->alarm = p.net.now; /* and it goes on to ping */
        p.b->behind = 0;
        meshes_tick(&p.net);
    }
    assert_int_equal(p.a->downs, 1);
    meshes_finish(&p.net);
    free(data);
}

static void messages_above_the_window_go_alone(void **state)
{
    struct mesh_config small = usual;
    struct pair p;
    char *data = calloc(1, 300000);
    (void)state;
    small.limits.window = 1000;
    pair_up_with(&p, &small, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_bytes(p.a, end_abroad(p.a, 9), data, 300000), IRIS_OK);
    mesh_flush(p.a->mesh, p.a->index);
    meshes_run(&p.net, 10 * SECOND);
    assert_int_equal(p.b->ngot, 5);
    meshes_finish(&p.net);
    free(data);
}

/* ---- order ---- */

static void order_is_kept(void **state)
{
    struct pair p;
    (void)state;
    pair_up_with(&p, &usual, 5000);
    p.net.chop = 777;
    for (int i = 0; i < 4000; i++) {
        char text[64];
        snprintf(text, sizeof text, "%d%*s", i, i % 50, "");
        while (end_send(p.a, 7, end_abroad(p.a, 9), text, 0) == IRIS_FULL)
            meshes_run(&p.net, 10 * MS);
    }
    meshes_run(&p.net, SECOND);
    assert_int_equal(p.b->ngot, 4000);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(atoi(p.b->got[i].text), i);
    meshes_finish(&p.net);
}

/* ---- exact, over links that go ---- */

static void what_arrived_before_a_cut_is_known_after_it(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    p.b->taken[10] = IRIS_FULL;
    for (int i = 0; i < 10; i++)
        end_send(p.a, 7, end_abroad(p.a, i == 4 ? 10 : 9), "x", 0);
    end_cut(p.a, 0, 1); /* they arrive, and no CREDIT or NACK comes back */
    meshes_run(&p.net, 10 * MS);
    end_cut(p.a, 1, 1);
    for (int i = 0; i < 5; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "y", 0);
    assert_int_equal(p.a->nletters, 0);
    meshes_run(&p.net, 6 * SECOND);
    assert_int_equal(p.a->ups, 2);
    assert_int_equal(p.b->delivered, 9);
    assert_int_equal(p.a->nletters, 6);
    assert_string_equal(p.a->reasons[0], "full");
    assert_string_equal(p.a->reasons[1], "noconnection");
    struct mesh_node n = end_node(p.a, "b");
    assert_int_equal(n.sent, 15);
    assert_int_equal(n.acknowledged, 9);
    assert_int_equal(n.refused, 1);
    assert_int_equal(n.lost, 5);
    meshes_finish(&p.net);
}

static void a_new_run_takes_nothing_over(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    for (int i = 0; i < 10; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "x", 0);
    end_cut(p.a, 0, 1);
    meshes_run(&p.net, 10 * MS);
    end_crash(p.b, 1);
    end_cut(p.a, 0, 0);
    meshes_run(&p.net, 200 * MS);
    assert_int_equal(p.a->downs, 1);
    assert_int_equal(p.a->nletters, 0); /* perhaps it only lost the link */
    end_restart(p.b, 3);
    meshes_run(&p.net, SECOND);
    assert_int_equal(p.a->ups, 2);
    assert_int_equal(p.a->nletters, 10); /* nobody knows */
    meshes_finish(&p.net);
}

static void who_does_not_come_back_is_given_up(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    end_cut(p.a, 1, 1);
    for (int i = 0; i < 10; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "x", 0);
    end_crash(p.b, 0);
    meshes_run(&p.net, 60 * SECOND);
    assert_int_equal(p.a->nletters, 0);
    meshes_run(&p.net, 10 * SECOND);
    assert_int_equal(p.a->nletters, 10);
    meshes_finish(&p.net);
}

static void goodbye_settles(void **state)
{
    struct pair p;
    (void)state;
    pair_up(&p);
    for (int i = 0; i < 10; i++)
        end_send(p.a, 7, end_abroad(p.a, 9), "x", 0);
    mesh_unwant(p.a->mesh, "b:1");
    assert_int_equal(p.a->downs, 1);
    meshes_run(&p.net, 100 * MS);
    assert_int_equal(p.b->downs, 1);
    assert_int_equal(p.b->delivered, 10); /* what was taken goes before goodbye */
    assert_int_equal(p.a->nletters, 0);
    assert_int_equal(end_node(p.a, "b").acknowledged, 10);
    meshes_run(&p.net, 70 * SECOND);
    assert_int_equal(p.a->nletters, 0);
    assert_int_equal(p.a->dialled, 1);
    meshes_finish(&p.net);
}

/* Cuts, resets and refusals as chance has it: in the end the sum is right, each time. */
static void chaos_counts(void **state)
{
    char data[3000] = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct mesh_config small = usual;
        struct pair p;
        struct end dice = {.random = seed};
        uint64_t sent = 0, last = 0;
        small.limits.queue = 20000;
        small.limits.window = 6000;
        pair_up_with(&p, &small, seed % 3 ? 3000 : 0);
        p.net.chop = seed % 5 * 501;
        p.b->taken[10] = IRIS_FULL;
        p.b->taken[11] = IRIS_DEAD;
        for (int i = 0; i < 400; i++) {
            uint64_t r = end_random(&dice);
            uint64_t to = end_abroad(p.a, 9 + r % 4);
            sent += send_bytes(p.a, to, data, r >> 8 & 1 ? r >> 16 & 2047 : 10) == IRIS_OK;
            if (r >> 32 & 1)
                mesh_flush(p.a->mesh, p.a->index);
            if (!(r >> 40 & 31))
                end_cut(p.a, r >> 46 & 1, r >> 47 & 1);
            if (!(r >> 48 & 15))
                meshes_run(&p.net, (int64_t)(r >> 52 & 1023) * MS);
            else
                meshes_move(&p.net);
            assert_true(p.b->delivered >= last);
            last = p.b->delivered;
        }
        end_cut(p.a, 0, 0);
        meshes_run(&p.net, 200 * SECOND);
        if (p.b->delivered + p.a->lettered != sent)
            fprintf(stderr, "seed %d\n", (int)seed);
        assert_exact(&p, sent);
        struct mesh_node n = end_node(p.a, "b");
        assert_int_equal(n.acknowledged + n.refused + n.lost, n.sent);
        meshes_finish(&p.net);
    }
}

/* ---- speed ---- */

static void speed(void **state)
{
    struct pair p;
    struct timespec t[2];
    char data[64] = {0};
    enum { TIMES = 20000, EACH = 700 };
    (void)state;
    pair_up(&p);
    p.b->ngot = KEPT;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[0]);
    for (int i = 0; i < TIMES; i++) {
        for (int j = 0; j < EACH; j++)
            send_bytes(p.a, end_abroad(p.a, 9), data, sizeof data);
        mesh_flush(p.a->mesh, p.a->index);
        while (meshes_move(&p.net))
            ;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[1]);
    double s = (double)(t[1].tv_sec - t[0].tv_sec) + (double)(t[1].tv_nsec - t[0].tv_nsec) / 1e9;
    assert_int_equal(p.b->delivered, TIMES * EACH);
    printf("64 bytes, both ends on one core: %.1f M messages/s\n", TIMES * EACH / s / 1e6);
    meshes_finish(&p.net);
}

static const struct CMUnitTest tests[] = {
    IRIS_TEST("mesh.large_ones_come_whole", large_ones_come_whole),
    IRIS_TEST("mesh.any_chunks_do", any_chunks_do),
    IRIS_TEST("mesh.control_passes_mail", control_passes_mail),
    IRIS_TEST("mesh.pieces_fit_the_line", pieces_fit_the_line),
    IRIS_TEST("p7.mesh_a_full_link_says_so", a_full_link_says_so),
    IRIS_TEST("mesh.a_link_that_takes_nothing_ends", a_link_that_takes_nothing_ends),
    IRIS_TEST("mesh.messages_above_the_window_go_alone", messages_above_the_window_go_alone),
    IRIS_TEST("p1.mesh_order_is_kept", order_is_kept),
    IRIS_TEST("p2.mesh_what_arrived_before_a_cut_is_known_after_it",
              what_arrived_before_a_cut_is_known_after_it),
    IRIS_TEST("p2.mesh_a_new_run_takes_nothing_over", a_new_run_takes_nothing_over),
    IRIS_TEST("p2.mesh_who_does_not_come_back_is_given_up", who_does_not_come_back_is_given_up),
    IRIS_TEST("p2.mesh_goodbye_settles", goodbye_settles),
    IRIS_TEST("p2.mesh_chaos_counts", chaos_counts),
    IRIS_SOAK("mesh.speed", speed),
};
IRIS_MAIN(tests)
