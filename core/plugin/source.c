#include "source.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_open(const char *file)
{
    int why = errno;
    char *here = file[0] == '/' ? NULL : getcwd(NULL, 0);
    if (why == ENOENT || why == ENOTDIR)
        iris__fail("%s: there is no such file%s%s; build it, or correct the path", file,
                   here ? " as seen from " : "", here ? here : "");
    else
        iris__fail("%s cannot be read: %s; expected a file that this user may read", file,
                   strerror(why));
    free(here);
    return -1;
}

static const char *kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a pipe";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static int check(const char *file, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return iris__fail("%s is %s; expected a regular file", file, kind(st->st_mode));
    if (st->st_mode & S_IWOTH)
        return iris__fail(
            "%s may be written by every user (mode %04o), so that anybody could run code "
            "in this process; do: chmod o-w %s",
            file, st->st_mode & 07777u, file);
    if (st->st_size == 0)
        return iris__fail("%s is empty; is it still being written?", file);
    if (st->st_size > (off_t)IRIS__SOURCE_MAX)
        return iris__fail("%s has %lld bytes; expected at most %u (256 MiB)", file,
                          (long long)st->st_size, IRIS__SOURCE_MAX);
    return 0;
}

/* Up to size bytes, fewer where the file ends. */
static ssize_t fill(int fd, char *to, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, to + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* Linkers write their file in place, and its headers early: bytes that look whole may not be. The
 * kernel grants a read lease only where nobody has the file open for writing; that we are also told
 * (by a signal that is ignored unless somebody handles it) if one opens it, is of no interest. */
static int being_written(int fd)
{
    fcntl(fd, F_SETSIG, SIGURG);
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
        return fcntl(fd, F_SETLEASE, F_UNLCK), 0;
    return errno == EAGAIN; /* else: another user's file, or a file system that cannot say */
}

static int same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static int changed(int fd, const struct stat *before)
{
    struct stat now;
    return fstat(fd, &now) < 0 || now.st_size != before->st_size ||
           !same_time(now.st_mtim, before->st_mtim);
}

#define HASH_M UINT64_C(0xc6a4a7935bd1e995)

static inline uint64_t mix(uint64_t h, uint64_t word)
{
    word *= HASH_M;
    word ^= word >> 47;
    return (h ^ word * HASH_M) * HASH_M;
}

/* Eight bytes at a time, in four chains, as a multiplication takes longer than its turn; only equal input need have
 * an equal hash, for equality is checked as well. (The multiplier and the shifts are those of MurmurHash64A.) */
static uint64_t hash(const unsigned char *data, size_t len)
{
    enum { CHAINS = 4 };
    uint64_t h[CHAINS] = {len * HASH_M, 1, 2, 3}, words[CHAINS];
    size_t i = 0;
    for (; len - i >= sizeof words; i += sizeof words) {
        memcpy(words, data + i, sizeof words);
        for (int k = 0; k < CHAINS; k++)
            h[k] = mix(h[k], words[k]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, data + i, len - i);
    for (int k = 0; k < CHAINS; k++)
        h[0] = mix(mix(h[0], words[k]), k ? h[k] : 0);
    h[0] = (h[0] ^ h[0] >> 47) * HASH_M;
    return h[0] ^ h[0] >> 47;
}

static int read_all(struct source *s, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return cannot_open(s->file);
    if (check(s->file, &st))
        return -1;
    if (being_written(fd))
        return iris__fail("%s is open for writing in another process; wait until it is written, or "
                          "write to another name and rename",
                          s->file);
    size_t len = (size_t)st.st_size;
    char *data = malloc(len);
    if (!data)
        return iris__fail("%s: no memory for its %zu bytes", s->file, len);
    s->code = (iris_bytes){data, len};
    ssize_t got = fill(fd, data, len);
    if (got < 0)
        return cannot_open(s->file);
    if ((size_t)got < len || changed(fd, &st) || being_written(fd))
        return iris__fail("%s changed while it was read; is it still being written?", s->file);
    s->hash = hash(s->code.data, len);
    return 0;
}

/* O_NONBLOCK: a pipe without a writer would keep us here for ever. */
static int open_source(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? cannot_open(file) : fd;
}

int iris__source_look(const char *file)
{
    struct stat st;
    int fd = open_source(file);
    if (fd < 0)
        return -1;
    int result = fstat(fd, &st) < 0 ? cannot_open(file) : check(file, &st);
    close(fd);
    return result;
}

int iris__source_read(struct source *s, const char *file)
{
    *s = (struct source){.file = strdup(file)};
    if (!s->file)
        return iris__fail("%s: no memory to read it", file);
    int fd = open_source(file);
    int result = fd < 0 ? -1 : read_all(s, fd);
    if (fd >= 0)
        close(fd);
    if (result)
        iris__source_free(s);
    return result;
}

void iris__source_free(struct source *s)
{
    free(s->file);
    free((void *)s->code.data);
    *s = (struct source){0};
}
