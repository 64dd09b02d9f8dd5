#include "calendar.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST = 1024, GENERATIONS = 1 << 29 };

void iris__calendar_init(struct calendar *c)
{
    *c = (struct calendar){.used = 1}; /* 0 is none */
}

static void free_heap(struct calendar *c)
{
    free(c->heap ? c->heap - 3 : NULL);
}

void iris__calendar_finish(struct calendar *c)
{
    for (uint32_t i = 0; i < c->nchunks; i++)
        free(c->chunks[i]);
    free(c->chunks);
    free_heap(c);
}

/* ---- places ---- */

static int add_chunk(struct calendar *c)
{
    struct timer **chunks = realloc(c->chunks, (c->nchunks + 1) * sizeof(struct timer *));
    if (!chunks)
        return -1;
    c->chunks = chunks;
    chunks[c->nchunks] = aligned_alloc(64, CALENDAR_CHUNK * sizeof(struct timer));
    return chunks[c->nchunks] ? (c->nchunks++, 0) : -1;
}

/* The first place is the last of a cache line, so that each four below are one. What is not used yet takes no
 * memory. */
static int grow_heap(struct calendar *c)
{
    uint32_t room = c->room ? 2 * c->room : LEAST;
    struct due *heap = aligned_alloc(64, ((size_t)room + 4) * sizeof *heap);
    if (!heap)
        return -1;
    if (c->near)
        memcpy(heap + 3, c->heap, c->near * sizeof *heap);
    free_heap(c);
    c->heap = heap + 3;
    c->room = room;
    return 0;
}

static struct timer *take_fresh(struct calendar *c)
{
    if (c->used >> CALENDAR_INDEX_BITS || (c->used / CALENDAR_CHUNK == c->nchunks && add_chunk(c)))
        return NULL;
    struct timer *e = iris__calendar_at(c, c->used);
    e->generation = 0;
    e->index = c->used++;
    return e;
}

static struct timer *take_used(struct calendar *c)
{
    struct timer *e = iris__calendar_at(c, c->free);
    e->index = c->free;
    c->free = e->after;
    return e;
}

struct timer *iris__calendar_take(struct calendar *c)
{
    if (c->timers == c->room && grow_heap(c))
        return NULL;
    struct timer *e = c->free ? take_used(c) : take_fresh(c);
    c->timers += e != NULL;
    return e;
}

void iris__calendar_give(struct calendar *c, struct timer *e)
{
    e->generation = (e->generation + 1) % GENERATIONS;
    e->after = c->free;
    c->free = e->index;
    e->index = 0;
    c->timers--;
}

/* ---- the heap ---- */

static int is_before(const struct due *a, const struct due *b)
{
    return a->deadline < b->deadline ||
           (a->deadline == b->deadline && (int32_t)(a->seq - b->seq) < 0);
}

static void put(struct calendar *c, struct due d, uint32_t i)
{
    c->heap[i] = d;
    iris__calendar_at(c, d.index)->at = i;
}

static void sift_up(struct calendar *c, struct due d, uint32_t i)
{
    for (; i && is_before(&d, &c->heap[(i - 1) / 4]); i = (i - 1) / 4)
        put(c, c->heap[(i - 1) / 4], i);
    put(c, d, i);
}

static uint32_t least_child(const struct calendar *c, uint32_t first)
{
    uint32_t best = first, end = first + 4 < c->near ? first + 4 : c->near;
    for (uint32_t i = first + 1; i < end; i++)
        if (is_before(&c->heap[i], &c->heap[best]))
            best = i;
    return best;
}

static void sift_down(struct calendar *c, struct due d, uint32_t i)
{
    for (uint32_t child; 4 * i + 1 < c->near; i = child) {
        child = least_child(c, 4 * i + 1);
        if (!is_before(&c->heap[child], &d))
            break;
        put(c, c->heap[child], i);
    }
    put(c, d, i);
}

static void remove_near(struct calendar *c, const struct timer *e)
{
    uint32_t i = e->at;
    struct due last = c->heap[--c->near];
    if (last.index == e->index)
        return;
    if (i && is_before(&last, &c->heap[(i - 1) / 4]))
        sift_up(c, last, i);
    else
        sift_down(c, last, i);
}

/* ---- the lists ----
 * That of a timer is by the highest digit (of six bits) in which its tick differs from the one that is reached:
 * which digit, and what it says there. So all of a level come before any of the next, and stay where they are
 * until their stretch begins. */

static int64_t tick_of(const struct timer *e)
{
    return e->deadline >> CALENDAR_TICK_BITS;
}

static uint32_t level_of(const struct calendar *c, int64_t tick)
{
    return (63 - (uint32_t)__builtin_clzll((uint64_t)(tick ^ c->tick))) / CALENDAR_SLOT_BITS;
}

static uint32_t slot_of(int64_t tick, uint32_t level)
{
    return (uint32_t)(tick >> level * CALENDAR_SLOT_BITS) & (CALENDAR_SLOTS - 1);
}

/* The last: those of one deadline stay in order. */
static void append(struct calendar *c, struct timer *e)
{
    uint32_t level = level_of(c, tick_of(e)), slot = slot_of(tick_of(e), level);
    uint32_t *list = &c->lists[level][slot];
    if (!*list) {
        *list = e->next = e->previous = e->index;
        c->slots[level] |= UINT64_C(1) << slot;
        return;
    }
    struct timer *first = iris__calendar_at(c, *list);
    e->next = *list;
    e->previous = first->previous;
    iris__calendar_at(c, first->previous)->next = e->index;
    first->previous = e->index;
}

static void remove_far(struct calendar *c, const struct timer *e)
{
    uint32_t level = level_of(c, tick_of(e)), slot = slot_of(tick_of(e), level);
    uint32_t *list = &c->lists[level][slot];
    if (e->deadline == c->far)
        c->far = 0;
    iris__calendar_at(c, e->next)->previous = e->previous;
    iris__calendar_at(c, e->previous)->next = e->next;
    if (*list == e->index)
        *list = e->next;
    if (e->next != e->index)
        return;
    *list = 0;
    c->slots[level] &= ~(UINT64_C(1) << slot);
}

static void place(struct calendar *c, struct timer *e)
{
    if (tick_of(e) > c->tick)
        append(c, e);
    else
        sift_up(c, (struct due){e->deadline, c->seq++, e->index}, c->near++);
}

/* Where the first stretch that has any begins, and its list; NULL: there is none. */
static uint32_t *first_list(struct calendar *c, int64_t *begins)
{
    uint32_t level = 0;
    while (level < CALENDAR_LEVELS && !c->slots[level])
        level++;
    if (level == CALENDAR_LEVELS)
        return NULL;
    uint32_t slot = (uint32_t)__builtin_ctzll(c->slots[level]), low = level * CALENDAR_SLOT_BITS;
    *begins = (c->tick >> low >> CALENDAR_SLOT_BITS << CALENDAR_SLOT_BITS | slot) << low;
    return &c->lists[level][slot];
}

static void spread(struct calendar *c, uint32_t *list)
{
    uint32_t level = (uint32_t)(list - c->lists[0]) / CALENDAR_SLOTS;
    uint32_t first = *list, i = first;
    *list = 0;
    c->slots[level] &= ~(UINT64_C(1) << (list - c->lists[level]));
    c->far = 0;
    do {
        struct timer *e = iris__calendar_at(c, i);
        i = e->next;
        __builtin_prefetch(iris__calendar_at(c, i), 1);
        place(c, e);
    } while (i != first);
}

static int64_t look_for_first(struct calendar *c)
{
    int64_t begins, least = INT64_MAX;
    uint32_t *list = first_list(c, &begins), i = list ? *list : 0;
    if (!list)
        return least;
    do {
        const struct timer *e = iris__calendar_at(c, i);
        least = e->deadline < least ? e->deadline : least;
        i = e->next;
    } while (i != *list);
    return c->far = least;
}

/* ---- both ---- */

void iris__calendar_put(struct calendar *c, struct timer *e)
{
    if (c->far && tick_of(e) > c->tick && e->deadline < c->far)
        c->far = e->deadline;
    place(c, e);
}

void iris__calendar_remove(struct calendar *c, struct timer *e)
{
    if (tick_of(e) > c->tick)
        remove_far(c, e);
    else
        remove_near(c, e);
}

/* All that may be due is in the heap then. What is left begins later, so it stands right for the tick of now, too. */
void iris__calendar_reach(struct calendar *c, int64_t now)
{
    int64_t begins, tick = now >> CALENDAR_TICK_BITS;
    for (uint32_t *list; (list = first_list(c, &begins)) && begins <= tick;) {
        c->tick = begins;
        spread(c, list);
    }
    c->tick = tick > c->tick ? tick : c->tick;
}

struct timer *iris__calendar_due(struct calendar *c, int64_t now)
{
    if (!c->near || c->heap[0].deadline > now)
        iris__calendar_reach(c, now);
    return c->near && c->heap[0].deadline <= now ? iris__calendar_at(c, c->heap[0].index) : NULL;
}

int64_t iris__calendar_next(struct calendar *c)
{
    if (c->near)
        return c->heap[0].deadline;
    return c->far ? c->far : look_for_first(c);
}
