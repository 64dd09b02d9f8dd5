/* What a plugin's file says of itself without being run: the note of IRIS_NOTE() in <iris/plugin.h>. */
#ifndef IRIS_PLUGIN_ELFNOTE_H
#define IRIS_PLUGIN_ELFNOTE_H

#include "elfcheck.h"

struct elf_note {
    uint32_t abi;
    const char *name, *version; /* in the file's bytes */
};

/* 1, or 0: it has none (that is fine), or one that is damaged. */
int iris__elf_note(const struct elf *, struct elf_note *);

/* 0, or -1: the note speaks of another ABI, and the sentence is in iris__reason(). */
int iris__elf_note_check(const struct elf *);

#endif
