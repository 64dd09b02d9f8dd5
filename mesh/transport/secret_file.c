#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_mode(const char *path, const struct stat *st, enum secrecy s, char *why,
                      size_t room)
{
    int roots = st->st_uid == 0, ours = st->st_uid == geteuid();
    mode_t others = s == SECRET_KEY && roots ? 027 : 077, mode = st->st_mode & 07777;
    if (s == SECRET_NONE)
        return 0;
    if (!ours && (s == SECRET_OWN || !roots))
        snprintf(why, room, "%s: belongs to user %u; expected user %u", path, (unsigned)st->st_uid,
                 (unsigned)geteuid());
    else if (mode & others)
        snprintf(why, room, "%s: mode 0%o lets others in; try: chmod 600 %s", path, (unsigned)mode,
                 path);
    else
        return 0;
    return -1;
}

static int check(const char *path, int fd, enum secrecy s, size_t most, char *why, size_t room)
{
    struct stat st;
    if (fstat(fd, &st))
        snprintf(why, room, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        snprintf(why, room, "%s: not a file", path);
    else if (st.st_size > (off_t)most)
        snprintf(why, room, "%s: %lld bytes; expected at most %zu", path, (long long)st.st_size,
                 most);
    else
        return check_mode(path, &st, s, why, room);
    return -1;
}

static char *read_all(const char *path, int fd, size_t most, size_t *n, char *why, size_t room)
{
    char *bytes = malloc(most + 1);
    ssize_t got = 0;
    *n = 0;
    while (bytes && *n <= most && (got = read(fd, bytes + *n, most + 1 - *n)) > 0)
        *n += (size_t)got;
    if (bytes && !got)
        return bytes;
    snprintf(why, room, "%s: %s", path,
             !bytes    ? "no memory"
             : got > 0 ? "it grows while it is read"
                       : strerror(errno));
    free(bytes);
    return NULL;
}

char *secret_file_read(const char *path, enum secrecy s, size_t most, size_t *n, char *why,
                       size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (s == SECRET_OWN ? O_NOFOLLOW : 0));
    char *bytes = NULL;
    if (fd < 0) {
        snprintf(why, room, "%s: %s", path,
                 errno == ELOOP ? "a symbolic link; expected the file itself" : strerror(errno));
        return NULL;
    }
    if (!check(path, fd, s, most, why, room))
        bytes = read_all(path, fd, most, n, why, room);
    close(fd);
    return bytes;
}
