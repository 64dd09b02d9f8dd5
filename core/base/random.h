/* Random numbers from a seed: the same seed gives the same numbers on every machine (splitmix64 by
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Not for secrets. */
#ifndef IRIS_BASE_RANDOM_H
#define IRIS_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t iris__random(struct random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. below-1 */
static inline uint32_t iris__random_below(struct random *r, uint32_t below)
{
    return (uint32_t)(((iris__random(r) >> 32) * below) >> 32);
}

#endif
