/* Built with an older header: its structs end after the members that must be there, and so does the
 * memory that they are in. */
#include <iris/plugin.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int handle(const iris_behaviour *self, iris_actor *actor, void *state,
                  const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)state, (void)messages, (void)n;
    return 11;
}

/* So much memory that one byte more is a fault. */
static void *at_the_edge(const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0)
        return NULL;
    return memcpy(pages + page - size, from, size);
}

const iris_plugin *iris_plugin_entry(const iris_api *api)
{
    enum { BEHAVIOUR = offsetof(iris_behaviour, init), PLUGIN = offsetof(iris_plugin, host) };
    static const iris_behaviour *all[2];
    iris_behaviour b = {
        .size = BEHAVIOUR, .abi = IRIS_ABI, .name = "older", .version = "0.1", .handle = handle};
    iris_plugin p = {.size = PLUGIN, .abi = IRIS_ABI, .name = "older", .behaviours = all};
    (void)api;
    all[0] = at_the_edge(&b, BEHAVIOUR);
    return at_the_edge(&p, PLUGIN);
}
