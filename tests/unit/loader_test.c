/* The loader: every trap of the dynamic linker that was measured is a test here. What it refuses,
 * and how it says so, is in loader_refusal_test.c; its directory in loader_directory_test.c. */
#include "loader_fixture.h"

#include "fail.h"
#include "main.h"
#include "unload.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sanitizer's build closes nothing, so there is nothing to see. */
static void needs_dlclose(void)
{
    if (!IRIS__UNLOADS)
        skip();
}

/* ---- the file changes, what was loaded does not ---- */

static void same_path_gives_new_code(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    struct library *one = loader_load(f, file);
    loader_put(f, "libcounter.so", "counter2"); /* a new inode over the path, as mv does it */
    struct library *two = loader_load(f, file);
    assert_ptr_not_equal(one, two);
    assert_int_equal(loader_call(one, 0), 1);
    assert_int_equal(loader_call(two, 0), 2);
    iris__library_release(one);
    iris__library_release(two);
}

/* As `cat new > file` and `cp new file` do it: same inode, other bytes, then none at all. */
static void overwriting_in_place_is_safe(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    struct library *lib = loader_load(f, file);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "this is no code at all", 22), 22);
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    assert_int_equal(loader_call(lib, 0), 1);
    assert_int_equal(loader_call(lib, 1), 1); /* reads pages that were not read before */
    iris__library_release(lib);
}

static void removing_the_file_is_safe(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    struct library *lib = loader_load(f, file);
    unlink(file);
    assert_int_equal(loader_call(lib, 1), 1);
    iris__library_release(lib);
}

static void same_soname_twice_keeps_both(void **state)
{
    struct loader_fixture *f = *state;
    struct library *one = loader_load(f, loader_put(f, "a.so", "counter1"));
    struct library *two = loader_load(f, loader_put(f, "b.so", "counter2"));
    assert_ptr_not_equal(one->handle, two->handle);
    assert_int_equal(loader_call(one, 0), 1);
    assert_int_equal(loader_call(two, 0), 2);
    iris__library_release(one);
    iris__library_release(two);
}

/* With RTLD_GLOBAL, version 2 would call version 1's exported function. */
static void helpers_of_two_versions_do_not_mix(void **state)
{
    struct loader_fixture *f = *state;
    struct library *one = loader_load(f, loader_sample("counter1"));
    struct library *two = loader_load(f, loader_sample("counter2"));
    assert_int_equal(loader_call(two, 0), 2);
    assert_int_equal(loader_call(one, 0), 1);
    assert_null(dlsym(RTLD_DEFAULT, "loader_helper"));
    iris__library_release(one);
    iris__library_release(two);
}

static void symlink_to_loaded_file_gives_its_bytes(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter-1.so", "counter1");
    const char *link = loader_path(f, "libcounter.so");
    struct library *one = loader_load(f, file);
    assert_int_equal(symlink(file, link), 0);
    struct library *same = loader_load(f, link);
    assert_ptr_equal(one, same);
    unlink(link); /* the usual way to install a version: the link moves on */
    assert_int_equal(symlink(loader_put(f, "libcounter-2.so", "counter2"), link), 0);
    struct library *two = loader_load(f, link);
    assert_int_equal(loader_call(two, 0), 2);
    assert_int_equal(loader_call(one, 0), 1);
    iris__library_release(one);
    iris__library_release(same);
    iris__library_release(two);
}

static void equal_bytes_are_loaded_once(void **state)
{
    struct loader_fixture *f = *state;
    struct library *one = loader_load(f, loader_put(f, "one.so", "counter1"));
    int before = loader_mapped("/one-");
    struct library *two = loader_load(f, loader_put(f, "two.so", "counter1"));
    assert_ptr_equal(one, two);
    assert_int_equal(loader_mapped("/one-"), before);
    assert_int_equal(loader_mapped("/two-"), 0);
    iris__library_release(one);
    assert_int_equal(iris__loader_sweep(&f->loader), 0); /* one reference is left */
    assert_int_equal(loader_call(two, 0), 1);
    iris__library_release(two);
}

static void odd_file_names_are_loaded(void **state)
{
    struct loader_fixture *f = *state;
    char long_name[256] = "";
    memset(long_name, 'x', 255);
    const char *names[] = {"$ORIGIN.so", "a b\n'c'.so",          "-rf",
                           ".so",        "\xc3\xa9t\xc3\xa9.so", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct library *lib =
            loader_load(f, loader_put(f, names[i], i % 2 ? "counter1" : "counter2"));
        assert_int_equal(loader_call(lib, 0), i % 2 ? 1 : 2);
        iris__library_release(lib);
        iris__loader_sweep(&f->loader);
    }
}

/* The linker compares the path with the names that libraries give themselves. This one calls itself
 * what the copy of version 2 will be called. */
static void name_of_another_library_is_noticed(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter2");
    const char *liar = loader_put(f, "liar.so", "imposter");
    struct source s;
    char soname[200] = "@", sentence[1024];
    for (int i = 0; i < 13; i++)
        strcat(soname, i ? "_IMPOSTER" : "IMPOSTER");
    assert_int_equal(iris__loader_read(&f->loader, file, &s), 0);
    loader_patch(liar, strcat(soname, "@"), s.copy->path);
    snprintf(
        sentence, sizeof sentence,
        "%%s was not loaded: the linker took %%s for it, which calls itself %s; build that one "
        "with another -soname",
        s.copy->path);
    iris__loader_free(&f->loader, &s);
    struct library *lib = loader_load(f, liar), *two = NULL;
    assert_int_equal(iris__loader_open(&f->loader, file, &f->api, &two), -1);
    assert_non_null(strstr(iris__reason(), "was not loaded: the linker took "));
    assert_non_null(strstr(iris__reason(), lib->copy->path));
    iris__library_release(lib);
}

/* ---- what is closed, and what never is ---- */

static void unused_library_is_unmapped(void **state)
{
    struct loader_fixture *f = *state;
    needs_dlclose();
    struct library *lib = loader_load(f, loader_sample("counter1"));
    assert_int_equal(loader_call(lib, 2), 1);
    assert_true(loader_mapped("/counter1-") > 0);
    char *copy = strdup(lib->copy->path);
    iris__library_release(lib);
    assert_int_equal(iris__loader_sweep(&f->loader), 1);
    assert_int_equal(loader_mapped("/counter1-"), 0);
    assert_false(loader_exists(copy));
    free(copy);
    lib = loader_load(f, loader_sample("counter1"));
    assert_int_equal(loader_call(lib, 2), 1); /* and starts from the beginning */
    iris__library_release(lib);
}

static void stays(struct loader_fixture *f, const char *name)
{
    struct library *lib = loader_load(f, loader_sample(name));
    assert_non_null(lib->stays);
    assert_int_equal(iris__loader_kept(&f->loader), 1);
    loader_call(lib, 1);
    iris__library_release(lib);
    assert_int_equal(iris__loader_sweep(&f->loader), 0);
    assert_true(loader_mapped(name) > 0);
    struct library *again = loader_load(f, loader_sample(name));
    assert_ptr_equal(lib, again);
    assert_int_equal(iris__loader_kept(&f->loader), 1);
    iris__library_release(again);
}

static void gnu_unique_library_is_kept(void **state)
{
    stays(*state, "unique");
}

static void nodelete_library_is_kept(void **state)
{
    stays(*state, "nodelete");
}

static void library_with_thread_locals_is_kept(void **state)
{
    stays(*state, "threadlocal");
}

static void *mark_this_thread(void *lib)
{
    loader_call(lib, 1);
    return NULL;
}

static void plugin_with_thread_key_destructor_outlives_its_threads(void **state)
{
    struct loader_fixture *f = *state;
    pthread_t thread;
    stays(f, "key"); /* marks this thread */
    struct library *lib = loader_load(f, loader_sample("key"));
    pthread_create(&thread, NULL, mark_this_thread, lib);
    pthread_join(thread, NULL);
    assert_int_equal(loader_call(lib, 0), 1);
    iris__library_release(lib);
}

static void plugin_with_a_running_thread_is_kept(void **state)
{
    struct loader_fixture *f = *state;
    stays(f, "starter");
    struct library *lib = loader_load(f, loader_sample("starter"));
    int before = loader_call(lib, 0);
    while (loader_call(lib, 0) <= before + 2)
        usleep(1000); /* it goes on, though nobody had a reference for a while */
    iris__library_release(lib);
}

static void language_host_is_kept(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("host"));
    assert_non_null(lib->taken.plugin.host);
    assert_string_equal(lib->taken.host.runtime, "Nothing 1.0");
    assert_string_equal(lib->stays, "it is a language host");
    iris__library_release(lib);
    assert_int_equal(iris__loader_sweep(&f->loader), 0);
    assert_int_equal(iris__loader_kept(&f->loader), 1);
    assert_true(loader_mapped("/host-") > 0);
}

/* Such a library may have threads of its own. It is there once, whatever number of versions use
 * it. */
static void needed_libraries_stay(void **state)
{
    struct loader_fixture *f = *state;
    needs_dlclose();
    struct library *lib = loader_load(f, loader_sample("dependent"));
    assert_int_equal(loader_call(lib, 0), 77);
    iris__library_release(lib);
    assert_int_equal(iris__loader_sweep(&f->loader), 1);
    assert_int_equal(loader_mapped("/dependent-"), 0);
    assert_true(loader_mapped("libloader_dependency.so") > 0);
}

/* By $ORIGIN, from where the file is and not its private copy. */
static void neighbours_are_found(void **state)
{
    struct loader_fixture *f = *state;
    assert_int_equal(loader_mapped("libloader_dependency.so"), 0);
    struct library *lib = loader_load(f, loader_sample("relative"));
    assert_int_equal(loader_call(lib, 0), 77);
    iris__library_release(lib);
}

/* Something else holds the library, so that the linker does not let go of it. */
static void library_that_something_holds_is_kept(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("counter1"));
    void *other = dlopen(lib->copy->path, RTLD_NOW | RTLD_NOLOAD);
    assert_ptr_equal(other, lib->handle);
    assert_int_equal(loader_call(lib, 2), 1);
    iris__library_release(lib);
    assert_int_equal(iris__loader_sweep(&f->loader), 0);
    assert_int_equal(iris__loader_kept(&f->loader), 1);
    lib = loader_load(f, loader_sample("counter1"));
    assert_int_equal(loader_call(lib, 2), 2);
    iris__library_release(lib);
    dlclose(other);
}

static void a_thousand_kept_libraries_warn(void **state)
{
    struct loader_fixture *f = *state;
    f->loader.kept = IRIS__KEPT_WARN - 1;
    iris__library_release(loader_load(f, loader_sample("counter1")));
    assert_int_equal(f->warnings, 0); /* that one can be closed */
    iris__library_release(loader_load(f, loader_sample("nodelete")));
    assert_int_equal(f->warnings, 1);
    assert_non_null(strstr(f->warning, "1000 loaded libraries cannot be unloaded any more"));
    iris__library_release(loader_load(f, loader_sample("threadlocal")));
    assert_int_equal(f->warnings, 1); /* not again at every one */
    f->loader.kept = 2 * IRIS__KEPT_WARN - 1;
    iris__library_release(loader_load(f, loader_sample("unique")));
    assert_int_equal(f->warnings, 2);
}

static void ten_thousand_kept_libraries_are_the_limit(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("nodelete"));
    f->loader.kept = IRIS__KEPT_MOST;
    loader_refuse(
        f, loader_sample("threadlocal"),
        "%s is not loaded: 10000 libraries that cannot be unloaded are loaded, which is the "
        "limit, and it has thread-local variables, which threads may still use; restart the "
        "program, or build the plugin without that");
    iris__library_release(
        loader_load(f, loader_sample("nodelete"))); /* costs nothing: it is there */
    iris__library_release(loader_load(f, loader_sample("counter1"))); /* can be closed */
    iris__library_release(lib);
}

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void many_versions_cost_nothing(void **state)
{
    struct loader_fixture *f = *state;
    needs_dlclose();
    iris__library_release(loader_load(f, loader_sample("counter2")));
    iris__loader_sweep(&f->loader);
    int maps = loader_mapped(""), files = open_files();
    size_t len;
    char *data = loader_slurp(loader_sample("counter1"), &len);
    char *mark = memmem(data, len, "counter", 8);
    for (int i = 0; i < 300; i++) {
        snprintf(mark, 8, "c%06u", (unsigned)i % 1000000u); /* other bytes, so another version */
        struct library *lib = loader_load(f, loader_put_bytes(f, "c.so", data, len));
        assert_int_equal(loader_call(lib, 2), 1);
        iris__library_release(lib);
        assert_int_equal(iris__loader_sweep(&f->loader), 1);
    }
    free(data);
    assert_in_range(loader_mapped(""), 0, maps + 8); /* the heap may have grown */
    assert_int_equal(open_files(), files);
    assert_null(f->loader.store.copies);
}

/* A host that stayed must be itself again, not a second one, when the program starts a runtime
 * anew. */
static void next_runtime_finds_kept_library_again(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("threadlocal"));
    void *handle = lib->handle;
    assert_int_equal(loader_call(lib, 0), 1);
    iris__library_release(lib);
    iris__loader_finish(&f->loader);
    iris__loader_init(&f->loader);
    lib = loader_load(f, loader_sample("threadlocal"));
    assert_ptr_equal(lib->handle, handle);
    assert_int_equal(loader_call(lib, 0), 2);
    iris__library_release(lib);
}

/* Two runtimes that live at the same time: a language is in the process once. */
static void live_runtimes_share_a_language_host(void **state)
{
    struct loader_fixture *f = *state;
    struct loader other;
    struct library *one = NULL, *two = NULL, *again = NULL;
    const char *file = loader_put(f, "shared.so", "host");
    iris__loader_init(&other);
    assert_int_equal(iris__loader_open_host(&f->loader, file, &f->api, &one), 0);
    assert_int_equal(iris__loader_open_host(&other, file, &f->api, &two), 0);
    assert_ptr_equal(one->handle, two->handle);
    assert_ptr_equal(one->entry, two->entry);
    assert_int_equal(iris__loader_open_host(&other, file, &f->api, &again), 0);
    assert_ptr_equal(again, two);
    iris__library_release(again);
    iris__library_release(two);
    iris__loader_finish(&other); /* the first one's copy stays */
    assert_true(loader_exists(one->copy->path));
    iris__library_release(one);
    iris__loader_finish(&f->loader);
    iris__loader_init(&f->loader); /* one whose file is gone is found too */
    assert_int_equal(iris__loader_open_host(&f->loader, file, &f->api, &two), 0);
    assert_int_equal(loader_mapped("/shared-") > 0, 1);
    iris__library_release(two);
}

/* ---- plugins of other times ---- */

static void older_plugin_with_shorter_structs_runs(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("older"));
    const iris_behaviour *b = iris__library_behaviour(lib, "older");
    assert_int_equal(loader_call(lib, 0), 11);
    assert_string_equal(b->version, "0.1");
    assert_int_equal(b->size, sizeof *b);
    assert_null(b->init);
    assert_null(b->downgrade);
    assert_null(lib->taken.plugin.host);
    iris__library_release(lib);
}

static void newer_plugin_with_longer_structs_runs(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("newer"));
    assert_int_equal(loader_call(lib, 0), 22); /* it was told what this core does not know */
    assert_int_equal(iris__library_behaviour(lib, "newer")->size, sizeof(iris_behaviour));
    iris__library_release(lib);
}

/* ---- behaviours, attached plugins, files of languages ---- */

static void behaviour_is_found_by_name(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = loader_load(f, loader_sample("counter1"));
    assert_string_equal(iris__library_behaviour(lib, "counter")->name, "counter");
    assert_string_equal(iris__library_behaviour(lib, "echo")->name, "echo");
    assert_string_equal(iris__library_behaviour(lib, NULL)->name, "counter");
    assert_null(lib->taken.plugin.behaviours[2]);
    iris__library_release(lib);
}

static int attached_entries;

static int attached_handle(const iris_behaviour *self, iris_actor *actor, void *data,
                           const iris_message *const *messages, int n)
{
    (void)self, (void)actor, (void)data, (void)messages;
    return n + 5;
}

static const iris_plugin *attached_entry(const iris_api *api)
{
    static const iris_behaviour one = {
        .size = sizeof one, .abi = IRIS_ABI, .name = "one", .handle = attached_handle};
    static const iris_behaviour *const all[] = {&one, NULL};
    static const iris_plugin plugin = {
        .size = sizeof plugin, .abi = IRIS_ABI, .name = "attached", .behaviours = all};
    (void)api;
    attached_entries++;
    return &plugin;
}

static const iris_plugin *refusing_entry(const iris_api *api)
{
    return (api->fail)("not today"), NULL; /* cmocka has a macro of that name */
}

static void linked_plugin_is_attached_once(void **state)
{
    struct loader_fixture *f = *state;
    struct library *lib = NULL, *again = NULL;
    assert_int_equal(iris__loader_attach(&f->loader, "x", attached_entry, &f->api, &lib), 0);
    assert_int_equal(iris__loader_attach(&f->loader, "x", attached_entry, &f->api, &again), 0);
    assert_ptr_equal(lib, again);
    assert_int_equal(attached_entries, 1);
    assert_int_equal(loader_call(lib, 2), 7);
    assert_int_equal(iris__loader_kept(&f->loader), 0);
    iris__library_release(lib);
    iris__library_release(again);
    assert_int_equal(iris__loader_sweep(&f->loader), 0);
    assert_int_equal(iris__loader_attach(&f->loader, "x", refusing_entry, &f->api, &lib), -1);
    assert_string_equal(iris__reason(),
                        "x cannot run here: not today (so says its iris_plugin_entry)");
}

static void read_gives_bytes_and_a_private_copy(void **state)
{
    struct loader_fixture *f = *state;
    const char text[] = "def on_msg(m): pass\n";
    const char *file = loader_put_bytes(f, "pay.py", text, sizeof text - 1);
    struct source s, same;
    struct stat st;
    size_t len;
    assert_int_equal(iris__loader_read(&f->loader, file, &s), 0);
    assert_int_equal(iris__loader_read(&f->loader, file, &same), 0);
    assert_int_equal(s.code.len, sizeof text - 1);
    assert_memory_equal(s.code.data, text, sizeof text - 1);
    assert_string_equal(s.file, file);
    assert_ptr_equal(s.copy, same.copy);
    assert_string_equal(strrchr(s.copy->path, '.'), ".py"); /* the language knows it by that */
    char *copy = loader_slurp(s.copy->path, &len);
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(copy, text, len);
    free(copy);
    assert_int_equal(stat(s.copy->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0500);
    iris__loader_free(&f->loader, &s);
    assert_true(loader_exists(same.copy->path));
    iris__loader_free(&f->loader, &same);
}

/* Many actors of one file are read one after the other; a copy is made, and flushed, once. */
static void file_read_again_has_the_copy_of_before(void **state)
{
    struct loader_fixture *f = *state;
    char *file = strdup(loader_put_bytes(f, "pay.py", "first", strlen("first")));
    struct source s;
    assert_int_equal(iris__loader_read(&f->loader, file, &s), 0);
    struct copy *copy = s.copy;
    iris__loader_free(&f->loader, &s);
    for (int i = 1; i <= IRIS__READ_KEPT; i++) { /* as many others, and it between them */
        const char *other = loader_put_bytes(f, "other.py", "01234567890", (size_t)i);
        assert_int_equal(iris__loader_read(&f->loader, file, &s), 0);
        assert_ptr_equal(s.copy, copy);
        iris__loader_free(&f->loader, &s);
        assert_int_equal(iris__loader_read(&f->loader, other, &s), 0);
        iris__loader_free(&f->loader, &s);
    }
    int n = 0;
    for (struct copy *c = f->loader.store.copies; c; c = c->next)
        n++;
    assert_int_equal(n, IRIS__READ_KEPT); /* the oldest one is gone, file and all */
    free(file);
}

/* What was read is what is loaded, whatever became of the file since; and the copy is shared. */
static void read_file_is_loaded_as_it_was_read(void **state)
{
    struct loader_fixture *f = *state;
    const char *file = loader_put(f, "libcounter.so", "counter1");
    struct source s;
    struct library *lib = NULL;
    assert_int_equal(iris__loader_read(&f->loader, file, &s), 0);
    loader_put(f, "libcounter.so", "counter2");
    assert_int_equal(iris__loader_open_source(&f->loader, &s, &f->api, &lib), 0);
    assert_ptr_equal(lib->copy, s.copy);
    iris__loader_free(&f->loader, &s);
    assert_int_equal(loader_call(lib, 0), 1);
    assert_true(loader_exists(lib->copy->path));
    iris__library_release(lib);
}

static void equal_hashes_of_different_bytes_are_told_apart(void **state)
{
    struct loader_fixture *f = *state;
    struct store *s = &f->loader.store;
    struct copy *one = iris__store_copy(s, "x.py", (iris_bytes){"aaaa", 4}, 42);
    struct copy *two = iris__store_copy(s, "x.py", (iris_bytes){"bbbb", 4}, 42);
    struct copy *three = iris__store_copy(s, "x.py", (iris_bytes){"bbbb", 4}, 42);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(two, three);
    assert_string_not_equal(one->path, two->path);
    assert_true(iris__copy_equals(one, (iris_bytes){"aaaa", 4}, 42));
    assert_false(iris__copy_equals(two, (iris_bytes){"aaaa", 4}, 42));
    iris__store_drop(s, one);
    iris__store_drop(s, two);
    iris__store_drop(s, three);
}

/* ---- the file of code that is gone ---- */

struct numbered {
    char *data; /* of the sample, with room for a number and some more behind it */
    size_t len;
};

static struct numbered numbered_open(void)
{
    struct numbered n;
    char *data = loader_slurp(loader_sample("counter1"), &n.len);
    n.data = calloc(1, n.len + 128);
    memcpy(n.data, data, n.len);
    free(data);
    return n;
}

/* As a host loads a version that nobody has for long: the bytes with this number, in a file of another length each
 * time. Returns the copy's path, which the caller frees. */
static char *load_numbered(struct loader_fixture *f, const struct numbered *n, int number)
{
    struct source s;
    struct library *lib = NULL;
    size_t len = n->len + 8 + (size_t)(number % 3) * 40, copied;
    snprintf(n->data + n->len, 8, "%d", number);
    assert_int_equal(iris__loader_read(&f->loader, loader_put_bytes(f, "c.so", n->data, len), &s),
                     0);
    char *path = strdup(s.copy->path), *copy = loader_slurp(path, &copied);
    assert_int_equal(copied, len);
    assert_memory_equal(copy, n->data, len);
    free(copy);
    assert_int_equal(iris__loader_open_source(&f->loader, &s, &f->api, &lib), 0);
    assert_int_equal(loader_call(lib, 2), 1); /* fresh code, whatever was in the file */
    iris__library_release(lib);
    iris__loader_free(&f->loader, &s);
    assert_int_equal(iris__loader_sweep(&f->loader), 1);
    return path;
}

static void needs_leases(struct loader_fixture *f)
{
    int fd = open(loader_path(f, "leased"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int refused = fcntl(fd, F_SETLEASE, F_WRLCK);
    close(fd);
    if (refused)
        skip(); /* this file system cannot say who has a file open */
}

static void file_of_gone_code_is_written_anew(void **state)
{
    enum { FILES = IRIS__READ_KEPT + 1 };
    struct loader_fixture *f = *state;
    needs_dlclose();
    needs_leases(f);
    struct numbered n = numbered_open();
    ino_t seen[4 * FILES];
    int files = 0;
    for (int i = 0; i < 4 * FILES; i++) {
        char *path = load_numbered(f, &n, i);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0500);
        int k = 0;
        while (k < files && seen[k] != st.st_ino)
            k++;
        if (k == files)
            seen[files++] = st.st_ino;
        free(path);
    }
    assert_in_range(files, 1, FILES);
    free(n.data);
}

/* A debugger, or a process that was forked, may have it mapped still. */
static void file_that_somebody_looks_at_is_not_written_anew(void **state)
{
    struct loader_fixture *f = *state;
    needs_dlclose();
    struct numbered n = numbered_open();
    char *path = load_numbered(f, &n, 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *mapped = mmap(NULL, n.len + 8, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(mapped != MAP_FAILED);
    close(fd);
    free(path);
    for (int i = 1; i < 3 * IRIS__READ_KEPT; i++)
        free(load_numbered(f, &n, i));
    assert_string_equal(mapped + n.len, "0");
    munmap((void *)mapped, n.len + 8);
    free(n.data);
}

/* ---- references ---- */

static void *retain_and_release(void *arg)
{
    struct library *lib = arg;
    for (int i = 0; i < 5000; i++) {
        iris__library_retain(lib);
        loader_call(lib, 0);
        iris__library_release(lib);
    }
    iris__library_release(lib);
    return NULL;
}

/* The loader's thread goes on opening and sweeping while actors end on others. */
static void references_are_dropped_on_any_thread(void **state)
{
    struct loader_fixture *f = *state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, retain_and_release,
                       loader_load(f, loader_sample("counter1")));
    for (int i = 0; i < 20; i++) {
        iris__library_release(loader_load(f, loader_sample("counter2")));
        iris__loader_sweep(&f->loader);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    iris__loader_sweep(&f->loader);
    for (struct library *lib = f->loader.libraries; lib; lib = lib->next)
        assert_int_equal(lib->refs, 0);
}

/* ---- no directory at all: memory ---- */

static void memory_serves_where_no_directory_may_hold_code(void **state)
{
    struct loader_fixture *f = *state;
    iris__store_open_memory(&f->loader.store);
    struct library *one = loader_load(f, loader_sample("counter1"));
    struct library *two = loader_load(f, loader_sample("counter2"));
    struct library *same = loader_load(f, loader_put(f, "x.so", "counter1"));
    assert_ptr_equal(one, same);
    assert_int_equal(loader_call(one, 0), 1);
    assert_int_equal(loader_call(two, 0), 2);
    assert_non_null(strstr(one->copy->path, "/fd/"));
    assert_null(strstr(one->copy->path, "self"));
    iris__library_release(one);
    iris__library_release(two);
    iris__library_release(same);
}

/* A descriptor's number that comes back is a name that comes back: the linker would say
 * "loaded". */
static void number_of_a_kept_memfd_is_not_used_again(void **state)
{
    struct loader_fixture *f = *state;
    iris__store_open_memory(&f->loader.store);
    struct library *kept = loader_load(f, loader_sample("nodelete"));
    int fd = kept->copy->fd;
    iris__library_release(kept);
    iris__loader_finish(&f->loader);
    assert_true(fcntl(fd, F_GETFD) >= 0); /* what is mapped stays, and so does its name */
    iris__loader_init(&f->loader);
    iris__store_open_memory(&f->loader.store);
    for (int i = 1; i <= 2; i++) {
        struct library *lib = loader_load(f, loader_sample(i == 1 ? "counter1" : "counter2"));
        assert_int_not_equal(lib->copy->fd, fd);
        assert_int_equal(loader_call(lib, 0), i);
        iris__library_release(lib);
        iris__loader_sweep(&f->loader);
    }
    iris__loader_finish(&f->loader);
    close(fd);
    iris__loader_init(&f->loader);
}

/* clang-format off */
static const struct CMUnitTest tests[] = {
    IRIS_TEST_LOADER("loader.same_path_gives_new_code", same_path_gives_new_code),
    IRIS_TEST_LOADER("loader.overwriting_in_place_is_safe", overwriting_in_place_is_safe),
    IRIS_TEST_LOADER("loader.removing_the_file_is_safe", removing_the_file_is_safe),
    IRIS_TEST_LOADER("loader.same_soname_twice_keeps_both", same_soname_twice_keeps_both),
    IRIS_TEST_LOADER("loader.helpers_of_two_versions_do_not_mix", helpers_of_two_versions_do_not_mix),
    IRIS_TEST_LOADER("loader.symlink_to_loaded_file_gives_its_bytes", symlink_to_loaded_file_gives_its_bytes),
    IRIS_TEST_LOADER("loader.equal_bytes_are_loaded_once", equal_bytes_are_loaded_once),
    IRIS_TEST_LOADER("loader.odd_file_names_are_loaded", odd_file_names_are_loaded),
    IRIS_TEST_LOADER("loader.name_of_another_library_is_noticed", name_of_another_library_is_noticed),
    IRIS_TEST_LOADER("loader.unused_library_is_unmapped", unused_library_is_unmapped),
    IRIS_TEST_LOADER("loader.gnu_unique_library_is_kept", gnu_unique_library_is_kept),
    IRIS_TEST_LOADER("loader.nodelete_library_is_kept", nodelete_library_is_kept),
    IRIS_TEST_LOADER("loader.library_with_thread_locals_is_kept", library_with_thread_locals_is_kept),
    IRIS_TEST_LOADER("loader.plugin_with_thread_key_destructor_outlives_its_threads", plugin_with_thread_key_destructor_outlives_its_threads),
    IRIS_TEST_LOADER("loader.plugin_with_a_running_thread_is_kept", plugin_with_a_running_thread_is_kept),
    IRIS_TEST_LOADER("loader.language_host_is_kept", language_host_is_kept),
    IRIS_TEST_LOADER("loader.needed_libraries_stay", needed_libraries_stay),
    IRIS_TEST_LOADER("loader.library_that_something_holds_is_kept", library_that_something_holds_is_kept),
    IRIS_TEST_LOADER("loader.a_thousand_kept_libraries_warn", a_thousand_kept_libraries_warn),
    IRIS_TEST_LOADER("loader.ten_thousand_kept_libraries_are_the_limit", ten_thousand_kept_libraries_are_the_limit),
    IRIS_TEST_LOADER("loader.many_versions_cost_nothing", many_versions_cost_nothing),
    IRIS_TEST_LOADER("loader.older_plugin_with_shorter_structs_runs", older_plugin_with_shorter_structs_runs),
    IRIS_TEST_LOADER("loader.newer_plugin_with_longer_structs_runs", newer_plugin_with_longer_structs_runs),
    IRIS_TEST_LOADER("loader.behaviour_is_found_by_name", behaviour_is_found_by_name),
    IRIS_TEST_LOADER("loader.linked_plugin_is_attached_once", linked_plugin_is_attached_once),
    IRIS_TEST_LOADER("loader.file_read_again_has_the_copy_of_before", file_read_again_has_the_copy_of_before),
    IRIS_TEST_LOADER("loader.read_gives_bytes_and_a_private_copy", read_gives_bytes_and_a_private_copy),
    IRIS_TEST_LOADER("loader.read_file_is_loaded_as_it_was_read", read_file_is_loaded_as_it_was_read),
    IRIS_TEST_LOADER("loader.neighbours_are_found_where_the_file_is", neighbours_are_found),
    IRIS_TEST_LOADER("loader.equal_hashes_of_different_bytes_are_told_apart", equal_hashes_of_different_bytes_are_told_apart),
    IRIS_TEST_LOADER("loader.file_of_gone_code_is_written_anew", file_of_gone_code_is_written_anew),
    IRIS_TEST_LOADER("loader.file_that_somebody_looks_at_is_not_written_anew", file_that_somebody_looks_at_is_not_written_anew),
    IRIS_TEST_LOADER("loader.references_are_dropped_on_any_thread", references_are_dropped_on_any_thread),
    IRIS_TEST_LOADER("loader.next_runtime_finds_kept_library_again", next_runtime_finds_kept_library_again),
    IRIS_TEST_LOADER("loader.live_runtimes_share_a_language_host", live_runtimes_share_a_language_host),
    IRIS_TEST_LOADER("loader.memory_serves_where_no_directory_may_hold_code", memory_serves_where_no_directory_may_hold_code),
    IRIS_TEST_LOADER("loader.number_of_a_kept_memfd_is_not_used_again", number_of_a_kept_memfd_is_not_used_again),
};
/* clang-format on */
IRIS_MAIN(tests)
