#include "cookie.h"

#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int say(char *why, size_t room, const char *path, const char *what)
{
    snprintf(why, room, "%s: %s", path, what);
    return -1;
}

/* A link() of a whole file: of many that try at once one wins, and no reader sees half of it. */
static int publish(const char *draft, const char *path, char *why, size_t room)
{
    unsigned char bytes[COOKIE_BYTES];
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), result = 0;
    if (fd < 0)
        return say(why, room, draft, strerror(errno));
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes || fchmod(fd, 0600) ||
        write(fd, bytes, sizeof bytes) != sizeof bytes)
        result = say(why, room, draft, strerror(errno));
    explicit_bzero(bytes, sizeof bytes);
    close(fd);
    if (!result && link(draft, path) && errno != EEXIST)
        result = say(why, room, path, strerror(errno));
    unlink(draft);
    return result;
}

static int make(const char *path, char *why, size_t room)
{
    char draft[PATH_MAX];
    unsigned long long chance = 0;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        return say(why, room, path, "no random bytes");
    int n = snprintf(draft, sizeof draft, "%s.%016llx", path, chance);
    if (n < 0 || (size_t)n >= sizeof draft)
        return say(why, room, path, "this path is too long");
    return publish(draft, path, why, room);
}

static int check_directory(const char *dir, char *why, size_t room)
{
    struct stat st;
    if (lstat(dir, &st))
        return say(why, room, dir, strerror(errno));
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077))
        return 0;
    return say(why, room, dir, "expected a directory of this user's with mode 0700");
}

static int copy(const char *path, char *bytes, size_t n, unsigned char *cookie, char *why,
                size_t room)
{
    if (n >= COOKIE_BYTES)
        memcpy(cookie, bytes, n);
    explicit_bzero(bytes, n);
    free(bytes);
    if (n >= COOKIE_BYTES)
        return 0;
    snprintf(why, room,
             "%s: %zu bytes; expected at least %d, at random; try: head -c 32 /dev/urandom", path,
             n, COOKIE_BYTES);
    return -1;
}

int cookie_own(const char *dir, unsigned char cookie[COOKIE_BYTES], char *why, size_t room)
{
    char path[PATH_MAX];
    size_t n;
    int len = snprintf(path, sizeof path, "%s/mesh.cookie", dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return say(why, room, dir, "this path is too long");
    if (check_directory(dir, why, room))
        return -1;
    if (access(path, F_OK) && errno == ENOENT && make(path, why, room))
        return -1;
    char *bytes = secret_file_read(path, SECRET_OWN, COOKIE_BYTES, &n, why, room);
    if (!bytes)
        return -1;
    if (!copy(path, bytes, n, cookie, why, room))
        return 0;
    snprintf(why, room, "%s: %zu bytes; expected %d; remove it, and start all that mesh here anew",
             path, n, COOKIE_BYTES);
    return -1;
}

int cookie_file(const char *path, unsigned char cookie[COOKIE_MAX], size_t *n, char *why,
                size_t room)
{
    char *bytes = secret_file_read(path, SECRET_COOKIE, COOKIE_MAX, n, why, room);
    return bytes ? copy(path, bytes, *n, cookie, why, room) : -1;
}
