/* What the table of keys says to people and to editors: the manual of a key, the manual page, the
 * schema. All of it comes from manifest_keys.c, so a key that is added there is explained, too. */
#ifndef IRIS_MANIFEST_KEYS_H
#define IRIS_MANIFEST_KEYS_H

#include "manifest_keys.h"

/* "actors.swap" for "actors[].swap", "hosts.NAME" for "hosts.*". 0, or -1: no memory. */
int iris__key_where(const char *where, struct text *out);

/* "actors.restart": how a key is named to `iris explain`. 0, or -1: no memory. */
int iris__key_path(const struct manifest_key *, struct text *out);

/* By that name, or as it stands in messages: "actors[0].restart". NULL with a reason. */
const struct manifest_key *iris__key_find(const char *typed);

/* "\"always\", \"on-failure\" or \"never\"", "a list of objects": never empty. */
int iris__key_value(const struct manifest_key *, struct text *out);

#endif
