/*
 * Locks between processes and hosts, with a limit on every wait.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

/* How long one session waits for another before it answers EBUSY. */
#define LOCK_WAIT_MS 30000

/* Opens, making it when missing, the file that is locked; -1 with errno. */
int lock_open(int dir, const char *name);

/*
 * Takes the exclusive lock, waiting at most ms: 0, or -1 with EBUSY. It never
 * waits inside the system: on some shared file systems that never returns.
 */
int lock_take(int fd, unsigned ms);
/* Tries once; a shared lock needs no right to write. */
int lock_try(int fd, bool shared);
void lock_drop(int fd);
/* For one who takes a lock again and again: so long that who waits gets it. */
void lock_pause(void);

#endif
