/* Where control sockets are, and who owns one. The public half is in <iris/app.h>.
 *
 * Beside NAME.sock there is NAME.lock, locked for as long as the app lives, with its pid in it. So
 * a socket that a killed process left behind is told from a live one without connecting to it. */
#ifndef IRIS_CONTROL_SOCKET_H
#define IRIS_CONTROL_SOCKET_H

#include <iris/app.h>

#include <sys/types.h>

#define SOCKET_NO_GROUP ((gid_t)-1)

struct socket_claim {
    int lock;    /* descriptor; -1: nothing is claimed */
    gid_t group; /* whose members may connect, too; SOCKET_NO_GROUP: its user alone, and root */
    char path[IRIS_SOCKET_ROOM], lock_path[IRIS_SOCKET_ROOM + 8];
};

/* Makes the directory (0700, or 0710 and the group's) if it is not there, takes the lock, removes what a dead
 * owner left. IRIS_FAIL with the reason if the directory is not ours alone, or with the pid of whoever runs
 * there. */
int iris__socket_claim(struct socket_claim *, const char *path, gid_t group);
void iris__socket_release(struct socket_claim *); /* removes the socket and the lock */

/* Before the release, for those who watch (iris_app_watch()): whether it ended in order. */
void iris__socket_note_end(const struct socket_claim *, int in_order);

/* Could it be claimed, as far as its directory goes? Changes nothing. */
int iris__socket_look(const char *path, gid_t group);

/* The group of that name; IRIS_FAIL with the reason. */
int iris__socket_group(const char *name, gid_t *group);

/* A listening descriptor at claim->path, mode 0600 or, of a group, 0660; or -1 with the reason. */
int iris__socket_listen(const struct socket_claim *);

/* Where control sockets are, unless a manifest says otherwise. IRIS_OK or IRIS_FAIL. */
int iris__socket_directory(char *dir, size_t room);

/* 1: an app runs there, which is *pid; 0: none, and *pid is whoever left it behind, or 0. */
int iris__socket_owner(const char *path, long *pid);

/* May the process at the other end use us? 0, or -1 with the reason. */
int iris__socket_peer(int fd, gid_t group);

#endif
