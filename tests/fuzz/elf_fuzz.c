/* Any bytes at all as a plugin file: the check must answer, and read only what it was given. */
#include "elfnote.h"
#include "fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf e;
    const char *name;
    if (iris__elf_check(&e, "fuzz.so", (iris_bytes){data, size}, "iris_plugin_entry")) {
        if (!iris__reason()[0])
            abort(); /* every refusal has a sentence */
        return 0;
    }
    for (uint64_t i = 0; i < 100 && (name = iris__elf_needed(&e, i)); i++)
        if (!memchr(name, '\0', e.strings_len))
            abort();
    struct elf_note note;
    if (iris__elf_note(&e, &note) && strlen(note.name) + strlen(note.version) > size)
        abort();
    return iris__elf_runpath(&e) == NULL;
}
