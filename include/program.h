/*
 * Starting programs of ours, in the child after fork(2).
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <pwd.h>
#include <stdnoreturn.h>

#include "config.h"
#include "process.h"

/* Where a program of ours is installed: PROGRAM_PATH("conn"). */
#define PROGRAM_PATH(name) LIBEXECDIR "/" name

/*
 * Becomes that program, with the configuration and nothing else from here but
 * diagnostics, log and the given descriptors. Ends with status 71 (EX_OSERR)
 * and a line in the log when that cannot be.
 */
noreturn void program_become(const struct config *conf, const char *path,
    char *const argv[], const struct process_fd *fds, size_t n);

/*
 * The account strangers' processes run as, never root, whatever the
 * configuration says; NULL after a line in the log.
 */
const struct passwd *program_account(const struct config *conf);

/*
 * The same for a program that begins as root and closes its cage itself: its
 * arguments are option, if there is one, and the uid and gid to become.
 */
noreturn void program_become_caged(const struct config *conf, const char *path,
    const char *option, const struct passwd *pw, const struct process_fd *fds,
    size_t n);

#endif
