/* "iris.name/1": names and paths. A name or path belongs to one actor at a time and is freed when
 * that actor ends. [any] */
#ifndef IRIS_EXT_NAME_H
#define IRIS_EXT_NAME_H

#include <iris/plugin.h>

#define IRIS_NAME "iris.name/1"

typedef struct iris_name {
    uint32_t size, abi;
    /* A text that begins with '/' is a path, any other a name. IRIS_FAIL: taken by a living actor, or
     * not a valid name; IRIS_DEAD: no such actor. */
    int (*set)(iris_actor *self, const char *name, uint64_t pid);
    int (*clear)(iris_actor *self, const char *name);           /* IRIS_DEAD: nobody had it */
    uint64_t (*find)(iris_actor *self, const char *name);       /* 0: nobody */
    void (*busy)(iris_actor *self, int busy); /* not idle although no mail waits: see --until-idle */
} iris_name;

#endif
