#include "bench.h"

#include "disk.h"
#include "exchange.h"
#include "keeping.h"
#include "latency.h"
#include "lives.h"
#include "machine.h"
#include "meshes.h"
#include "pull.h"
#include "python.h"
#include "restarts.h"

/* clang-format off */
#define RATE {{"handled", "M msgs/s", 0}}
#define TRIPS {{"handled", "M round trips/s", 0}}
#define LATENCY {{"p50", "us", 1}, {"p99", "us", 1}}
#define LIVES {{"memory", "bytes/actor", 1}, {"rate", "k spawns/s", 0}}
#define TIME {{"all", "ms", 1}}
#define SWAPS {{"in effect", "k swaps/s", 0}}
#define DISK {{"in effect", "swaps/s", 0}, {"mappings, more", "", 1}, {"memory, more", "MB", 1}}
#define RESTARTS {{"begun", "k restarts/s", 0}}

/* The last argument is one of those above. f, i: the functions that measure the floor and Iris. */
#define ROW(n, t, w, s, o, f, i, ...) \
    {.name = n, .title = t, .workers = w, .size = s, .order = o, .floor = f, .iris = i, \
     .metrics = __VA_ARGS__}
#define ROW64(n, t, w, s, o, i, ...) \
    {.name = n, .title = t ", 64 bytes", .workers = w, .size = s, .order = o, .iris = i, .bytes = 64, \
     .metrics = __VA_ARGS__}
/* Two rows: with one worker and with two; with messages of 8 bytes, or of 64. */
#define BOTH(n, t, s, o, k, ...) \
    ROW(n, t, 1, s, o, k##_floor, k##_iris, __VA_ARGS__), ROW(n, t, 2, s, o, k##_floor, k##_iris, __VA_ARGS__)
#define BOTH64(n, t, s, o, k, ...) \
    ROW64(n, t, 1, s, o, k##_iris, __VA_ARGS__), ROW64(n, t, 2, s, o, k##_iris, __VA_ARGS__)
#define TIMERS {{"set", "ns", 1}, {"CPU", "ns/timer", 1}, {"late, p50", "us", 1}, {"late, p99", "us", 1}, {"memory", "bytes/timer", 1}}
#define NAMES {{"register", "ns", 1}, {"find", "ns", 1}, {"list 1,000", "us", 1}, {"memory", "bytes/path", 1}}

#define FAR_TRIP {{"p50", "us", 1}, {"p99", "us", 1}, {"CPU here", "us", 1}, {"CPU there", "us", 1}}
#define FAR_RATE {{"handled", "M msgs/s", 0}, {"CPU here", "ns/msg", 1}, {"CPU there", "ns/msg", 1}}
#define MESH(n, t, o, x, f, i, ...) \
    {.name = n, .title = t, .workers = 1, .size = ONLY_WHEN_NAMED, .order = o, .times = x, .floor = f, .iris = i, \
     .bytes = 64, .metrics = __VA_ARGS__}

#define MACHINE(n, t, s, k, ...) {.name = n, .title = t, .size = s, .floor = k##_floor, .metrics = {__VA_ARGS__}}
#define ASK(t, w, floods) ROW("ask", t, w, floods, 0, NULL, ask_iris, LATENCY)

const struct workload workloads[] = {
    MACHINE("queue", "queue hand-off between two threads", 0, queue, {"handed", "M msgs/s", 0}),
    MACHINE("wake", "wake a thread by futex, one way", 0, wake, {"p50", "us", 1}, {"p99", "us", 1}),
    MACHINE("wake", "wake a thread by eventfd, one way", 1, wake, {"p50", "us", 1}, {"p99", "us", 1}),
    MACHINE("sleep", "a sleep of 0.24 ms", 0, sleep, {"CPU", "us", 1}, {"late, p50", "us", 1}),
    MACHINE("line", "a cache line from core to core", 0, line, {"one way", "ns", 1}),
    MACHINE("touch", "touch of a cold line, of 100,000", 100000, touch, {"each", "ns", 1}),
    MACHINE("touch", "touch of a cold line, of 1,000,000", 1000000, touch, {"each", "ns", 1}),

    BOTH("ping-pong", "ping-pong, 1 pair", 1, 0, pingpong, TRIPS),
    BOTH64("ping-pong", "ping-pong, 1 pair", 1, 0, pingpong, TRIPS),
    BOTH("pairs", "ping-pong, 1,000 pairs", 1000, 0, pingpong, TRIPS),
    BOTH64("pairs", "ping-pong, 1,000 pairs", 1000, 0, pingpong, TRIPS),
    BOTH("fan-in-8", "fan-in, 8 to 1", 8, DEFAULT_BUDGET, fanin, RATE),
    BOTH64("fan-in-8", "fan-in, 8 to 1", 8, DEFAULT_BUDGET, fanin, RATE),
    BOTH("fan-in-8", "fan-in, 8 to 1 of large budget", 8, LARGE_BUDGET, fanin, RATE),
    BOTH("fan-in", "fan-in, 100 to 1", 100, DEFAULT_BUDGET, fanin, RATE),
    BOTH("fan-in", "fan-in, 100 to 1 of large budget", 100, LARGE_BUDGET, fanin, RATE),
    BOTH("outside-one", "outside thread to one", 1, ROUND_ROBIN, outside, RATE),
    BOTH64("outside-one", "outside thread to one", 1, ROUND_ROBIN, outside, RATE),
    BOTH("outside", "outside thread to 100,000, round robin", 100000, ROUND_ROBIN, outside, RATE),
    BOTH64("outside", "outside thread to 100,000, round robin", 100000, ROUND_ROBIN, outside, RATE),
    BOTH("outside-row", "outside thread to 100,000, 10 in a row", 100000, IN_A_ROW, outside, RATE),
    BOTH64("outside-row", "outside thread to 100,000, 10 in a row", 100000, IN_A_ROW, outside, RATE),

    ROW("spawn", "100,000 idle actors", 1, 100000, 0, spawn_floor, spawn_iris, LIVES),
    BOTH("spawn", "1,000,000 idle actors", 1000000, 0, spawn, LIVES),
    BOTH("tree", "tree of 1,111,111", 1000000, 0, tree, TIME),
    {"pull", "an actor to a pull actor", 1, 1, PULL_FROM_ACTOR, RATE, NULL, pull_iris, 0, 0},
    {"pull", "an actor to a pull actor", 2, 1, PULL_FROM_ACTOR, RATE, NULL, pull_iris, 0, 0},
    {"pull", "outside thread to a pull actor", 1, 1, PULL_FROM_OUTSIDE, RATE, NULL, pull_iris, 0, 0},
    {"pull", "outside thread to a pull actor", 2, 1, PULL_FROM_OUTSIDE, RATE, NULL, pull_iris, 0, 0},
    {"pull", "outside thread to a pull actor, 64 bytes", 1, 1, PULL_FROM_OUTSIDE, RATE, NULL, pull_iris, 64, 0},
    {"pull-pair", "ping-pong, 1 pair of pull actors", 1, 1, 0, TRIPS, NULL, pull_pingpong_iris, 0, 0},
    {"pull-pair", "ping-pong, 1 pair of pull actors", 2, 1, 0, TRIPS, NULL, pull_pingpong_iris, 0, 0},
    {"pull-spawn", "100,000 waiting pull actors", 1, 100000, 0, LIVES, NULL, pull_spawn_iris, 0, 0},

    ROW("swap", "swaps of a stateful counter", 1, 0, 0, NULL, swap_iris, SWAPS),
    {"disk", "swaps to new code from disk", 1, 0, 0, DISK, NULL, disk_iris, 0, 0},
    {"disk-minute", "swaps to new code from disk, for 60 s", 1, ONLY_WHEN_NAMED, 60, DISK, NULL, disk_iris, 0, 0},
    {"restarts", "restarts of 1 that crashes", 1, 1, 0, RESTARTS, NULL, restarts_iris, 0, 0},
    {"restarts", "restarts of 8 that crash, a supervisor each", 1, 8, 0, RESTARTS, NULL, restarts_iris, 0, 0},
    {"restarts", "restarts of 8 that crash, a supervisor each", 2, 8, 0, RESTARTS, NULL, restarts_iris, 0, 0},

    {"timers", "100,000 timers, due in 0.5 to 1.5 s", 1, 100000, 0, TIMERS, NULL, timers_iris, 0, 0},
    {"timers", "100,000 timers, due in 0.5 to 1.5 s", 2, 100000, 0, TIMERS, NULL, timers_iris, 0, 0},
    {"names", "1,000,000 paths", 1, 1000000, 0, NAMES, NULL, names_iris, 0, 0},

    ASK("ask from outside", 1, 0),
    ASK("ask from outside", 2, 0),
    ROW("inner-ask", "ask between two actors", 1, 0, 0, NULL, inner_ask_iris, LATENCY),

    BOTH("light", "light actor, alone", 0, 0, light, LATENCY),
    ROW("light", "light actor, alone, no worker spins", 1, 0, -1, NULL, light_iris, LATENCY),
    ROW("light", "light actor, alone, workers spin for 2 ms", 1, 0, 2000000, NULL, light_iris, LATENCY),
    BOTH("light", "light actor, beside 1 that floods", 1, 0, light, LATENCY),
    BOTH("light", "light actor, beside 100 that flood", 100, 0, light, LATENCY),
    ASK("ask from outside, beside 1 that floods", 1, 1),
    ASK("ask from outside, beside 1 that floods", 2, 1),
    ASK("ask from outside, beside 100 that flood", 1, 100),
    ASK("ask from outside, beside 100 that flood", 2, 100),

    ROW64("python", "outside thread to a Python handler", 1, ONLY_WHEN_NAMED, 0, python_iris, RATE),
    ROW64("python-async", "outside thread to an async def handler", 1, ONLY_WHEN_NAMED, 1, python_iris, RATE),
    ROW64("node", "outside thread to a JavaScript handler", 1, ONLY_WHEN_NAMED, 2, python_iris, RATE),
    ROW64("node-borrow", "outside thread to a JavaScript handler, borrowed", 1, ONLY_WHEN_NAMED, 3, python_iris, RATE),
    ROW64("ring", "C to Python to JavaScript and again, 1 message", 1, ONLY_WHEN_NAMED, 1, ring_iris, RATE),
    ROW64("ring", "C to Python to JavaScript and again, 100 messages", 1, ONLY_WHEN_NAMED, 100, ring_iris, RATE),

    MESH("mesh-trip", "to another process and back; floor: libuv", 0, 4, trip_uv, trip_iris, FAR_TRIP),
    MESH("mesh-trip-still", "to another process and back, no worker spins; floor: libuv", MESH_NO_SPIN, 4, trip_uv, trip_iris, FAR_TRIP),
    MESH("mesh-trip-spin", "to another process and back, workers spin for 0.2 ms; floor: libuv", MESH_SPIN, 1, trip_uv, trip_iris, FAR_TRIP),
    MESH("mesh-trip-erlang", "to another process and back; floor: Erlang", 0, 1, trip_erlang, trip_iris, FAR_TRIP),
    MESH("mesh-trip-tls", "to another process and back, TLS", MESH_TLS, 1, NULL, trip_iris, FAR_TRIP),
    MESH("mesh-pipe", "many to another process; floor: Erlang", 0, 1, pipe_erlang, pipe_iris, FAR_RATE),
    MESH("mesh-pipe-tls", "many to another process, TLS", MESH_TLS, 1, NULL, pipe_iris, FAR_RATE),
};
/* clang-format on */

const int workload_count = sizeof workloads / sizeof *workloads;
