/* Memory for stacks: guarded, used again, given back, and refused with a sentence where it cannot be. */
#include "main.h"

#include "fail.h"
#include "fiber.h"
#include "stack.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t resident(const struct stack *k)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (size_t)(k->top - k->low) / page, sum = 0;
    unsigned char *seen = malloc(n);
    assert_int_equal(mincore(k->low, n * page, seen), 0);
    for (size_t i = 0; i < n; i++)
        sum += seen[i] & 1;
    free(seen);
    return sum;
}

static sigjmp_buf caught;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(caught, 1);
}

static int faults(volatile char *at)
{
    struct sigaction a = {.sa_handler = on_fault, .sa_flags = SA_NODEFER}, before[2];
    sigaction(SIGSEGV, &a, &before[0]);
    sigaction(SIGBUS, &a, &before[1]);
    int result = sigsetjmp(caught, 1);
    if (!result)
        *at = 1;
    sigaction(SIGSEGV, &before[0], NULL);
    sigaction(SIGBUS, &before[1], NULL);
    return result;
}

/* Each is whole, and below each lies what cannot be touched. */
static void try_some(struct stacks *s, size_t size)
{
    enum { SOME = 200 };
    struct stack *k[SOME];
    for (int i = 0; i < SOME; i++) {
        assert_non_null(k[i] = iris__stack_take(s, size));
        assert_true((size_t)(k[i]->top - k[i]->low) >= size);
        k[i]->low[0] = k[i]->top[-1] = (char)i;
        assert_true(faults(k[i]->low - 1));
        assert_true(faults(k[i]->low - STACK_GUARD));
        assert_true(iris__stack_guards(k[i], k[i]->low - 1));
        assert_true(iris__stack_guards(k[i], k[i]->low - STACK_GUARD));
        assert_false(iris__stack_guards(k[i], k[i]->low));
        assert_false(iris__stack_guards(k[i], k[i]->low - STACK_GUARD - 1));
    }
    for (int i = 0; i < SOME; i++) {
        assert_int_equal(k[i]->low[0], (char)i);
        assert_int_equal(k[i]->top[-1], (char)i);
        iris__stack_give(s, k[i]);
    }
}

static void guards(enum stack_guards how)
{
    struct stacks s;
    iris__stacks_init(&s);
    s.how = how;
    s.guards_left = 100000;
    try_some(&s, 0);
    try_some(&s, 20000);
    try_some(&s, 1 << 20);
    iris__stacks_finish(&s);
}

static void kernel_guards(void **state)
{
    (void)state;
    guards(STACK_GUARDS_UNKNOWN);
}

static void mapped_guards(void **state)
{
    (void)state;
    guards(STACK_GUARDS_MAPPED); /* what older kernels have */
}

static void mappings_end(void **state)
{
    (void)state;
    struct stacks s;
    struct stack *k[4];
    iris__stacks_init(&s);
    s.how = STACK_GUARDS_MAPPED;
    s.guards_left = 3;
    for (int i = 0; i < 3; i++)
        assert_non_null(k[i] = iris__stack_take(&s, 0));
    assert_null(iris__stack_take(&s, 0));
    assert_non_null(strstr(iris__reason(), "vm.max_map_count"));
    iris__stack_give(&s, k[0]);
    assert_non_null(k[0] = iris__stack_take(&s, 0)); /* its guard is still there */
    assert_null(iris__stack_take(&s, (size_t)STACK_MAX + 1));
    assert_non_null(strstr(iris__reason(), "too large"));
    iris__stacks_finish(&s);
}

static void is_used_again(void **state)
{
    enum { MANY = 1000 };
    (void)state;
    struct stacks s;
    struct stack *k[MANY];
    iris__stacks_init(&s);
    for (int i = 0; i < MANY; i++) {
        assert_non_null(k[i] = iris__stack_take(&s, 0));
        memset(k[i]->low, 7, STACK_DEFAULT);
    }
    size_t kept = 0;
    for (int i = 0; i < MANY; i++)
        iris__stack_give(&s, k[i]);
    for (int i = 0; i < MANY; i++)
        kept += resident(k[i]) != 0;
    assert_true(kept > 0);
    assert_true(kept * STACK_DEFAULT <= 8 << 20); /* the rest went back to the system */
    for (int i = 0; i < MANY; i++) {
        struct stack *again = iris__stack_take(&s, 0);
        int found = 0;
        for (int j = 0; j < MANY; j++)
            found |= again == k[j];
        assert_true(found);
    }
    iris__stacks_finish(&s);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST("stack.below_each_lies_a_guard", kernel_guards),
    IRIS_TEST("stack.below_each_lies_a_guard_on_older_kernels", mapped_guards),
    IRIS_TEST("p10.more_guards_than_the_kernel_allows_are_refused_with_a_sentence", mappings_end),
    IRIS_TEST("p8.a_freed_stack_is_used_again_or_given_back", is_used_again),
};
/* clang-format on */
IRIS_MAIN(tests)
