/*
 * The only file that changes uid, gid, groups or root.
 * Runs as: root, and as whoever it became.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "ids.h"
#include "log.h"

#define GROUPS_FEW 64			/* times 4 until all of them fit */

static int
fail(int error)
{
	errno = error;
	return -1;
}

uint32_t
ids_number(const char *text)
{
	uint64_t n;

	if (bytes_number(bytes_of(text), UINT32_MAX - 1, &n) < 0 || n == 0)
		log_fatal(EX_USAGE, "%s is no uid or gid to become", text);
	return (uint32_t)n;
}

/* Nobody has that name, so that each module is asked. */
void
ids_preload(const char *user)
{
	gid_t groups[8];
	int n = sizeof groups / sizeof groups[0];

	(void)getpwnam("mailreeve-nobody");
	(void)getgrouplist(user, (gid_t)-1, groups, &n);
}

/* initgroups(), with the question that modules of PAM ask, too. */
int
ids_groups(const char *user, gid_t gid)
{
	gid_t *groups = NULL, *more;
	int r = -1, room, n = GROUPS_FEW;

	do {
		room = n;
		more = reallocarray(groups, (size_t)room, sizeof *groups);
		if (more == NULL)
			break;
		groups = more;
		r = getgrouplist(user, gid, groups, &n);
		n = r < 0 ? 4 * room : n;
	} while (r < 0 && n <= NGROUPS_MAX);
	if (r < 0 && more != NULL)
		errno = E2BIG;
	else if (r >= 0)
		r = setgroups((size_t)n, groups);
	free(groups);
	return r < 0 ? -1 : 0;
}

static bool
is_now(uid_t uid, gid_t gid)
{
	uid_t ru, eu, su;
	gid_t rg, eg, sg;

	return getresuid(&ru, &eu, &su) == 0 && getresgid(&rg, &eg, &sg) == 0
	    && ru == uid && eu == uid && su == uid
	    && rg == gid && eg == gid && sg == gid;
}

/* True when any way back to root's uid, gid or groups is still open. */
static bool
can_regain(gid_t gid)
{
	return setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0
	    || setgroups(0, NULL) == 0
	    || (gid != 0 && (setgid(0) == 0 || setegid(0) == 0
	    || setresgid(0, 0, 0) == 0));
}

int
ids_drop(uid_t uid, gid_t gid)
{
	if (uid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1)
		return fail(EINVAL);
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -1;
	if (!is_now(uid, gid) || can_regain(gid))
		return fail(ENOTRECOVERABLE);
	return 0;
}

int
ids_lend(uid_t uid, gid_t gid)
{
	if (uid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1)
		return fail(EINVAL);
	return setgroups(0, NULL) < 0 || setegid(gid) < 0 || seteuid(uid) < 0
	    ? -1 : 0;
}

int
ids_regain(void)
{
	return seteuid(0) < 0 || setegid(0) < 0 || geteuid() != 0 ? -1 : 0;
}

/* Opens root if nobody but root can put anything into it. */
static int
open_safe_root(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & 022) == 0)
		return fd;
	close(fd);
	return fail(EPERM);
}

int
ids_cage(const char *root, uid_t uid, gid_t gid)
{
	int fd;

	if (gid == 0)
		return fail(EINVAL);
	fd = open_safe_root(root);
	if (fd < 0)
		return -1;
	if (fchdir(fd) < 0 || chroot(".") < 0 || chdir("/") < 0) {
		close(fd);
		return -1;
	}
	close(fd);
	if (setgroups(0, NULL) < 0)
		return -1;
	return ids_drop(uid, gid);
}
