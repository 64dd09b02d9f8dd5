// One workload in a process of its own: bench WORKLOAD THREADS. Prints lines "NAME VALUE", as ../../suite knows
// them. For CAF 0.17, Debian's libcaf-dev.
#include <unistd.h>

#include <array>
#include <atomic>
#include <caf/all.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace caf;

struct small {
    uint64_t value;
};
struct large {
    std::array<uint64_t, 8> value;
};
template <class I> typename I::result_type inspect(I &f, small &x)
{
    return f(x.value);
}
template <class I> typename I::result_type inspect(I &f, large &x)
{
    auto &v = x.value;
    return f(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
}

using go = atom_constant<atom("go")>;
using again = atom_constant<atom("again")>;

static std::atomic<uint64_t> hits{0};
static std::promise<void> *finish;

static uint64_t now_ns()
{
    return (uint64_t)std::chrono::steady_clock::now().time_since_epoch().count();
}

static void await(const std::function<void()> &begin)
{
    std::promise<void> all;
    finish = &all;
    begin();
    all.get_future().wait();
}

/* Seconds from begin() until the last actor has finished. */
static double measure(const std::function<void()> &begin)
{
    uint64_t start = now_ns();
    await(begin);
    return (double)(now_ns() - start) / 1e9;
}

static void say(const std::string &name, double value)
{
    printf("%s %.6e\n", name.c_str(), value);
    fflush(stdout);
}

static double resident_bytes()
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * 4096;
}

template <class M> std::string named(const char *base)
{
    return base + std::to_string(sizeof(M));
}

// ---- pairs ----

template <class M> behavior pong(event_based_actor *self)
{
    return {[self](M x, const actor &from) { self->send(from, x); }};
}

template <class M> behavior ping(event_based_actor *self, actor peer, uint64_t rounds, uint64_t all)
{
    auto left = std::make_shared<uint64_t>(rounds);
    return {[=](go) { self->send(peer, M{}, actor{self}); },
            [=](M x) {
                if (--*left) {
                    self->send(peer, x, actor{self});
                    return;
                }
                anon_send_exit(peer, exit_reason::user_shutdown);
                if (++hits == all)
                    finish->set_value();
                self->quit();
            }};
}

template <class M> double play(actor_system &sys, uint64_t pairs, uint64_t rounds)
{
    std::vector<actor> all;
    hits = 0;
    for (uint64_t i = 0; i < pairs; i++)
        all.push_back(sys.spawn(ping<M>, sys.spawn(pong<M>), rounds, pairs));
    double took = measure([&] {
        for (auto &a : all)
            anon_send(a, go::value);
    });
    return (double)(pairs * rounds) / took / 1e6;
}

template <class M> void pairs(actor_system &sys)
{
    play<M>(sys, 1, 20000);
    say(named<M>("pair"), play<M>(sys, 1, 300000));
    play<M>(sys, 1000, 20);
    say(named<M>("pairs"), play<M>(sys, 1000, 300));
}

// ---- many to one ----

template <class M> behavior sink(event_based_actor *, uint64_t expected)
{
    auto got = std::make_shared<uint64_t>(0);
    return {[=](M) {
        if (++*got == expected)
            finish->set_value();
    }};
}

template <class M> behavior producer(event_based_actor *self, actor to, uint64_t n)
{
    return {[=](go) {
        for (uint64_t i = 0; i < n; i++)
            self->send(to, M{});
        self->quit();
    }};
}

template <class M> double fan_in(actor_system &sys, uint64_t each)
{
    auto to = sys.spawn(sink<M>, 8 * each);
    std::vector<actor> all;
    for (int i = 0; i < 8; i++)
        all.push_back(sys.spawn(producer<M>, to, each));
    double took = measure([&] {
        for (auto &a : all)
            anon_send(a, go::value);
    });
    anon_send_exit(to, exit_reason::user_shutdown);
    return 8 * (double)each / took / 1e6;
}

template <class M> double outside(actor_system &sys, uint64_t n)
{
    auto to = sys.spawn(sink<M>, n);
    double took = measure([&] {
        for (uint64_t i = 0; i < n; i++)
            anon_send(to, M{});
    });
    anon_send_exit(to, exit_reason::user_shutdown);
    return (double)n / took / 1e6;
}

template <class M> void fan_in_of(actor_system &sys)
{
    fan_in<M>(sys, 20000);
    say(named<M>("fanin"), fan_in<M>(sys, 200000));
}

template <class M> void outside_of(actor_system &sys)
{
    outside<M>(sys, 100000);
    say(named<M>("one"), outside<M>(sys, 1000000));
}

// ---- one to many ----

enum { MANY = 100000, EACH = 10, LONG_ENOUGH = 2 /* seconds */ };

static behavior counter(event_based_actor *)
{
    return {[=](small) { ++hits; }, [=](large) { ++hits; }};
}

static void await_hits(uint64_t n)
{
    while (hits < n)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
}

/* A round, once it has taken too long, is the last; what was handled counts. */
template <class M> void rounds(const std::vector<actor> &all)
{
    uint64_t start = now_ns(), sent = 0;
    hits = 0;
    for (int r = 0; r < EACH && now_ns() - start < LONG_ENOUGH * 1000000000ull; r++)
        for (auto &a : all)
            anon_send(a, M{}), sent++;
    await_hits(sent);
    say(named<M>("rounds"), (double)sent * 1e3 / (double)(now_ns() - start));
}

template <class M> void bursts(const std::vector<actor> &all, bool is_warm_up)
{
    uint64_t start = now_ns(), sent = 0;
    hits = 0;
    for (auto &a : all)
        for (int r = 0; r < (is_warm_up ? 1 : EACH); r++)
            anon_send(a, M{}), sent++;
    await_hits(sent);
    if (!is_warm_up)
        say(named<M>("bursts"), (double)sent * 1e3 / (double)(now_ns() - start));
}

static void many(actor_system &sys)
{
    std::vector<actor> all;
    for (int i = 0; i < MANY; i++)
        all.push_back(sys.spawn(counter));
    bursts<small>(all, true);
    bursts<small>(all, false);
    bursts<large>(all, false);
    rounds<small>(all);
    rounds<large>(all);
}

// ---- lives ----

static behavior idle(event_based_actor *)
{
    return {[](uint64_t) {}};
}

static void spawn(actor_system &sys)
{
    const int n = 1000000;
    std::vector<actor> all;
    all.reserve(n);
    for (int i = 0; i < 1000; i++)
        anon_send_exit(sys.spawn(idle), exit_reason::user_shutdown);
    usleep(50000);
    double before = resident_bytes();
    uint64_t start = now_ns();
    for (int i = 0; i < n; i++)
        all.push_back(sys.spawn(idle));
    say("spawn", n * 1e3 / (double)(now_ns() - start));
    usleep(200000);
    say("bytes", (resident_bytes() - before) / n);
    _exit(0);
}

static behavior node(event_based_actor *self, actor parent, uint64_t first, uint64_t size)
{
    if (size == 1) {
        self->send(parent, first);
        self->quit();
        return {};
    }
    for (uint64_t i = 0; i < 10; i++)
        self->spawn(node, actor{self}, first + i * (size / 10), size / 10);
    auto got = std::make_shared<std::pair<uint64_t, int>>(0, 0);
    return {[=](uint64_t x) {
        got->first += x;
        if (++got->second == 10) {
            self->send(parent, got->first);
            self->quit();
        }
    }};
}

static behavior root(event_based_actor *self)
{
    self->spawn(node, actor{self}, (uint64_t)0, (uint64_t)1000000);
    return {[=](uint64_t x) {
        hits = x;
        finish->set_value();
        self->quit();
    }};
}

static void tree(actor_system &sys)
{
    double took = measure([&] { sys.spawn(root); });
    if (hits == 499999500000ull)
        say("tree", took * 1e3);
    _exit(0);
}

// ---- a light actor beside some that flood: each keeps 1,000 messages to itself on their way ----

enum { SAMPLES = 500, MOST = 3 /* seconds after which it has starved */ };

static std::vector<uint64_t> took;

static behavior light(event_based_actor *)
{
    return {[](uint64_t sent) {
        took.push_back(now_ns() - sent);
        if (took.size() == SAMPLES)
            finish->set_value();
    }};
}

static behavior flooding(event_based_actor *self)
{
    return {[=](again, uint64_t x) { self->send(self, again::value, x + 1); }};
}

static void latency(actor_system &sys, const std::string &name, int floods)
{
    std::promise<void> all;
    finish = &all;
    took.reserve(SAMPLES);
    for (int f = 0; f < floods; f++) {
        auto a = sys.spawn(flooding);
        for (int i = 0; i < 1000; i++)
            anon_send(a, again::value, (uint64_t)1);
    }
    auto to = sys.spawn(light);
    for (int i = 0; i < SAMPLES; i++) {
        usleep(1000);
        anon_send(to, now_ns());
    }
    if (all.get_future().wait_for(std::chrono::seconds(MOST)) != std::future_status::ready) {
        printf("%sp50 starved\n%sp99 starved\n", name.c_str(), name.c_str());
        fflush(stdout);
        _exit(0);
    }
    std::sort(took.begin(), took.end());
    say(name + "p50", (double)took[SAMPLES / 2] / 1e3);
    say(name + "p99", (double)took[SAMPLES * 99 / 100] / 1e3);
    _exit(0);
}

struct config : actor_system_config {
    config()
    {
        add_message_type<small>("small").add_message_type<large>("large");
    }
};

static void run(actor_system &sys, const std::string &what)
{
    if (what == "pairs")
        pairs<small>(sys), pairs<large>(sys);
    else if (what == "fanin")
        fan_in_of<small>(sys), fan_in_of<large>(sys);
    else if (what == "one")
        outside_of<small>(sys), outside_of<large>(sys);
    else if (what == "many")
        many(sys);
    else if (what == "spawn")
        spawn(sys);
    else if (what == "tree")
        tree(sys);
    else if (what == "flood1")
        latency(sys, what, 1);
    else if (what == "flood100")
        latency(sys, what, 100);
}

int main(int argc, char **argv)
{
    config cfg;
    if (argc < 3)
        return 2;
    cfg.set("scheduler.max-threads", (size_t)atoi(argv[2]));
    actor_system sys{cfg};
    run(sys, argv[1]);
    fflush(stdout);
    _exit(0);
}
