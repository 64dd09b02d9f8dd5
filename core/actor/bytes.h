/* State as bytes: what one version saves and another makes its state of, and what comes between them.
 *
 *   [old] save -> bytes of format `from` -> [migration] -> bytes of the new version's format -> [new] upgrade
 *
 * The migration is a version of its own (version.migration: the manifest's swap.migrate), or the new
 * version's migrate(). So neither version has to know of the other. */
#ifndef IRIS_ACTOR_BYTES_H
#define IRIS_ACTOR_BYTES_H

#include "behaviour.h"
#include "text.h"

/* All [turn]; IRIS_OK, or IRIS_FAIL with the reason. */

/* *wrote: it has saved something, if only nothing: else it has no state. */
int iris__bytes_save(iris_actor *, struct text *out, int *wrote);
int iris__bytes_downgrade(iris_actor *, uint32_t to, struct text *out);

/* What brings bytes of this format to that version; NULL: nothing does, or they are of its own format. */
const iris_version *iris__bytes_migration(const iris_version *to, uint32_t from);
/* Where it is done: on its executor, unless it can be anywhere. */
int iris__bytes_migrate(const iris_version *to, iris_actor *, uint32_t from, iris_bytes saved,
                        struct text *out);

#endif
