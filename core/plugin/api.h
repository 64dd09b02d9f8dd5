/* The table of calls that plugins and embedders are handed, and its extensions. */
#ifndef IRIS_PLUGIN_API_H
#define IRIS_PLUGIN_API_H

#include "fail.h"

#include <iris/ext/control.h>
#include <iris/plugin.h>

#define IRIS__VERSION "0.1.0"

const iris_api *iris__api(void); /* the one that checks the brackets in debug builds */
extern const iris_api iris__api_table;
const void *iris__extension(const char *id);

/* Members that both tables have. */
int iris__api_fail(const char *fmt, ...) IRIS_PRINTF(1, 2);
void iris__api_log(iris_actor *self, int level, const char *fmt, ...) IRIS_PRINTF(3, 4);
int64_t iris__api_now(iris_actor *self);
uint64_t iris__api_pid(const iris_actor *self);
void iris__api_drop(const iris_message *);
int iris__api_define(iris_actor *self, const iris_behaviour *, iris_version **out);
int iris__api_spawn(iris_actor *self, const iris_spawn *, uint64_t *pid);
int iris__api_swap(iris_actor *self, uint64_t pid, iris_version *, int now,
                   void (*tell)(void *, int, const char *), void *ctx);
int iris__api_open(iris_actor *self, const iris_driver *, iris_executor **out);
uint64_t iris__api_turn(const iris_executor *);

#define IRIS__API_COMMON                                                                          \
    .size = sizeof(iris_api), .abi = IRIS_ABI, .version = IRIS__VERSION, .fail = iris__api_fail,  \
    .log = iris__api_log, .extension = iris__extension, .now = iris__api_now,                     \
    .pid = iris__api_pid, .drop = iris__api_drop, .done = iris__done, .define = iris__api_define, \
    .retain = iris__version_retain, .release = iris__version_release, .spawn = iris__api_spawn,   \
    .swap = iris__api_swap, .open = iris__api_open, .close = iris__executor_close,                \
    .post = iris__executor_post, .reason = iris__reason, .turn = iris__api_turn

struct world;
int iris__info(struct world *, uint64_t pid, iris_info *);
/* Only pid (0: it is not there), path, handler, behaviour, version, rev and state_version are written. */
void iris__info_code(struct world *, uint64_t pid, iris_info *);

/* Where the code that an actor runs was loaded from: heap, NULL where that is not known. */
struct origin {
    char *file, *symbol, *handler;
    const char *imports; /* of its host; not the caller's to free */
    char **uses;         /* all files that it was made of; NULL: not known */
    uint32_t nuses;
    int is_dated;   /* what its file holds now was refused */
    uint32_t place; /* of iris_source */
    uint64_t hash;  /* of the file as it was read */
    int64_t loaded; /* ns since 1970, as file systems count */
};
int iris__origin(struct world *, uint64_t pid, struct origin *); /* IRIS_OK or IRIS_DEAD */
void iris__origin_finish(struct origin *);
/* What its file holds now was refused. */
void iris__origin_refused(struct world *, uint64_t pid);

#endif
