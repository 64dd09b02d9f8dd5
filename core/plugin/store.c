#include "store.h"

#include "fail.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAME_ROOM 160 /* below NAME_MAX, with any hash */
#define SPARE_MAX \
    ((size_t)1 << 20) /* bytes: a larger file takes its time anyway, and room while it waits */

void iris__store_init(struct store *s)
{
    *s = (struct store){.dir = {.base = -1, .own = -1, .lock = -1}};
}

void iris__store_open(struct store *s)
{
    if (!s->is_open)
        iris__privatedir_find(&s->dir); /* none: memfds it is */
    s->is_open = 1;
}

void iris__store_open_memory(struct store *s)
{
    s->is_open = 1;
}

/* ---- comparing ---- */

static int equals(int fd, const char *data, size_t len)
{
    char part[16384];
    size_t at = 0;
    for (ssize_t n; (n = pread(fd, part, sizeof part, (off_t)at)) > 0; at += (size_t)n)
        if ((size_t)n > len - at || memcmp(part, data + at, (size_t)n) != 0)
            return 0;
    return at == len;
}

int iris__copy_equals(const struct copy *c, iris_bytes code, uint64_t hash)
{
    if (c->hash != hash || c->len != code.len)
        return 0;
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    int same = fd >= 0 && equals(fd, code.data, code.len);
    if (fd >= 0)
        close(fd);
    return same;
}

/* ---- writing ---- */

/* That the disk is full has to be found out now: later it would be a SIGBUS. A file system that promises room says so
 * here; of others only fsync knows, which waits for the disk. */
static int write_code(int fd, iris_bytes code)
{
    int is_promised = fallocate(fd, 0, 0, (off_t)code.len) == 0;
    if (!is_promised && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        return -1;
    return iris__write_all(fd, code.data, code.len) || (!is_promised && fsync(fd)) ? -1 : 0;
}

/* The umask may have taken bits. */
static int set_mode(int fd, mode_t mode)
{
    struct stat st;
    return fstat(fd, &st) || ((st.st_mode & 07777) != mode && fchmod(fd, mode)) ? -1 : 0;
}

/* What has the name and is no copy, is nobody's. */
static int create_new(int dir, const char *name)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, name, flags, 0500);
    if (fd >= 0 || errno != EEXIST || unlinkat(dir, name, 0))
        return fd;
    return openat(dir, name, flags, 0500);
}

/* At once under its name: who looks for it looks among the copies, and there it stands once it is whole. */
static int write_new(int dir, const char *name, iris_bytes code)
{
    int fd = create_new(dir, name);
    if (fd < 0)
        return -1;
    int failed = set_mode(fd, 0500) || write_code(fd, code), why = errno;
    if (close(fd) && !failed)
        failed = 1, why = errno;
    if (failed) {
        unlinkat(dir, name, 0);
        errno = why;
    }
    return failed ? -1 : 0;
}

/* For writing; -1: somebody may have it open or mapped, be it another process (a debugger, a fork), which the kernel
 * knows: then it grants no lease for writing. */
static int open_spare(int dir, const char *name)
{
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC, fd = openat(dir, name, flags);
    if (fd < 0 && errno == EACCES && !fchmodat(dir, name, 0700, 0))
        fd = openat(dir, name, flags);
    if (fd < 0)
        return -1;
    struct statfs fs; /* of these a lease looks at another inode than a mapping holds */
    int is_layered =
        fstatfs(fd, &fs) || fs.f_type == OVERLAYFS_SUPER_MAGIC || fs.f_type == FUSE_SUPER_MAGIC;
    fcntl(fd, F_SETSIG, SIGURG); /* as source.c has it: ignored, where SIGIO would end us */
    if (!is_layered && fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
        return fd;
    close(fd);
    return -1;
}

static int rewrite(int fd, iris_bytes code)
{
    struct stat st;
    if (fstat(fd, &st))
        return -1;
    int has_room = (uint64_t)st.st_blocks * 512 >= code.len;
    return (has_room ? iris__write_all(fd, code.data, code.len) : write_code(fd, code)) ||
                   ((size_t)st.st_size > code.len && ftruncate(fd, (off_t)code.len)) ||
                   set_mode(fd, 0500)
               ? -1
               : 0;
}

/* The spare file with these bytes, under this name. -1: there is none that would do. */
static int write_spare(struct store *s, const char *name, iris_bytes code)
{
    struct copy *spare = s->spare;
    if (!spare || s->dir.pid != getpid() || code.len > SPARE_MAX)
        return -1;
    const char *old = strrchr(spare->path, '/') + 1;
    int fd = open_spare(s->dir.own, old), failed = fd < 0 || rewrite(fd, code);
    if (fd >= 0)
        failed |= close(fd);
    failed = failed || renameat(s->dir.own, old, s->dir.own, name);
    s->spare = NULL;
    if (failed)
        unlinkat(s->dir.own, old, 0);
    free(spare->path);
    free(spare);
    return failed ? -1 : 0;
}

/* In a directory of one's own: 0, and the path. */
static int copy_to_dir(struct store *s, struct copy *c, const char *name, iris_bytes code)
{
    if (asprintf(&c->path, "%s/%s", s->dir.path, name) < 0) {
        c->path = NULL;
        return -1;
    }
    return write_spare(s, name, code) ? write_new(s->dir.own, name, code) : 0;
}

/* Its path holds the pid and not "self", and its number is not given back while code is mapped from
 * it: the dynamic linker would take the same name for the same library. */
static int copy_to_memory(struct copy *c, const char *name, iris_bytes code)
{
    c->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (c->fd < 0 || iris__write_all(c->fd, code.data, code.len) ||
        fcntl(c->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        return -1;
    if (asprintf(&c->path, "/proc/%ld/fd/%d", (long)getpid(), c->fd) < 0) {
        c->path = NULL;
        return -1;
    }
    return 0;
}

/* ---- names ---- */

/* "/srv/libpay.so" -> "libpay-HASH.so", and with "-2" if other bytes have that one. The suffix
 * stays, for it tells a language what kind of file it is. */
static void make_name(char name[NAME_ROOM], const char *file, uint64_t hash, int n)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    const char *dot = strrchr(base, '.');
    const char *suffix = dot && dot > base && strlen(dot) <= 16 ? dot : "";
    int stem = (int)(*suffix ? (size_t)(dot - base) : strlen(base));
    char again[16] = "";
    if (n > 1)
        snprintf(again, sizeof again, "-%d", n);
    snprintf(name, NAME_ROOM, "%.*s-%016" PRIx64 "%s%s", stem < 100 ? stem : 100, base, hash, again,
             suffix);
    for (char *c = name; (c = strchr(c, '$'));)
        *c = '_'; /* dlopen() would put a directory in the place of $ORIGIN or $LIB */
}

static struct copy *by_name(const struct store *s, const char *name)
{
    for (struct copy *c = s->copies; c; c = c->next)
        if (!strcmp(strrchr(c->path, '/') + 1, name))
            return c;
    return NULL;
}

/* ---- copies ---- */

static void unlist(struct store *s, const struct copy *c)
{
    struct copy **at = &s->copies;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

static void destroy(struct store *s, struct copy *c)
{
    if (c->fd >= 0)
        close(c->fd);
    else if (c->path && !c->is_foreign && s->dir.pid == getpid())
        unlink(c->path);
    free(c->path);
    free(c);
}

static struct copy *make(struct store *s, const char *file, const char *name, iris_bytes code,
                         uint64_t hash)
{
    struct copy *c = calloc(1, sizeof *c);
    if (!c)
        return iris__fail("%s: no memory for a private copy", file), NULL;
    *c = (struct copy){.hash = hash, .len = code.len, .fd = -1, .refs = 1};
    if (s->dir.path ? copy_to_dir(s, c, name, code) : copy_to_memory(c, name, code)) {
        iris__fail("%s: its private copy cannot be written to %s: %s; make room there, or set "
                   "IRIS_STATE_DIR to another directory",
                   file, s->dir.path ? s->dir.path : "memory", strerror(errno));
        destroy(s, c);
        return NULL;
    }
    c->next = s->copies;
    s->copies = c;
    return c;
}

struct copy *iris__store_copy(struct store *s, const char *file, iris_bytes code, uint64_t hash)
{
    char name[NAME_ROOM];
    iris__store_open(s);
    for (int n = 1;; n++) {
        make_name(name, file, hash, n);
        struct copy *c = by_name(s, name);
        if (!c)
            return make(s, file, name, code, hash);
        if (iris__copy_equals(c, code, hash))
            return iris__copy_share(c);
    }
}

void iris__store_finish(struct store *s)
{
    if (s->spare)
        destroy(s, s->spare);
    s->spare = NULL;
    while (s->copies) {
        struct copy *c = s->copies;
        s->copies = c->next;
        free(c->path); /* not the memfd: its number is the name of code that is still mapped */
        free(c);
    }
    iris__privatedir_remove(&s->dir);
}

/* ---- copies of other runtimes ---- */

struct search {
    const char *name;
    char *path;
};

/* One of our own process, in a directory such as these are in. */
static int is_private(const char *path, const char *name)
{
    char parent[32];
    int len = snprintf(parent, sizeof parent, "/" PRIVATEDIR_PREFIX "%ld-", (long)getpid());
    return name - path > len && memmem(path, (size_t)(name - path), parent, (size_t)len) != NULL;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct search *s = ctx;
    const char *slash = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;
    (void)size;
    if (!slash || strcmp(slash + 1, s->name) != 0 || !is_private(info->dlpi_name, slash))
        return 0;
    s->path = strdup(info->dlpi_name);
    return 1;
}

/* Its file is gone when its runtime is: then its name, which has the hash in it, must do. */
static int is_same(const struct copy *c, iris_bytes code, uint64_t hash)
{
    return access(c->path, F_OK) != 0 || iris__copy_equals(c, code, hash);
}

struct copy *iris__store_mapped(struct store *s, const char *file, iris_bytes code, uint64_t hash)
{
    char name[NAME_ROOM];
    make_name(name, file, hash, 1);
    struct search search = {.name = name};
    dl_iterate_phdr(look_at, &search);
    struct copy *c = search.path ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        free(search.path);
        return NULL;
    }
    *c = (struct copy){
        .path = search.path, .hash = hash, .len = code.len, .fd = -1, .refs = 1, .is_foreign = 1};
    if (is_same(c, code, hash)) {
        c->next = s->copies;
        s->copies = c;
        return c;
    }
    free(c->path);
    free(c);
    return NULL;
}

struct copy *iris__copy_share(struct copy *c)
{
    c->refs++;
    return c;
}

void iris__store_drop(struct store *s, struct copy *c)
{
    if (!c || --c->refs > 0)
        return;
    unlist(s, c);
    destroy(s, c);
}

void iris__store_recycle(struct store *s, struct copy *c)
{
    if (!c || !c->was_code || c->refs > 1 || c->fd >= 0 || c->is_foreign || c->len > SPARE_MAX) {
        iris__store_drop(s, c);
        return;
    }
    unlist(s, c);
    struct copy *before = s->spare;
    s->spare = c;
    if (before)
        destroy(s, before);
}
