#include "stack.h"

#include "fail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    SLAB = 64,              /* stacks of a slab */
    KEPT_BYTES = 8 << 20,   /* of freed stacks that keep their memory, for each size */
    MAPPINGS_OTHERS = 8192, /* of vm.max_map_count, for all else that the process maps */
    HANDLER_BYTES = 64 << 10
};

struct slab {
    struct slab *next;
    char *memory;
    size_t len;
    struct stack stacks[SLAB];
};

struct stack_class {
    struct stack_class *next;
    size_t size;
    struct slab *slabs;
    struct stack *kept;  /* free, their memory is resident */
    struct stack *empty; /* free, it is not */
    size_t nkept, keep;
};

void iris__stacks_init(struct stacks *s)
{
    *s = (struct stacks){.how = STACK_GUARDS_UNKNOWN};
    pthread_mutex_init(&s->lock, NULL);
}

static void free_slabs(struct slab *b)
{
    for (struct slab *next; b; b = next) {
        next = b->next;
        munmap(b->memory, b->len);
        free(b);
    }
}

void iris__stacks_finish(struct stacks *s)
{
    for (struct stack_class *c = s->classes, *next; c; c = next) {
        next = c->next;
        free_slabs(c->slabs);
        free(c);
    }
    pthread_mutex_destroy(&s->lock);
}

/* ---- slabs; lock held ---- */

/* A power of two, so that there are few kinds; address space costs nothing. */
static size_t round_up(size_t size)
{
    size_t rounded = STACK_MIN;
    while (rounded < size)
        rounded *= 2;
    return rounded;
}

static struct stack_class *class_of(struct stacks *s, size_t size)
{
    for (struct stack_class *c = s->classes; c; c = c->next)
        if (c->size == size)
            return c;
    struct stack_class *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->size = size;
    c->keep = size < KEPT_BYTES ? KEPT_BYTES / size : 1;
    c->next = s->classes;
    s->classes = c;
    return c;
}

/* One page more than guard and stack: else the tops of all stacks, which are what is used most, would
 * share the same few lines of the caches. */
static size_t stride_of(const struct stack_class *c)
{
    return STACK_GUARD + c->size + (size_t)sysconf(_SC_PAGESIZE);
}

static void lay_out(struct slab *b, struct stack_class *c)
{
    size_t stride = stride_of(c);
    for (int i = SLAB; i-- > 0;) {
        char *end = b->memory + (size_t)(i + 1) * stride;
        b->stacks[i] =
            (struct stack){.low = end - c->size, .top = end, .class = c, .next = c->empty};
        c->empty = &b->stacks[i];
    }
}

static int add_slab(struct stack_class *c)
{
    struct slab *b = calloc(1, sizeof *b);
    if (!b)
        return iris__fail("spawn: no memory for a stack");
    b->len = SLAB * stride_of(c);
    b->memory = mmap(NULL, b->len, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (b->memory == MAP_FAILED) {
        int error = errno;
        free(b);
        return iris__fail("spawn: no address space for more stacks of %zu KiB: %s; see ulimit -v "
                          "and vm.overcommit_memory",
                          c->size >> 10, strerror(error));
    }
    madvise(b->memory, b->len, MADV_NOHUGEPAGE); /* a touched page is a page, not 2 MiB */
    b->next = c->slabs;
    c->slabs = b;
    lay_out(b, c);
    return 0;
}

/* ---- guards; lock held ---- */

static long mappings_max(void)
{
    long max = 65530;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
    if (f) {
        if (fscanf(f, "%ld", &max) != 1)
            max = 65530;
        fclose(f);
    }
    return max;
}

/* Each guard cuts a mapping in two. */
static long guards_max(void)
{
    long max = mappings_max();
    return max > 2 * MAPPINGS_OTHERS ? (max - MAPPINGS_OTHERS) / 2 : max / 4;
}

static int mark(struct stacks *s, char *at)
{
    if (s->how == STACK_GUARDS_MAPPED)
        return -1;
    if (madvise(at, STACK_GUARD, MADV_GUARD_INSTALL) == 0) {
        s->how = STACK_GUARDS_MARKED;
        return 0;
    }
    if (s->how == STACK_GUARDS_MARKED)
        return -1; /* no memory for the marks */
    s->how = STACK_GUARDS_MAPPED;
    s->guards_left = guards_max();
    return -1;
}

static int guard(struct stacks *s, struct stack *k)
{
    char *at = k->low - STACK_GUARD;
    if (k->guarded || mark(s, at) == 0) {
        k->guarded = 1;
        return 0;
    }
    if (s->how == STACK_GUARDS_MARKED)
        return iris__fail("spawn: no memory to guard one more stack");
    if (s->guards_left <= 0 || mprotect(at, STACK_GUARD, PROT_NONE))
        return iris__fail("spawn: no more guarded stacks: each needs two mappings, and this kernel "
                          "allows a process %ld; raise vm.max_map_count (sysctl), or use a kernel "
                          "from 6.13 on, which needs none",
                          mappings_max());
    s->guards_left--;
    k->guarded = 1;
    return 0;
}

/* ---- one stack ---- */

static struct stack *pop(struct stack **list)
{
    struct stack *k = *list;
    if (k)
        *list = k->next;
    return k;
}

static struct stack *take(struct stacks *s, size_t size)
{
    struct stack_class *c = class_of(s, size);
    if (!c) {
        iris__fail("spawn: no memory for a stack");
        return NULL;
    }
    struct stack *k = pop(&c->kept);
    c->nkept -= k != NULL;
    if (k || (!c->empty && add_slab(c)))
        return k;
    k = pop(&c->empty);
    if (guard(s, k) == 0)
        return k;
    k->next = c->empty;
    c->empty = k;
    return NULL;
}

struct stack *iris__stack_take(struct stacks *s, size_t size)
{
    if (size > STACK_MAX) {
        iris__fail("spawn: a stack of %zu bytes is too large; up to %d", size, STACK_MAX);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    struct stack *k = take(s, round_up(size ? size : STACK_DEFAULT));
    pthread_mutex_unlock(&s->lock);
    return k;
}

static int has_room(struct stacks *s, struct stack_class *c)
{
    pthread_mutex_lock(&s->lock);
    int room = c->nkept < c->keep;
    c->nkept += (size_t)room;
    pthread_mutex_unlock(&s->lock);
    return room;
}

void iris__stack_give(struct stacks *s, struct stack *k)
{
    if (!k)
        return;
    struct stack_class *c = k->class;
    int kept = has_room(s, c);
    if (!kept)
        madvise(k->low, c->size, MADV_DONTNEED);
    pthread_mutex_lock(&s->lock);
    struct stack **list = kept ? &c->kept : &c->empty;
    k->next = *list;
    *list = k;
    pthread_mutex_unlock(&s->lock);
}

/* ---- signal handlers ---- */

void iris__signal_stack_set(struct signal_stack *s)
{
    stack_t now, mine = {0};
    s->memory = NULL;
    if (sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE))
        return;
    long least = sysconf(_SC_SIGSTKSZ);
    mine.ss_size = least > HANDLER_BYTES ? (size_t)least : HANDLER_BYTES;
    mine.ss_sp = s->memory = malloc(mine.ss_size);
    if (mine.ss_sp && sigaltstack(&mine, NULL) == 0)
        return;
    free(s->memory);
    s->memory = NULL;
}

void iris__signal_stack_unset(struct signal_stack *s)
{
    if (!s->memory)
        return;
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(s->memory);
    s->memory = NULL;
}
