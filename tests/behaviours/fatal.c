/* Ends its process, in the way that its message names: "segv", "fpe" or "abort". */
#include <iris/plugin.h>

#include <stdlib.h>
#include <string.h>

static volatile int zero;

__attribute__((noinline)) static void fall(const char *how)
{
    /* Volatile itself: the compiler of a release must not see where it points. */
    volatile int *volatile nowhere = (volatile int *)8;
    if (!strncmp(how, "segv", 4))
        *nowhere = 1;
    else if (!strncmp(how, "fpe", 3))
        zero = 100 / zero;
    else
        abort();
}

static int handle(const iris_behaviour *b, iris_actor *self, void *state,
                  const iris_message *const *messages, int n)
{
    (void)b, (void)self, (void)state;
    fall(messages[0]->data);
    return n;
}

static const iris_behaviour fatal = {
    .size = sizeof fatal, .abi = IRIS_ABI, .name = "fatal", .version = "1.2.3", .handle = handle};
static const iris_behaviour *const behaviours[] = {&fatal, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "fatal",
                                   .version = "1.2.3",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *given)
{
    (void)given;
    return &plugin;
}
