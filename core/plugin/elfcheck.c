#include "elfcheck.h"

#include "elfnote.h"
#include "fail.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the linker made of ourselves is what a plugin has to be, too. */
extern const ElfW(Ehdr) self __asm__("__ehdr_start") __attribute__((visibility("hidden")));

static int damaged(const struct elf *e, const char *what)
{
    return iris__fail("%s is damaged: %s; build or copy it again", e->file, what);
}

static int cut_short(const struct elf *e, uint64_t expected)
{
    return iris__fail("%s is cut short: its headers speak of %" PRIu64 " bytes, it has %" PRIu64
                      "; is it still being written?",
                      e->file, expected, e->len);
}

static int inside(const struct elf *e, uint64_t offset, uint64_t size)
{
    return offset <= e->len && size <= e->len - offset;
}

/* All reading goes through here: bounded, and indifferent to alignment. */
static int get(const struct elf *e, uint64_t offset, void *out, size_t size)
{
    if (!inside(e, offset, size))
        return -1;
    memcpy(out, e->data + offset, size);
    return 0;
}

static uint64_t end_of(uint64_t offset, uint64_t size)
{
    return offset <= UINT64_MAX - size ? offset + size : UINT64_MAX;
}

static void segment(const struct elf *e, int i, ElfW(Phdr) * out)
{
    memcpy(out, e->data + e->head.e_phoff + (uint64_t)i * sizeof *out, sizeof *out);
}

/* ---- the header ---- */

/* The first bytes as text if they are text, so that a script or a linker script is recognized. */
static int not_elf(const struct elf *e)
{
    char begin[64] = "";
    uint64_t n = 0, text = 0;
    while (n < e->len && n < 20 && e->data[n] != '\n')
        text += isprint(e->data[n++]) != 0;
    if (n >= 4 && text == n)
        snprintf(begin, sizeof begin, "\"%.*s\"", (int)n, (const char *)e->data);
    else
        for (uint64_t i = 0; i < e->len && i < 4; i++)
            sprintf(begin + 5 * i, "0x%02x ", e->data[i]);
    size_t end = strlen(begin);
    if (end && begin[end - 1] == ' ')
        begin[end - 1] = '\0';
    return iris__fail(
        "%s is not an ELF file: it begins with %s; expected a shared object, as made by "
        "cc -shared -fPIC",
        e->file, begin);
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {{EM_386, "x86"},      {EM_ARM, "ARM"},         {EM_X86_64, "x86-64"},
                 {EM_PPC64, "POWER"},  {EM_AARCH64, "AArch64"}, {EM_RISCV, "RISC-V"},
                 {EM_S390, "IBM Z"},   {EM_MIPS, "MIPS"},       {EM_LOONGARCH, "LoongArch"},
                 {EM_SPARCV9, "SPARC"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "an unknown machine";
}

static int bits(const unsigned char *ident)
{
    return ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
}

/* e_machine is at the same place in 32 and 64 bits; only its byte order differs. */
static int check_machine(const struct elf *e)
{
    const unsigned char *at = e->data + offsetof(ElfW(Ehdr), e_machine);
    unsigned machine = e->data[EI_DATA] == ELFDATA2MSB ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
    if (!memcmp(e->data, self.e_ident, EI_VERSION) && machine == self.e_machine)
        return 0;
    return iris__fail(
        "%s is built for %s (%u, %d bits); this machine is %s (%u, %d bits); build it "
        "for this machine",
        e->file, machine_name(machine), machine, bits(e->data), machine_name(self.e_machine),
        (unsigned)self.e_machine, bits(self.e_ident));
}

static int not_shared(const struct elf *e, const char *is)
{
    return iris__fail("%s is %s; expected a shared object: link it with -shared", e->file, is);
}

static int check_kind(const struct elf *e)
{
    switch (e->head.e_type) {
    case ET_DYN:
        return 0;
    case ET_EXEC:
        return not_shared(e, "a program");
    case ET_REL:
        return not_shared(e, "an object file (.o)");
    case ET_CORE:
        return not_shared(e, "a core dump");
    default:
        return damaged(e, "its header names no kind of file");
    }
}

static int check_header(struct elf *e)
{
    if (e->len < SELFMAG || memcmp(e->data, ELFMAG, SELFMAG) != 0)
        return not_elf(e);
    if (e->len < offsetof(ElfW(Ehdr), e_version))
        return cut_short(e, sizeof e->head);
    if (check_machine(e))
        return -1;
    if (get(e, 0, &e->head, sizeof e->head))
        return cut_short(e, sizeof e->head);
    if (check_kind(e))
        return -1;
    if (e->head.e_phnum == 0 || e->head.e_phentsize != sizeof(ElfW(Phdr)))
        return damaged(e, "it has no table of segments");
    return 0;
}

/* ---- is it whole? ---- */

/* How long a file is that holds all that the headers speak of. Linkers put the section table at the
 * end, so that this finds nearly every file that was cut short. */
static uint64_t extent(const struct elf *e)
{
    const ElfW(Ehdr) *h = &e->head;
    uint64_t sections = (uint64_t)(h->e_shnum ? h->e_shnum : 1) * h->e_shentsize;
    uint64_t end = end_of(h->e_phoff, (uint64_t)h->e_phnum * sizeof(ElfW(Phdr)));
    int readable = end <= e->len;
    if (h->e_shoff && end_of(h->e_shoff, sections) > end)
        end = end_of(h->e_shoff, sections);
    for (int i = 0; readable && i < h->e_phnum; i++) {
        ElfW(Phdr) p;
        segment(e, i, &p);
        if (p.p_filesz && end_of(p.p_offset, p.p_filesz) > end)
            end = end_of(p.p_offset, p.p_filesz);
    }
    return end;
}

/* What the dynamic linker takes on trust: in order, not overlapping, placed as pages can be. */
static int check_load(const struct elf *e, const ElfW(Phdr) * p, uint64_t *end)
{
    if (p->p_filesz > p->p_memsz || end_of(p->p_vaddr, p->p_memsz) > UINT64_MAX / 2)
        return damaged(e, "a segment is larger in the file than in memory");
    if (p->p_vaddr < *end)
        return damaged(e, "its segments are out of order");
    if (p->p_align > 1 && ((p->p_align & (p->p_align - 1)) ||
                           (p->p_vaddr & (p->p_align - 1)) != (p->p_offset & (p->p_align - 1))))
        return damaged(e, "a segment cannot be mapped where it belongs");
    *end = p->p_vaddr + p->p_memsz;
    return 0;
}

static int check_segments(struct elf *e)
{
    uint64_t end = 0, dynamic_len = 0;
    for (int i = 0; i < e->head.e_phnum; i++) {
        ElfW(Phdr) p;
        segment(e, i, &p);
        if (p.p_type == PT_LOAD && check_load(e, &p, &end))
            return -1;
        if (p.p_type == PT_DYNAMIC)
            e->dynamic = p.p_offset, dynamic_len = p.p_filesz;
        if (p.p_type == PT_TLS)
            e->stays = "it has thread-local variables, which threads may still use";
    }
    e->n_dynamic = dynamic_len / sizeof(ElfW(Dyn));
    if (!end || !e->n_dynamic)
        return damaged(e, "it has no dynamic section");
    return 0;
}

/* ---- the dynamic section ---- */

/* Where in the file is what will be at this address? */
static int place(const struct elf *e, uint64_t address, uint64_t size, uint64_t *offset)
{
    for (int i = 0; i < e->head.e_phnum; i++) {
        ElfW(Phdr) p;
        segment(e, i, &p);
        uint64_t skip = address - p.p_vaddr;
        if (p.p_type != PT_LOAD || address < p.p_vaddr || skip > p.p_filesz)
            continue;
        *offset = p.p_offset + skip;
        return size <= p.p_filesz - skip ? 0 : -1;
    }
    return -1;
}

/* The n-th entry of that tag; 0, or -1: there is none. */
static int dynamic(const struct elf *e, int64_t tag, uint64_t n, uint64_t *value)
{
    for (uint64_t i = 0; i < e->n_dynamic; i++) {
        ElfW(Dyn) entry;
        if (get(e, e->dynamic + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
            return -1;
        if (entry.d_tag == tag && n-- == 0) {
            *value = entry.d_un.d_val;
            return 0;
        }
    }
    return -1;
}

/* A table that the dynamic linker will walk must be in the file as a whole. */
static int check_table(const struct elf *e, int64_t address_tag, int64_t size_tag)
{
    uint64_t address, size, offset;
    if (dynamic(e, address_tag, 0, &address) || dynamic(e, size_tag, 0, &size))
        return 0;
    return size ? place(e, address, size, &offset) : 0;
}

static int check_tables(const struct elf *e)
{
    static const struct {
        int64_t address, size;
    } tables[] = {{DT_RELA, DT_RELASZ},
                  {DT_REL, DT_RELSZ},
                  {DT_JMPREL, DT_PLTRELSZ},
                  {DT_INIT_ARRAY, DT_INIT_ARRAYSZ},
                  {DT_FINI_ARRAY, DT_FINI_ARRAYSZ}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (check_table(e, tables[i].address, tables[i].size))
            return damaged(e, "a table of its dynamic section lies outside of its segments");
    return 0;
}

static int check_flags(struct elf *e)
{
    uint64_t flags;
    if (dynamic(e, DT_FLAGS_1, 0, &flags))
        return 0;
    if (flags & DF_1_PIE)
        return not_shared(e, "a program");
    if (flags & DF_1_NODELETE)
        e->stays = "it is linked with -z nodelete";
    return 0;
}

static int find_strings(struct elf *e)
{
    uint64_t address;
    if (dynamic(e, DT_STRTAB, 0, &address) || dynamic(e, DT_STRSZ, 0, &e->strings_len) ||
        place(e, address, e->strings_len, &e->strings) || e->strings_len == 0 ||
        e->data[e->strings + e->strings_len - 1] != '\0')
        return damaged(e, "its dynamic section has no names");
    return 0;
}

static const char *name_at(const struct elf *e, uint64_t i)
{
    return i < e->strings_len ? (const char *)e->data + e->strings + i : NULL;
}

/* ---- the symbols ---- */

/* The GNU hash table says nowhere how many symbols there are: the last one ends the longest
 * chain. */
static int count_gnu(const struct elf *e, uint64_t at, uint64_t *n)
{
    struct {
        uint32_t n_buckets, first, n_bloom, shift;
    } h;
    if (get(e, at, &h, sizeof h))
        return -1;
    uint64_t buckets = at + sizeof h + (uint64_t)h.n_bloom * sizeof(ElfW(Addr));
    uint64_t chains = buckets + (uint64_t)h.n_buckets * 4;
    uint32_t last = 0, entry;
    if (!inside(e, buckets, chains - buckets))
        return -1;
    for (uint64_t i = 0; i < h.n_buckets; i++)
        if (!get(e, buckets + i * 4, &entry, 4) && entry > last)
            last = entry;
    *n = h.first;
    if (last < h.first)
        return 0;
    for (*n = last, entry = 0; !(entry & 1); ++*n)
        if (get(e, chains + (*n - h.first) * 4, &entry, 4))
            return -1;
    return 0;
}

static int count_symbols(struct elf *e)
{
    uint64_t address, at;
    uint32_t plain[2]; /* buckets, and as many chain entries as symbols */
    if (!dynamic(e, DT_GNU_HASH, 0, &address))
        return place(e, address, 0, &at) || count_gnu(e, at, &e->n_symbols) ? -1 : 0;
    if (dynamic(e, DT_HASH, 0, &address))
        return 0; /* nothing to be found in it */
    if (place(e, address, sizeof plain, &at) || get(e, at, plain, sizeof plain))
        return -1;
    e->n_symbols = plain[1];
    return 0;
}

static int find_symbols(struct elf *e)
{
    uint64_t address;
    if (dynamic(e, DT_SYMTAB, 0, &address) || count_symbols(e) ||
        place(e, address, e->n_symbols * sizeof(ElfW(Sym)), &e->symbols))
        return damaged(e, "its table of symbols lies outside of its segments");
    return 0;
}

/* What a library does not undo when it is closed, and what then runs into unmapped code. */
static const char *lasting(const char *name)
{
    static const struct {
        const char *name, *why;
    } list[] = {
        {"pthread_key_create", "it makes a thread key, whose destructor runs when a thread ends"},
        {"__pthread_key_create", "it makes a thread key, whose destructor runs when a thread ends"},
        {"tss_create", "it makes a thread key, whose destructor runs when a thread ends"},
        {"__cxa_thread_atexit_impl", "it leaves work for the end of a thread"},
        {"__cxa_thread_atexit", "it leaves work for the end of a thread"},
        {"pthread_create", "it starts threads"},
        {"thrd_create", "it starts threads"},
        {"timer_create", "it sets timers"},
        {"signal", "it handles signals"},
        {"sigaction", "it handles signals"},
        {"pthread_atfork", "it has a handler for fork"},
        {"__register_atfork", "it has a handler for fork"},
    };
    if (!strncmp(name, "_ZNSt6thread", 12)) /* std::thread */
        return "it starts threads";
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!strcmp(name, list[i].name))
            return list[i].why;
    return NULL;
}

static const char *why_it_stays(const ElfW(Sym) * s, const char *name)
{
    if (s->st_shndx == SHN_UNDEF) /* a weak one is merely asked whether it is there */
        return s->st_info >> 4 == STB_GLOBAL ? lasting(name) : NULL;
    if (s->st_info >> 4 == STB_GNU_UNIQUE)
        return "it has unique symbols (C++ inline statics), which all versions share";
    return NULL;
}

static int is_entry(const ElfW(Sym) * s, const char *name, const char *entry)
{
    int bind = s->st_info >> 4, type = s->st_info & 15, visibility = s->st_other & 3;
    return s->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
           type == STT_FUNC && (visibility == STV_DEFAULT || visibility == STV_PROTECTED) &&
           !strcmp(name, entry);
}

static int check_symbols(struct elf *e, const char *entry)
{
    int found = 0;
    for (uint64_t i = 1; i < e->n_symbols; i++) {
        ElfW(Sym) s;
        memcpy(&s, e->data + e->symbols + i * sizeof s, sizeof s);
        const char *name = name_at(e, s.st_name);
        if (!name)
            return damaged(e, "a symbol has no name");
        found |= is_entry(&s, name, entry);
        if (!e->stays)
            e->stays = why_it_stays(&s, name);
    }
    if (!found)
        return iris__fail(
            "%s exports no %s; expected a plugin, which defines that one function with "
            "IRIS_EXPORT as <iris/plugin.h> declares it",
            e->file, entry);
    return 0;
}

/* ---- what others call ---- */

int iris__elf_check(struct elf *e, const char *file, iris_bytes code, const char *entry)
{
    *e = (struct elf){.file = file, .data = code.data, .len = code.len};
    if (check_header(e))
        return -1;
    if (extent(e) > e->len)
        return cut_short(e, extent(e));
    if (check_segments(e) || check_flags(e) || check_tables(e) || find_strings(e) ||
        find_symbols(e))
        return -1;
    return check_symbols(e, entry) || iris__elf_note_check(e) ? -1 : 0;
}

const char *iris__elf_needed(const struct elf *e, uint64_t i)
{
    uint64_t name;
    return dynamic(e, DT_NEEDED, i, &name) ? NULL : name_at(e, name);
}

const char *iris__elf_runpath(const struct elf *e)
{
    uint64_t at;
    const char *path = NULL;
    if (!dynamic(e, DT_RUNPATH, 0, &at) || !dynamic(e, DT_RPATH, 0, &at))
        path = name_at(e, at);
    return path ? path : "";
}
