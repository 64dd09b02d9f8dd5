/* Reads files that prove who one is. What others may read or write proves nothing, so that is looked at first,
 * on the open file. */
#ifndef MESH_SECRET_FILE_H
#define MESH_SECRET_FILE_H

#include <stddef.h>

enum secrecy {
    SECRET_NONE,   /* a certificate: anybody may read it */
    SECRET_KEY,    /* ours with 0600 or stricter, or root's with 0640 or stricter */
    SECRET_COOKIE, /* ours or root's, 0600 or stricter */
    SECRET_OWN     /* as a cookie, ours, and no symbolic link: Iris made it itself */
};

/* The bytes (to be freed), at most `most` of them; or NULL: why. */
char *secret_file_read(const char *path, enum secrecy, size_t most, size_t *n, char *why,
                       size_t room);

#endif
