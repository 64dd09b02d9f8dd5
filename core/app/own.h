/* Which actors are those of the manifest: for who comes by all of them and looks at each. */
#ifndef IRIS_APP_OWN_H
#define IRIS_APP_OWN_H

#include <stddef.h>
#include <stdint.h>

struct app;
struct manifest_actor;

struct own {
    uint64_t *pids; /* sorted */
    size_t n;
};

/* As they are now. 0, or -1: no memory, and it has none. */
int iris__own_take(const struct app *, struct own *);
/* The same for who looks himself at each of them: room for all; those that are meant; then all have been added. */
int iris__own_open(const struct app *, struct own *);
void iris__own_add(struct own *, uint64_t pid);
void iris__own_close(struct own *);
/* The manifest's actor of this pid, or NULL. */
const struct manifest_actor *iris__own_actor(const struct app *, uint64_t pid);
int iris__own_has(const struct own *, uint64_t pid);
void iris__own_finish(struct own *);

#endif
