/* A spin lock for a handful of instructions; nobody may block or call out while holding one. */
#ifndef IRIS_BASE_SPIN_H
#define IRIS_BASE_SPIN_H

#include <sched.h>
#include <stdatomic.h>

struct spin {
    atomic_int held;
};

static inline void iris__pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline void iris__spin_lock(struct spin *s)
{
    while (atomic_exchange_explicit(&s->held, 1, memory_order_acquire))
        for (int n = 0; atomic_load_explicit(&s->held, memory_order_relaxed); n++)
            if (n < 200)
                iris__pause();
            else
                sched_yield(), n = 0; /* the holder may have lost its core */
}

static inline void iris__spin_unlock(struct spin *s)
{
    atomic_store_explicit(&s->held, 0, memory_order_release);
}

#endif
