/* "iris.payload/1": the bytes of a large message without a copy, for good. */
#ifndef IRIS_EXT_PAYLOAD_H
#define IRIS_EXT_PAYLOAD_H

#include <iris/plugin.h>

#define IRIS_PAYLOAD "iris.payload/1"

typedef struct iris_payload {
    uint32_t size, abi;
    /* As api->keep(), and more: IRIS_OK: nobody else reads these bytes any more, so the caller may write
     * them. They count against no limit of the runtime, and stay when it is closed, until api->drop(),
     * on any thread and then, too. IRIS_AGAIN: they are not to be had, copy them: the message is small,
     * it was given (its bytes are somebody else's), or somebody keeps it.
     * [turn] and of an answer (ext/ask.h) by whoever has it. */
    int (*take)(const iris_message *);
} iris_payload;

#endif
