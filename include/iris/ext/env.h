/* "iris.env/1": the variables that the manifest's actors[].env gives one actor. A process has one environment, and
 * setenv() is no thing for threads: these belong to the actor, beside it. They stay the same until it begins
 * again; what it spawns has none of them. */
#ifndef IRIS_EXT_ENV_H
#define IRIS_EXT_ENV_H

#include <iris/plugin.h>

#define IRIS_ENV "iris.env/1"

typedef void iris_env_each(void *ctx, const char *name, const char *value);

typedef struct iris_env {
    uint32_t size, abi;
    /* NULL: it is none of this actor's; getenv() has those of the process. Valid until the actor ends or begins
     * again. [exec] */
    const char *(*get)(iris_actor *self, const char *name);
    /* Every one of them, in the manifest's order. Returns how many. [exec] */
    int (*each)(iris_actor *self, iris_env_each *, void *ctx);
} iris_env;

#endif
