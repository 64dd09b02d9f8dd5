#include "mapping.h"

#include "fail.h"
#include "unload.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
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
    if (strstr(path, "ORIGIN"))
        return iris__fail("%s needs %.*s, which was not found, also not in its search path \"%s\"; "
                          "put it there, or install it",
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

/* ---- what lies beside it ----
 *
 * $ORIGIN is the directory of the private copy, which has no neighbours. So what is needed and found by such a
 * path from the file itself is opened before, and then the linker knows its name. */

enum { NEIGHBOURS = 16 };

struct neighbours {
    void *handle[NEIGHBOURS];
    int count;
};

/* entry: one of the search path; dir: where the file is. 0: it is not there. */
static int open_at(struct neighbours *n, const char *dir, const char *entry, size_t len,
                   const char *name)
{
    static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
    char path[2 * PATH_MAX];
    for (int i = 0; i < 2; i++) {
        size_t skip = strlen(origins[i]);
        if (len < skip || !starts(entry, origins[i]))
            continue;
        snprintf(path, sizeof path, "%s%.*s/%s", dir, (int)(len - skip), entry + skip, name);
        void *handle = n->count < NEIGHBOURS ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (handle)
            n->handle[n->count++] = handle;
        return handle != NULL;
    }
    return 0;
}

static void open_neighbour(struct neighbours *n, const struct elf *e, const char *dir,
                           const char *name)
{
    const char *entry = iris__elf_runpath(e);
    for (size_t len; *entry; entry += len + (entry[len] == ':')) {
        len = strcspn(entry, ":");
        if (open_at(n, dir, entry, len, name))
            return;
    }
}

static void open_neighbours(struct neighbours *n, const struct elf *e)
{
    char file[PATH_MAX];
    const char *name;
    if (!realpath(e->file, file))
        return;
    *strrchr(file, '/') = '\0';
    for (uint64_t i = 0; (name = iris__elf_needed(e, i)); i++)
        open_neighbour(n, e, file, name);
}

/* The library that needed them holds them now. */
static void close_neighbours(struct neighbours *n)
{
    while (n->count > 0)
        dlclose(n->handle[--n->count]);
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
    struct neighbours beside = {.count = 0};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle && strstr(iris__elf_runpath(e), "ORIGIN")) {
        open_neighbours(&beside, e);
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (!handle) {
        const char *why = dlerror();
        explain(e, path, why ? why : "the linker gave no reason");
    }
    close_neighbours(&beside);
    if (!handle)
        return NULL;
    if (check_new(e, handle, path))
        return dlclose(handle), NULL;
    keep_needed(e);
    return handle;
}

static int has_path(struct dl_phdr_info *info, size_t size, void *path)
{
    (void)size;
    return info->dlpi_name && !strcmp(info->dlpi_name, path);
}

/* Asked by its name first: dlopen() opens the file to see whose it is, when it is not there. */
void *iris__unmap(void *handle, const char *path)
{
    if (!IRIS__UNLOADS)
        return handle;
    dlclose(handle);
    return dl_iterate_phdr(has_path, (void *)path)
               ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)
               : NULL;
}
