#include "elfnote.h"

#include "fail.h"

#include <inttypes.h>
#include <string.h>

#define OWNER "Iris"
#define TYPE 1

/* One note after the other; both the owner and what follows are filled up to `align`. */
struct notes {
    const unsigned char *at, *end;
    uint64_t align;
};

static uint64_t filled(uint64_t n, uint64_t align)
{
    return (n + align - 1) / align * align;
}

static int take(struct notes *n, ElfW(Nhdr) * head, const unsigned char **owner,
                const unsigned char **desc)
{
    uint64_t left = (uint64_t)(n->end - n->at);
    if (left < sizeof *head)
        return 0;
    memcpy(head, n->at, sizeof *head);
    uint64_t before = filled(sizeof *head + (uint64_t)head->n_namesz, n->align);
    if (before > left || head->n_descsz > left - before)
        return 0;
    *owner = n->at + sizeof *head;
    *desc = n->at + before;
    uint64_t all = filled(before + head->n_descsz, n->align);
    n->at += all < left ? all : left;
    return 1;
}

/* Two texts, each with its '\0' inside of it. */
static int read_texts(const char *s, uint64_t len, struct elf_note *out)
{
    const char *end = memchr(s, '\0', len);
    if (!end)
        return 0;
    out->name = s;
    out->version = end + 1;
    return memchr(end + 1, '\0', len - (uint64_t)(end + 1 - s)) != NULL;
}

static int read_notes(struct notes n, struct elf_note *out)
{
    ElfW(Nhdr) head;
    const unsigned char *owner, *desc;
    while (take(&n, &head, &owner, &desc)) {
        if (head.n_type != TYPE || head.n_namesz != sizeof OWNER ||
            memcmp(owner, OWNER, sizeof OWNER) != 0 || head.n_descsz < sizeof out->abi)
            continue;
        memcpy(&out->abi, desc, sizeof out->abi);
        return read_texts((const char *)desc + sizeof out->abi, head.n_descsz - sizeof out->abi,
                          out);
    }
    return 0;
}

int iris__elf_note(const struct elf *e, struct elf_note *out)
{
    for (int i = 0; i < e->head.e_phnum; i++) {
        ElfW(Phdr) p;
        memcpy(&p, e->data + e->head.e_phoff + (uint64_t)i * sizeof p, sizeof p);
        if (p.p_type != PT_NOTE || p.p_offset > e->len || p.p_filesz > e->len - p.p_offset)
            continue;
        struct notes n = {e->data + p.p_offset, e->data + p.p_offset + p.p_filesz,
                          p.p_align == 8 ? 8 : 4};
        if (read_notes(n, out))
            return 1;
    }
    return 0;
}

int iris__elf_note_check(const struct elf *e)
{
    struct elf_note note;
    if (!iris__elf_note(e, &note) || note.abi == IRIS_ABI)
        return 0;
    return iris__fail("%s: its note says ABI %" PRIu32
                      "; this Iris speaks ABI %d; none of its code "
                      "was run; build it again with the <iris/plugin.h> of this Iris",
                      e->file, note.abi, IRIS_ABI);
}
