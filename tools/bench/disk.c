/* The file that the counter of examples/logwatch was built to, each time with other bytes behind its end, is loaded
 * and swapped in. The clock stands while some such files are written: that is the work of who made them. */
#include "disk.h"

#include "far.h"
#include "stage.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DISK_SWAPS = 4000, DISK_WARM_UP = 500, FILES = 50 /* written at once */ };

struct disk {
    struct stage stage;
    unsigned char *code;
    size_t len; /* a number is behind */
    uint64_t pid, number, swaps;
    double took; /* ns, of all swaps */
    struct finish finish;
};

static void read_code(struct disk *d)
{
    char path[PATH_MAX];
    far_beside(path, sizeof path, "../lib/iris/behaviours/libcounter.so");
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        _exit(FAR_SKIPPED); /* examples are not installed */
    d->len = (size_t)ftell(f);
    d->code = malloc(d->len + sizeof d->number);
    rewind(f);
    if (fread(d->code, 1, d->len, f) != d->len)
        die("a behaviour cannot be read");
    fclose(f);
}

static void name_file(char path[64], int i)
{
    snprintf(path, 64, "/tmp/iris-bench-%d-%d.so", (int)getpid(), i);
}

static void write_code(struct disk *d, int i)
{
    size_t len = d->len + sizeof d->number;
    char path[64];
    name_file(path, i);
    d->number++;
    memcpy(d->code + d->len, &d->number, sizeof d->number);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(d->code, 1, len, f) != len || fclose(f))
        die("no file for a behaviour in /tmp");
}

static void write_all(struct disk *d)
{
    for (int i = 0; i < FILES; i++)
        write_code(d, i);
}

static void remove_all(void)
{
    char path[64];
    for (int i = 0; i < FILES; i++) {
        name_file(path, i);
        unlink(path);
    }
}

static iris_version *load_file(const struct disk *d, int i)
{
    iris_version *v;
    char path[64];
    name_file(path, i);
    if (iris_load(d->stage.rt, path, NULL, &v))
        die(iris_reason());
    return v;
}

static void on_swapped(void *ctx, int result, const char *why)
{
    if (result)
        die(why);
    finish_one(&((struct disk *)ctx)->finish);
}

static void swap_to(struct disk *d, int i)
{
    iris_version *v = load_file(d, i);
    finish_begin(&d->finish, 1);
    if (d->stage.api->swap(d->stage.self, d->pid, v, 0, on_swapped, d))
        die(iris_reason());
    d->stage.api->release(v);
    finish_wait(&d->finish);
}

static double count_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    double n = 0;
    for (int c; f && (c = getc(f)) != EOF;)
        n += c == '\n';
    if (f)
        fclose(f);
    return n;
}

static void swap_some(struct disk *d)
{
    write_all(d);
    double begin = now_ns();
    for (int i = 0; i < FILES; i++)
        swap_to(d, i);
    d->took += now_ns() - begin;
    d->swaps += FILES;
    remove_all();
}

/* Until so much time is taken or, where there is no such, so many are swapped. */
static void swap_until(struct disk *d, double ns, uint64_t count)
{
    while (ns > 0 ? d->took < ns : d->swaps < count)
        swap_some(d);
}

static void open_disk(struct disk *d)
{
    read_code(d);
    stage_open(&d->stage, 1, 0);
    write_code(d, 0);
    iris_version *v = load_file(d, 0);
    d->pid = stage_spawn(&d->stage, v);
    d->stage.api->release(v);
    swap_until(d, 0, (uint64_t)amount(DISK_WARM_UP));
    d->took = 0;
    d->swaps = 0;
}

void disk_iris(const struct workload *w, double *values)
{
    struct disk d = {.number = 0};
    open_disk(&d);
    double half = (double)w->order * 1e9 / 2;
    uint64_t part = (uint64_t)amount(DISK_SWAPS) / 2;
    swap_until(&d, half, part);
    double maps = count_mappings(), bytes = (double)anonymous_bytes();
    swap_until(&d, 2 * half, 2 * part);
    values[0] = (double)d.swaps * 1e9 / d.took;
    values[1] = count_mappings() - maps;
    values[2] = ((double)anonymous_bytes() - bytes) / 1e6;
    stage_close(&d.stage);
    free(d.code);
}
