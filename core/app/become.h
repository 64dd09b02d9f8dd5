/* The manifest's `process`: who the process is, and where. It is done early, as systemd does "User=": once the manifest
 * is read, and before anything is opened, made or loaded; so what is opened then, and what is later (another manifest,
 * a log anew, a certificate), has the same rights.
 *
 * The process has one user and one directory. Only a program whose process is the app's alone may say so
 * (iris_app_options.owns_process); to all others a manifest that asks for it is a mistake. */
#ifndef IRIS_APP_BECOME_H
#define IRIS_APP_BECOME_H

#include "manifest.h"
#include "sets.h"

/* Whether user, group and directory are there: what `iris check` can tell. Problems are without their place, here and
 * below. */
void iris__become_check(const struct manifest *, struct problems *);

/* It asks for another user than this process has: what that one may do is not known here. */
int iris__becomes_other(const struct manifest *);

/* [main] The environment of the user (HOME, USER, LOGNAME; the XDG_ directories that are not that user's go), then the
 * user and the groups; and there is no way back. `*m` is read once more in that environment, from the same text, so
 * that ${HOME} is what it will be to `iris apply`; unless sets is NULL. 0, or -1 and a problem: then the process is to
 * end. */
int iris__become(struct manifest **m, const struct sets *, struct problems *);

/* [main] Into its directory, by the rights of now. 0, or -1 and a problem. */
int iris__become_go(const struct manifest *, struct problems *);

#endif
