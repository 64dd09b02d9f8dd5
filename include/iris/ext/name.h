/* "iris.name/1": names and paths. Each belongs to one actor at a time, and is freed when that actor
 * ends: before its DOWN is told, so who has heard that finds nobody under it. An actor may have several.
 * Names and paths are two spaces: a text that begins with '/' is a path ("/svc/pay/7"), any other a
 * name. Letters, digits and _ . @ - make a word; a name is one word, a path words with '/' between;
 * 255 bytes at most. [any] unless said otherwise. */
#ifndef IRIS_EXT_NAME_H
#define IRIS_EXT_NAME_H

#include <iris/plugin.h>

#define IRIS_NAME "iris.name/1"

/* name is borrowed. Called under no lock: it may call whatever the caller of the list may. */
typedef void iris_name_each(void *ctx, const char *name, uint64_t pid);

typedef struct iris_name {
    uint32_t size, abi;
    /* IRIS_FAIL: taken by a living actor (the reason names its pid), or not a valid name; IRIS_DEAD: no
     * such actor. What it has already it may set again. A restart in place keeps the path that the
     * actor was spawned with, and a manifest's name; others go. */
    int (*set)(iris_actor *self, const char *name, uint64_t pid);
    int (*clear)(iris_actor *self, const char *name);           /* IRIS_DEAD: nobody had it */
    uint64_t (*find)(iris_actor *self, const char *name);       /* 0: nobody */
    void (*busy)(iris_actor *self, int busy); /* not idle although no mail waits: see --until-idle */

    /* Every path below `prefix` (at any depth), or only what lies one level below it and is registered
     * itself: of "/a/b/c" alone, children("/a") has one and children_direct("/a") none. The prefix
     * itself is in neither; "" and "/" stand for the top; slashes at its end do not count; names are
     * below nothing. All that is told was registered at one and the same moment, in no order; it costs
     * time and memory for what is told, however many paths there are. Returns how many, or IRIS_FAIL. */
    int (*children)(iris_actor *self, const char *prefix, iris_name_each *, void *ctx);
    int (*children_direct)(iris_actor *self, const char *prefix, iris_name_each *, void *ctx);
    /* Every name and path that this actor has. Returns how many, or IRIS_FAIL. */
    int (*names)(iris_actor *self, uint64_t pid, iris_name_each *, void *ctx);
    /* As api->send, to whoever has this name or path now; IRIS_DEAD: nobody. Who sends often finds the
     * pid once. [exec] */
    int (*send)(iris_actor *self, const char *name, const void *data, size_t len, uint64_t ref);
    /* From now on IRIS_PING "name_changed (name=pay)" to this actor (its behaviour has IRIS_SIGNALS) whenever another
     * has that name or path, or nobody any more: it looks who. Ends with the actor. IRIS_FAIL: no memory. */
    int (*watch)(iris_actor *self, const char *name, uint64_t actor);
} iris_name;

#endif
