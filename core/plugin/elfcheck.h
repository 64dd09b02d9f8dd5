/* Is this a whole shared object for this machine, with an Iris entry function? It is read from
 * the file's bytes before any of them is mapped: a file cut short would end the process with
 * SIGBUS, and the constructors of a wrong one would have run before anybody could refuse it.
 * (Not named elf.h: the system's <link.h> includes a file of that name.) */
#ifndef IRIS_PLUGIN_ELFCHECK_H
#define IRIS_PLUGIN_ELFCHECK_H

#include <iris/plugin.h>

#include <link.h>

#define PLUGIN_ENTRY "iris_plugin_entry"

struct elf { /* a view into bytes that somebody else owns; all offsets are checked against len */
    const char *file; /* as sentences name it */
    const unsigned char *data;
    uint64_t len;
    ElfW(Ehdr) head;
    uint64_t dynamic, n_dynamic; /* where the entries of PT_DYNAMIC are, and how many */
    uint64_t strings, strings_len;
    uint64_t symbols, n_symbols;
    const char *stays; /* why it can never be unmapped, or NULL */
};

/* Checks everything; 0, or -1 and the sentence is in iris__reason(). */
int iris__elf_check(struct elf *, const char *file, iris_bytes code, const char *entry);

/* The i-th library that it needs, or NULL behind the last. */
const char *iris__elf_needed(const struct elf *, uint64_t i);

/* Where it looks for these: its RUNPATH or RPATH, or "". */
const char *iris__elf_runpath(const struct elf *);

#endif
