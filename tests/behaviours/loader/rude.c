/* A plugin whose constructor does what $IRIS_TEST_RUDE says; without it, a good one that waits for nobody. */
#include <iris/plugin.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int is(const char *what)
{
    const char *wanted = getenv("IRIS_TEST_RUDE");
    return wanted && !strcmp(wanted, what);
}

/* What a confined process cannot do; the first thing that it could is its exit status. */
static void try_all(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        _exit(41);
    int file = open("written", O_CREAT | O_WRONLY, 0600);
    signal(SIGXFSZ, SIG_IGN);
    if (file >= 0 && write(file, "x", 1) == 1)
        _exit(42);
    void *volatile much = malloc((size_t)16 << 30); /* volatile: or a compiler leaves it out */
    if (much)
        _exit(43);
    int last = 0;
    for (int i = 0; i < 100; i++)
        last = open("/dev/null", O_RDONLY);
    if (last >= 0)
        _exit(44);
}

__attribute__((constructor)) static void run(void)
{
    if (is("crash"))
        raise(SIGSEGV);
    if (is("exit"))
        _exit(7);
    if (is("words"))
        puts("{\"name\": \"lie\"}"), fflush(stdout);
    if (is("try"))
        try_all();
    if (is("fork") && fork() == 0)
        for (;;)
            pause();
    while (is("hang"))
        pause();
}

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages;
    return n;
}

static const iris_behaviour rude = {
    .size = sizeof rude, .abi = IRIS_ABI, .name = "rude", .version = "1.2.3", .handle = handle};
static const iris_behaviour *const behaviours[] = {&rude, NULL};
static const iris_plugin plugin = {.size = sizeof plugin,
                                   .abi = IRIS_ABI,
                                   .name = "rude",
                                   .version = "1.2.3",
                                   .behaviours = behaviours};

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    (void)api;
    if (is("entry"))
        raise(SIGSEGV);
    return &plugin;
}
