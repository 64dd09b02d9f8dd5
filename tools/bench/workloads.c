#include "bench.h"

#include "exchange.h"
#include "latency.h"
#include "lives.h"
#include "machine.h"

/* clang-format off */
#define RATE {{"handled", "M msgs/s", 0}}
#define LATENCY {{"p50", "us", 1}, {"p99", "us", 1}}
#define LIVES {{"memory", "bytes/actor", 1}, {"rate", "k spawns/s", 0}}

#define MACHINE(name, title, size, kind, ...) {name, title, 0, size, 0, {__VA_ARGS__}, kind##_floor, NULL}
#define EXCHANGE(name, title, workers, size, order, kind) \
    {name, title, workers, size, order, RATE, kind##_floor, kind##_iris}
#define LIGHT(title, workers, floods) {"light", title, workers, floods, 0, LATENCY, light_floor, light_iris}
#define ASK(title, workers, floods) {"ask", title, workers, floods, 0, LATENCY, NULL, ask_iris}

const struct workload workloads[] = {
    MACHINE("queue", "queue hand-off between two threads", 0, queue, {"handed", "M msgs/s", 0}),
    MACHINE("wake", "wake a thread by futex, one way", 0, wake, {"p50", "us", 1}, {"p99", "us", 1}),
    MACHINE("wake", "wake a thread by eventfd, one way", 1, wake, {"p50", "us", 1}, {"p99", "us", 1}),
    MACHINE("line", "a cache line from core to core", 0, line, {"one way", "ns", 1}),
    MACHINE("touch", "touch of a cold line, of 100,000", 100000, touch, {"each", "ns", 1}),
    MACHINE("touch", "touch of a cold line, of 1,000,000", 1000000, touch, {"each", "ns", 1}),

    EXCHANGE("ping-pong", "ping-pong, 1 pair", 1, 1, 0, pingpong),
    EXCHANGE("ping-pong", "ping-pong, 1 pair", 2, 1, 0, pingpong),
    EXCHANGE("pairs", "ping-pong, 1,000 pairs", 1, 1000, 0, pingpong),
    EXCHANGE("pairs", "ping-pong, 1,000 pairs", 2, 1000, 0, pingpong),
    EXCHANGE("fan-in", "fan-in, 100 to 1", 1, 100, LARGE_BUDGET, fanin),
    EXCHANGE("fan-in", "fan-in, 100 to 1", 2, 100, LARGE_BUDGET, fanin),
    EXCHANGE("fan-in", "fan-in, 100 to 1 of default budget", 1, 100, DEFAULT_BUDGET, fanin),
    EXCHANGE("fan-in", "fan-in, 100 to 1 of default budget", 2, 100, DEFAULT_BUDGET, fanin),
    EXCHANGE("outside", "outside thread to 100,000, round robin", 1, 100000, ROUND_ROBIN, outside),
    EXCHANGE("outside", "outside thread to 100,000, round robin", 2, 100000, ROUND_ROBIN, outside),
    EXCHANGE("outside-row", "outside thread to 100,000, 10 in a row", 1, 100000, IN_A_ROW, outside),
    EXCHANGE("outside-row", "outside thread to 100,000, 10 in a row", 2, 100000, IN_A_ROW, outside),

    {"spawn", "100,000 idle actors", 1, 100000, 0, LIVES, spawn_floor, spawn_iris},
    {"spawn", "1,000,000 idle actors", 1, 1000000, 0, LIVES, spawn_floor, spawn_iris},
    {"swap", "swaps of a stateful counter", 1, 0, 0, {{"in effect", "k swaps/s", 0}}, NULL, swap_iris},

    ASK("ask from outside", 1, 0),
    ASK("ask from outside", 2, 0),
    {"inner-ask", "ask between two actors", 1, 0, 0, LATENCY, NULL, inner_ask_iris},

    LIGHT("light actor, alone", 1, 0),
    LIGHT("light actor, alone", 2, 0),
    LIGHT("light actor, beside 1 that floods", 1, 1),
    LIGHT("light actor, beside 1 that floods", 2, 1),
    LIGHT("light actor, beside 100 that flood", 1, 100),
    LIGHT("light actor, beside 100 that flood", 2, 100),
    ASK("ask from outside, beside 1 that floods", 1, 1),
    ASK("ask from outside, beside 1 that floods", 2, 1),
    ASK("ask from outside, beside 100 that flood", 1, 100),
    ASK("ask from outside, beside 100 that flood", 2, 100),
};
/* clang-format on */

const int workload_count = sizeof workloads / sizeof *workloads;
