/*
 * Cages. What each program may do after it entered stands in the lists
 * src/lib/sandbox_NAME.list: a system call that is not on its list ends the
 * process at once (SIGSYS). Whoever needs another one adds it there.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

/*
 * First act of login, still as root, before a byte of any client: empty root
 * directory, uid and gid with no groups, no new privileges, limits on memory
 * and descriptors, not dumpable, Landlock with nothing allowed, system calls.
 *
 * What opens a file must have happened before: OpenSSL's initialisation, error
 * strings, log_inherit(). No path works afterwards. What does work is reading, writing, passing
 * descriptors, waiting, memory without execution, time, randomness.
 * 0, or -1 with errno: then the process must end.
 */
int sandbox_login(const char *root, uid_t uid, gid_t gid);

/* The same for the signer, by its own list. */
int sandbox_signer(const char *root, uid_t uid, gid_t gid);

/*
 * The same for the verifiers, before a byte of any client: computing, and
 * messages on descriptors that are open. No descriptor can be passed, and CPU
 * time is limited too.
 */
int sandbox_token(const char *root, uid_t uid, gid_t gid);
int sandbox_gss(const char *root, uid_t uid, gid_t gid);
int sandbox_x509(const char *root, uid_t uid, gid_t gid);

/*
 * A session, already as the owner of the mail: read and write below the given
 * paths (mail_roots(); each must exist, directory or file), read-only what libc
 * needs (/etc, gconv, zoneinfo, locales) and /dev/null; no program can be started, no
 * socket made, no process, no other uid. No new privileges, no core, not
 * dumpable. Descriptors that are open stay usable.
 *
 * getpwnam() and its kin ask daemons through sockets: call them before.
 * A kernel without Landlock (or too old to rename between directories) is no
 * error; file permissions hold alone then. 0, or -1 with errno.
 */
int sandbox_session(char *const paths[], size_t n);

#endif
