/*
 * Children of which a descriptor tells the end, so that it need not be their
 * parent who waits for it; and children that are given to one's own parent.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdint.h>
#include <sys/types.h>

/*
 * As fork(2). Both get in *watch a descriptor of the child, close-on-exec, that
 * may be passed on.
 */
pid_t child_fork(int *watch);

/* Waits for the end, ms at most: 0, or -1 with errno, ETIMEDOUT among others. */
int child_ends(int watch, uint64_t ms);

void child_kill(int watch);

/*
 * Two descriptors, close-on-exec: when one of them is closed everywhere, our
 * own child of that pid is killed, as whoever it and their last holder are by
 * then; PR_SET_PDEATHSIG asks whether the parent that dies may send signals to
 * it. -1, twice, where the system has no such means. 0, or -1 with errno.
 */
int child_leash(pid_t pid, int ends[2]);

/*
 * Waits for our own child of that pid, or, with 0, sees whether any has ended. A
 * line in the log, under this name, tells of one that died by a signal.
 */
enum { CHILD_NONE, CHILD_ENDED, CHILD_CRASHED };
int child_reap(pid_t pid, const char *name);

/*
 * As fork(2), but the new process is a child of the caller's parent, which
 * called child_adopts() before, waits for it, and must be told of its pid.
 */
pid_t child_sibling(void);
void child_adopts(void);

#endif
