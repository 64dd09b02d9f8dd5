// Has a static in an inline function: one for the whole process, whichever version asks.
#include <iris/plugin.h>

#ifdef __clang__ // gcc makes it a unique symbol, clang a weak one; so here by hand
__asm__(".pushsection .data\n.globl loader_unique\n.type loader_unique, @gnu_unique_object\n"
        ".size loader_unique, 4\nloader_unique: .long 0\n.popsection\n");
#endif

struct __attribute__((visibility("default"))) counter {
    static int &count()
    {
        static int n;
        return n;
    }
};

static int handle(const iris_behaviour *, iris_actor *, void *, const iris_message *const *, int)
{
    return ++counter::count();
}

static iris_behaviour one;
static const iris_behaviour *const all[] = {&one, nullptr};
static iris_plugin plugin;

const iris_plugin *iris_plugin_entry(const iris_api *)
{
    one.size = sizeof one;
    one.abi = plugin.abi = IRIS_ABI;
    one.name = plugin.name = "unique";
    one.handle = handle;
    plugin.size = sizeof plugin;
    plugin.behaviours = all;
    return &plugin;
}
