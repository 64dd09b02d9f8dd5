#include "mapping.h"

#include "fail.h"
#include "unload.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* ---- why it does not load ---- */

static int starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

static int undefined_symbol(const char *file, const char *symbol)
{
    if (starts(symbol, "iris_"))
        return iris__fail(
            "%s calls %s(), which no library defines; a plugin links nothing of Iris, it "
            "calls through the iris_api that iris_plugin_entry() is handed",
            file, symbol);
    return iris__fail("%s uses %s, which nothing defines; link it with the library that does (with "
                      "-Wl,--no-undefined its own build would have said so)",
                      file, symbol);
}

static int no_library(const struct elf *e, const char *name, size_t len)
{
    const char *path = iris__elf_runpath(e);
    if (strstr(path, "$ORIGIN") || strstr(path, "${ORIGIN}"))
        return iris__fail(
            "%s needs %.*s, which was not found; its search path \"%s\" is relative to its "
            "own directory, but a private copy is loaded: link it with -Wl,-rpath and an "
            "absolute directory",
            e->file, (int)len, name, path);
    return iris__fail(
        "%s needs %.*s, which was not found; install it, or link with -Wl,-rpath and the "
        "absolute directory that has it",
        e->file, (int)len, name);
}

/* glibc's sentences are "OBJECT: what is wrong[: OBJECT]", and OBJECT is our copy more often
 * than not. */
static int explain(const struct elf *e, const char *path, const char *why)
{
    static const char symbol[] = "undefined symbol: ",
                      library[] = ": cannot open shared object file";
    const char *found = strstr(why, symbol);
    if (found && starts(why, path))
        return undefined_symbol(e->file, found + strlen(symbol));
    found = strstr(why, library);
    if (found && !starts(why, path))
        return no_library(e, why, (size_t)(found - why));
    if (starts(why, path) && starts(why + strlen(path), ": "))
        why += strlen(path) + 2;
    return iris__fail("%s does not load: %s; expected a library that this system can load", e->file,
                      why);
}

/* ---- whose handle is it? ---- */

/* The linker compares names, also with those that libraries give themselves, before it looks at
 * files. It may answer with another library's handle: old code under a new name. */
static int check_new(const struct elf *e, void *handle, const char *path)
{
    struct link_map *map;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && !strcmp(map->l_name, path))
        return 0;
    return iris__fail(
        "%s was not loaded: the linker took %s for it, which calls itself %s; build that "
        "one with another -soname",
        e->file, map->l_name, path);
}

/* What it needs stays, though it goes itself: such a library may have threads, or handlers that
 * know no owner. It is mapped once for all versions, so this does not grow. */
static void keep_needed(const struct elf *e)
{
    const char *name;
    for (uint64_t i = 0; (name = iris__elf_needed(e, i)); i++) {
        void *handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
        if (handle)
            dlclose(handle);
    }
}

/* RTLD_LOCAL: or the functions of one version would be called by the next. RTLD_NOW: or a missing
 * symbol would end the process in the middle of a message. */
void *iris__map(const struct elf *e, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        return explain(e, path, why ? why : "the linker gave no reason"), NULL;
    }
    if (check_new(e, handle, path))
        return dlclose(handle), NULL;
    keep_needed(e);
    return handle;
}

void *iris__unmap(void *handle, const char *path)
{
    if (!IRIS__UNLOADS)
        return handle;
    dlclose(handle);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
}
