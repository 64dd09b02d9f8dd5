/* What sanitizers must be told when a thread goes over to another stack; nothing in other builds. */
#ifndef IRIS_BASE_FIBER_H
#define IRIS_BASE_FIBER_H

#include <stddef.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define IRIS__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define IRIS__TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define IRIS__ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define IRIS__TSAN 1
#endif

struct fiber {
    const void *low; /* the stack: its lowest byte and its size */
    size_t size;
    void *fake; /* ASan's, while somebody else runs */
    void *tsan;
};

#ifdef IRIS__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

/* Before the switch; for_good: the stack that is left is not used any more. */
static inline void iris__fiber_leave(struct fiber *from, const struct fiber *to, int for_good)
{
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake, to->low, to->size);
}

/* After it, on the new stack; before: who ran until now. */
static inline void iris__fiber_enter(struct fiber *now, struct fiber *before)
{
    __sanitizer_finish_switch_fiber(now->fake, &before->low, &before->size);
    now->fake = NULL;
}

static inline void iris__fiber_make(struct fiber *f)
{
    f->fake = NULL;
}

/* What stood on it is over, whatever its frames had marked. */
static inline void iris__fiber_drop(struct fiber *f)
{
    __asan_unpoison_memory_region(f->low, f->size);
}

#elif defined(IRIS__TSAN)
#include <sanitizer/tsan_interface.h>

/* Part of its caller in every build: a function that begins on one fiber must not end on another. */
__attribute__((always_inline)) static inline void iris__fiber_leave(struct fiber *from,
                                                                    const struct fiber *to,
                                                                    int for_good)
{
    (void)for_good;
    from->tsan = __tsan_get_current_fiber(); /* a turn's is another thread's each time */
    __tsan_switch_to_fiber(to->tsan, 0);
}

static inline void iris__fiber_enter(struct fiber *now, struct fiber *before)
{
    (void)now, (void)before;
}

static inline void iris__fiber_make(struct fiber *f)
{
    f->tsan = __tsan_create_fiber(0);
}

static inline void iris__fiber_drop(struct fiber *f)
{
    __tsan_destroy_fiber(f->tsan);
    f->tsan = NULL;
}

#else

static inline void iris__fiber_leave(struct fiber *from, const struct fiber *to, int for_good)
{
    (void)from, (void)to, (void)for_good;
}

static inline void iris__fiber_enter(struct fiber *now, struct fiber *before)
{
    (void)now, (void)before;
}

static inline void iris__fiber_make(struct fiber *f)
{
    (void)f;
}

static inline void iris__fiber_drop(struct fiber *f)
{
    (void)f;
}

#endif
#endif
