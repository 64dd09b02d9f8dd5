/* What the loader refuses, and its sentences, word for word: where, what was found, what was
 * expected, what to do. */
#include "loader_fixture.h"

#include "fail.h"
#include "main.h"
#include "source.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files that are none ---- */

static void missing_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    char sentence[512];
    loader_refuse(f, loader_path(f, "no.so"),
                  "%s: there is no such file; build it, or correct the path");
    assert_int_equal(chdir(f->dir), 0);
    snprintf(sentence, sizeof sentence,
             "%%s: there is no such file as seen from %s; build it, or correct the path", f->dir);
    loader_refuse(f, "./no.so", sentence);
}

static void unreadable_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *loop = loader_path(f, "loop.so");
    assert_int_equal(symlink(loop, loop), 0);
    loader_refuse(
        f, loop,
        "%s cannot be read: Too many levels of symbolic links; expected a file that this user "
        "may read");
}

static void directory_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(f, f->dir, "%s is a directory; expected a regular file");
}

/* It would wait for ever for somebody to write. */
static void pipe_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_path(f, "pipe.so");
    assert_int_equal(mkfifo(file, 0600), 0);
    loader_refuse(f, file, "%s is a pipe; expected a regular file");
    loader_refuse(f, "/dev/zero", "%s is a device; expected a regular file");
}

static void empty_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(f, loader_put_bytes(f, "empty.so", "", 0),
                  "%s is empty; is it still being written?");
}

static void huge_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put_bytes(f, "huge.so", "x", 1);
    assert_int_equal(truncate(file, (off_t)IRIS__SOURCE_MAX + 1), 0);
    loader_refuse(f, file, "%s has 268435457 bytes; expected at most 268435456 (256 MiB)");
}

static void world_writable_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    char sentence[512];
    assert_int_equal(chmod(file, 0666), 0);
    snprintf(sentence, sizeof sentence,
             "%%s may be written by every user (mode 0666), so that anybody could run code in this "
             "process; do: chmod o-w %s",
             file);
    loader_refuse(f, file, sentence);
}

/* Linkers write in place, and what they have written so far may look whole. */
static void file_open_for_writing_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    int writer = open(file, O_WRONLY | O_CLOEXEC), reader = open(file, O_RDONLY | O_CLOEXEC);
    if (fcntl(reader, F_SETLEASE, F_RDLCK) == 0 || errno != EAGAIN)
        skip(); /* this file system cannot say */
    loader_refuse(
        f, file,
        "%s is open for writing in another process; wait until it is written, or write to "
        "another name and rename");
    close(writer);
    close(reader);
    iris__library_release(loader_load(f, file));
}

/* ---- files that are no shared objects ---- */

static void text_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(
        f, loader_put_bytes(f, "pay.py", "#!/bin/sh\necho hello\n", 21),
        "%s is not an ELF file: it begins with \"#!/bin/sh\"; expected a shared object, as "
        "made by cc -shared -fPIC");
    loader_refuse(
        f, loader_put_bytes(f, "long.so", "INPUT(libc.so.6 and a long list)", 32),
        "%s is not an ELF file: it begins with \"INPUT(libc.so.6 and \"; expected a shared "
        "object, as made by cc -shared -fPIC");
}

static void bytes_of_another_kind_are_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(
        f, loader_put_bytes(f, "zero.so", "\0\0\0\0\0\0\0\0", 8),
        "%s is not an ELF file: it begins with 0x00 0x00 0x00 0x00; expected a shared object, "
        "as made by cc -shared -fPIC");
    loader_refuse(
        f, loader_put_bytes(f, "short.so", "\x7f", 1),
        "%s is not an ELF file: it begins with 0x7f; expected a shared object, as made by cc "
        "-shared -fPIC");
}

/* The sample with one 16-bit or 8-bit member of its header changed. */
static const char *with_header(struct loader_fixture *f, size_t offset, int value, size_t size)
{
    size_t len;
    char *data = loader_slurp(loader_sample("counter1"), &len);
    memcpy(data + offset, &value, size);
    const char *file = loader_put_bytes(f, "changed.so", data, len);
    free(data);
    return file;
}

static void refuse_reason_with(struct loader_fixture *f, const char *file, const char *part)
{
    struct library *lib = NULL;
    assert_int_equal(iris__loader_open(&f->loader, file, &f->api, &lib), -1);
    if (!strstr(iris__reason(), part))
        fail_msg("\"%s\" does not say \"%s\"", iris__reason(), part);
}

static void other_machine_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = with_header(f, offsetof(Elf64_Ehdr, e_machine), EM_S390, 2);
    refuse_reason_with(f, file, "is built for IBM Z (22, 64 bits); this machine is ");
    refuse_reason_with(f, file, "; build it for this machine");
    file = with_header(f, EI_CLASS, sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64, 1);
    refuse_reason_with(f, file, sizeof(void *) == 8 ? ", 32 bits); this" : ", 64 bits); this");
}

static void program_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(f, "/proc/self/exe",
                  "%s is a program; expected a shared object: link it with -shared");
    loader_refuse(f, with_header(f, offsetof(Elf64_Ehdr, e_type), ET_EXEC, 2),
                  "%s is a program; expected a shared object: link it with -shared");
}

static void object_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(f, with_header(f, offsetof(Elf64_Ehdr, e_type), ET_REL, 2),
                  "%s is an object file (.o); expected a shared object: link it with -shared");
    loader_refuse(f, with_header(f, offsetof(Elf64_Ehdr, e_type), ET_CORE, 2),
                  "%s is a core dump; expected a shared object: link it with -shared");
}

/* ---- half-written files ---- */

static void half_written_file_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    char sentence[256];
    size_t len;
    char *data = loader_slurp(loader_sample("counter1"), &len);
    for (size_t part = len / 2; part < len; part += (len - part + 1) / 2) {
        const char *file = loader_put_bytes(f, "half.so", data, part);
        snprintf(sentence, sizeof sentence,
                 "%%s is cut short: its headers speak of %zu bytes, it has %zu; is it still being "
                 "written?",
                 len, part);
        loader_refuse(f, file, sentence);
    }
    loader_refuse(
        f, loader_put_bytes(f, "ten.so", data, 10),
        "%s is cut short: its headers speak of 64 bytes, it has 10; is it still being written?");
    loader_refuse(
        f, loader_put_bytes(f, "forty.so", data, 40),
        "%s is cut short: its headers speak of 64 bytes, it has 40; is it still being written?");
    free(data);
}

/* Wherever it ends, not even its constructors are run. */
static void no_part_of_a_file_is_ever_run(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = NULL;
    size_t len;
    char *data = loader_slurp(loader_sample("shapes"), &len);
    unsetenv("IRIS_TEST_CONSTRUCTED");
    for (size_t part = 1; part < len; part += part < len - 200 ? 97 : 1) {
        const char *file = loader_put_bytes(f, "part.so", data, part);
        assert_int_equal(iris__loader_open(&f->loader, file, &f->api, &lib), -1);
    }
    assert_null(getenv("IRIS_TEST_CONSTRUCTED"));
    assert_null(f->loader.store.copies);
    lib = loader_load(f, loader_put_bytes(f, "all.so", data, len));
    assert_non_null(getenv("IRIS_TEST_CONSTRUCTED"));
    iris__library_release(lib);
    free(data);
}

/* ---- shared objects that are no plugins ---- */

static void file_without_entry_is_refused(void **state)
{
    struct loader_fixture *f = *state;
    unsetenv("IRIS_TEST_CONSTRUCTED");
    loader_refuse(
        f, loader_sample("entryless"),
        "%s exports no iris_plugin_entry; expected a plugin, which defines that one function "
        "with IRIS_EXPORT as <iris/plugin.h> declares it");
    assert_null(getenv("IRIS_TEST_CONSTRUCTED"));
}

static void missing_symbol_is_named(void **state)
{
    struct loader_fixture *f = *state;
    loader_refuse(
        f, loader_sample("unlinked"),
        "%s uses nobody_defines_this, which nothing defines; link it with the library that "
        "does (with -Wl,--no-undefined its own build would have said so)");
    loader_refuse(
        f, loader_sample("caller"),
        "%s calls iris_send(), which no library defines; a plugin links nothing of Iris, it "
        "calls through the iris_api that iris_plugin_entry() is handed");
    assert_null(f->loader.libraries);
    assert_null(f->loader.store.copies);
}

static void missing_library_is_named(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "dependent.so", "dependent");
    loader_patch(file, "libloader_dependency.so", "libloader_dependencx.so");
    loader_refuse(f, file,
                  "%s needs libloader_dependencx.so, which was not found; install it, or link with "
                  "-Wl,-rpath and the absolute directory that has it");
}

/* A search path is named. */
static void origin_is_explained(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "relative.so", "relative");
    loader_patch(file, "libloader_dependency.so", "libloader_dependencx.so");
    refuse_reason_with(f, file,
                       "needs libloader_dependencx.so, which was not found, also not in its search "
                       "path \"");
    refuse_reason_with(f, file, "$ORIGIN");
    refuse_reason_with(f, file, "\"; put it there, or install it");
}

/* ---- plugins that are wrong ---- */

static const struct {
    const char *shape, *sentence;
} shapes[] = {
    {"entry", "%s cannot run here: libnothing 3 is not installed; apt install it (so says its "
              "iris_plugin_entry)"},
    {"entry silent", "%s cannot run here: no reason was given (so says its iris_plugin_entry)"},
    {"plugin abi",
     "%s: its iris_plugin speaks ABI 99; this Iris speaks ABI 1; build it again with the "
     "<iris/plugin.h> of this Iris"},
    {"plugin size",
     "%s: its iris_plugin says that it has 4 bytes; expected size = sizeof of the struct"},
    {"plugin name", "%s: its iris_plugin has no name; every iris_plugin must set it"},
    {"plugin needs",
     "%s needs the extension \"iris.unheard/7\", which this Iris (0.0.0) does not have; use an "
     "Iris that has it, or a plugin that does without"},
    {"plugin empty",
     "%s: its iris_plugin has neither behaviours nor a host; expected at least one of them"},
    {"behaviour abi",
     "%s: its behaviour 2 speaks ABI 2; this Iris speaks ABI 1; build it again with the "
     "<iris/plugin.h> of this Iris"},
    {"behaviour name", "%s: its behaviour 2 has no name; every iris_behaviour must set it"},
    {"behaviour handle",
     "%s: its behaviour \"second\" has no handle; every iris_behaviour must set it"},
    {"behaviour twice", "%s: two of its behaviours are named \"first\"; expected each name once"},
    {"behaviours endless",
     "%s: its list of behaviours is longer than 4096; expected NULL behind the last"},
    {"host abi", "%s: its iris_host speaks ABI 0; this Iris speaks ABI 1; build it again with the "
                 "<iris/plugin.h> of this Iris"},
    {"host start", "%s: its iris_host has no start; every iris_host must set it"},
    {"host load", "%s: its iris_host has no load; every iris_host must set it"},
};

static void wrong_plugin(struct loader_fixture *f, const char *about)
{
    int n = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strncmp(shapes[i].shape, about, strlen(about)) != 0)
            continue;
        n++;
        setenv("IRIS_TEST_SHAPE", shapes[i].shape, 1);
        iris__fail("an older failure, which is none of this one's business");
        loader_refuse(f, loader_sample("shapes"), shapes[i].sentence);
    }
    assert_true(n > 0);
}

static void entry_that_says_no_is_quoted(void **state)
{
    wrong_plugin(*state, "entry");
}

static void wrong_abi_is_refused(void **state)
{
    wrong_plugin(*state, "plugin abi");
    wrong_plugin(*state, "behaviour abi");
    wrong_plugin(*state, "host abi");
}

static void missing_member_is_named(void **state)
{
    wrong_plugin(*state, "plugin name");
    wrong_plugin(*state, "plugin size");
    wrong_plugin(*state, "plugin empty");
    wrong_plugin(*state, "behaviour name");
    wrong_plugin(*state, "behaviour handle");
    wrong_plugin(*state, "host start");
    wrong_plugin(*state, "host load");
}

static void unknown_extension_is_named(void **state)
{
    wrong_plugin(*state, "plugin needs");
}

static void list_of_behaviours_must_be_sound(void **state)
{
    wrong_plugin(*state, "behaviour twice");
    wrong_plugin(*state, "behaviours endless");
}

/* Even the same bytes, since a reason may lie outside of them: something that is not installed
 * yet. */
static void refused_plugin_may_be_tried_again(void **state)
{
    struct loader_fixture *f = *state;
    for (int i = 0; i < 3; i++)
        wrong_plugin(f, "entry");
    setenv("IRIS_TEST_SHAPE", "no host", 1);
    struct library *lib = loader_load(f, loader_sample("shapes"));
    assert_int_equal(lib->taken.n, 2);
    assert_null(lib->next);
    iris__library_release(lib);
}

/* ---- behaviours ---- */

static void unknown_behaviour_is_answered_with_the_known(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("counter1"));
    char expected[512];
    assert_null(iris__library_behaviour(lib, "countr"));
    snprintf(expected, sizeof expected,
             "%s has no behaviour \"countr\"; it has: counter, echo; did you mean \"counter\"?",
             loader_sample("counter1"));
    assert_string_equal(iris__reason(), expected);
    assert_null(iris__library_behaviour(lib, "parser"));
    snprintf(expected, sizeof expected, "%s has no behaviour \"parser\"; it has: counter, echo",
             loader_sample("counter1"));
    assert_string_equal(iris__reason(), expected);
    iris__library_release(lib);
}

static void host_has_no_behaviours(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("host"));
    char expected[512];
    assert_null(iris__library_behaviour(lib, NULL));
    snprintf(
        expected, sizeof expected,
        "%s has no behaviours of its own: it is the host of Nothing 1.0, which makes them of other "
        "files",
        loader_sample("host"));
    assert_string_equal(iris__reason(), expected);
    iris__library_release(lib);
}

/* ---- nowhere to put it ---- */

static void full_disk_is_told(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = NULL;
    char command[512];
    iris__store_open(&f->loader.store);
    snprintf(command, sizeof command, "rm -rf '%s'", f->loader.store.dir.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(iris__loader_open(&f->loader, loader_sample("counter1"), &f->api, &lib), -1);
    assert_non_null(strstr(iris__reason(), ": its private copy cannot be written to "));
    assert_non_null(strstr(iris__reason(), "; make room there, or set IRIS_STATE_DIR to another "));
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST_LOADER("loader.missing_file_is_refused", missing_file_is_refused),
    IRIS_TEST_LOADER("loader.unreadable_file_is_refused", unreadable_file_is_refused),
    IRIS_TEST_LOADER("loader.directory_is_refused", directory_is_refused),
    IRIS_TEST_LOADER("loader.pipe_is_refused", pipe_is_refused),
    IRIS_TEST_LOADER("loader.empty_file_is_refused", empty_file_is_refused),
    IRIS_TEST_LOADER("loader.huge_file_is_refused", huge_file_is_refused),
    IRIS_TEST_LOADER("loader.world_writable_file_is_refused", world_writable_file_is_refused),
    IRIS_TEST_LOADER("loader.file_open_for_writing_is_refused", file_open_for_writing_is_refused),
    IRIS_TEST_LOADER("loader.not_elf_is_refused", text_is_refused),
    IRIS_TEST_LOADER("loader.bytes_of_another_kind_are_refused", bytes_of_another_kind_are_refused),
    IRIS_TEST_LOADER("loader.other_machine_is_refused", other_machine_is_refused),
    IRIS_TEST_LOADER("loader.program_is_refused", program_is_refused),
    IRIS_TEST_LOADER("loader.object_file_is_refused", object_file_is_refused),
    IRIS_TEST_LOADER("loader.half_written_file_is_refused", half_written_file_is_refused),
    IRIS_TEST_LOADER("loader.no_part_of_a_file_is_ever_run", no_part_of_a_file_is_ever_run),
    IRIS_TEST_LOADER("loader.file_without_entry_is_refused", file_without_entry_is_refused),
    IRIS_TEST_LOADER("loader.missing_symbol_is_named", missing_symbol_is_named),
    IRIS_TEST_LOADER("loader.missing_library_is_named", missing_library_is_named),
    IRIS_TEST_LOADER("loader.origin_is_explained", origin_is_explained),
    IRIS_TEST_LOADER("loader.entry_that_says_no_is_quoted", entry_that_says_no_is_quoted),
    IRIS_TEST_LOADER("loader.refused_plugin_may_be_tried_again", refused_plugin_may_be_tried_again),
    IRIS_TEST_LOADER("loader.wrong_abi_is_refused", wrong_abi_is_refused),
    IRIS_TEST_LOADER("loader.missing_member_is_named", missing_member_is_named),
    IRIS_TEST_LOADER("loader.unknown_extension_is_named", unknown_extension_is_named),
    IRIS_TEST_LOADER("loader.list_of_behaviours_must_be_sound", list_of_behaviours_must_be_sound),
    IRIS_TEST_LOADER("loader.unknown_behaviour_is_answered_with_the_known", unknown_behaviour_is_answered_with_the_known),
    IRIS_TEST_LOADER("loader.host_has_no_behaviours", host_has_no_behaviours),
    IRIS_TEST_LOADER("loader.full_disk_is_told", full_disk_is_told),
};
/* clang-format on */
IRIS_MAIN(tests)
