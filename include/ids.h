/*
 * Who a process is: the only place that changes uid, gid, groups or root.
 *
 * All of these answer 0, or -1 with errno. After a failure the process is in
 * between and must end: the callers do nothing else.
 */
#ifndef IDS_H
#define IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A uid or gid among a program's arguments: never root's; ends with EX_USAGE. */
uint32_t ids_number(const char *text);

/* Loads the modules of NSS that tell of users and groups. */
void ids_preload(const char *user);

/* Sets the supplementary groups of the user, as root; asks NSS, may take long. */
int ids_groups(const char *user, gid_t gid);

/*
 * Becomes uid and gid for ever, with the groups as they are: real, effective
 * and saved ids are set and read back, then regaining root is tried and must
 * fail (EPERM was expected: ENOTRECOVERABLE says that it did not). uid 0 is
 * refused with EINVAL, and so is (uid_t)-1.
 */
int ids_drop(uid_t uid, gid_t gid);

/*
 * Root acts as uid and gid for a moment, to open what is theirs; the
 * supplementary groups are gone for good. Whoever fails to regain must end.
 */
int ids_lend(uid_t uid, gid_t gid);
int ids_regain(void);

/*
 * ids_drop() with no supplementary group, never gid 0, and inside root, an empty directory
 * that belongs to root and that nobody else may write to.
 */
int ids_cage(const char *root, uid_t uid, gid_t gid);

#endif
