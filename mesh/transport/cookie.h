/* The secret that two ends share where there are no certificates. It proves, and hides nothing.
 *
 * The own cookie is of this user on this machine: whichever runtime needs it first makes it, the others find
 * it; so it is good for links over the loopback, and for nothing else. A cookie file is the user's. */
#ifndef MESH_COOKIE_H
#define MESH_COOKIE_H

#include <stddef.h>

enum { COOKIE_BYTES = 32, COOKIE_MAX = 4096 };

/* Reads DIR/mesh.cookie, and makes it if it is not there: complete from the moment it has its name, mode
 * 0600. dir must be this user's alone (mode 0700). 0, or -1: why. */
int cookie_own(const char *dir, unsigned char cookie[COOKIE_BYTES], char *why, size_t room);

/* Reads a file of COOKIE_BYTES to COOKIE_MAX bytes, all of which count: also a newline at its end. */
int cookie_file(const char *path, unsigned char cookie[COOKIE_MAX], size_t *n, char *why,
                size_t room);

#endif
