/*
 * Quotas of Linux' file systems, asked by a descriptor (Linux 5.14).
 * Runs as: the mailbox owner.
 */
#include <sys/quota.h>
#include <sys/syscall.h>

#include <unistd.h>

#include "quota.h"

#define BLOCK 1024			/* what limits are counted in */
/* QCMD() shifts into the sign. */
#define GET_USER_QUOTA ((unsigned)Q_GETQUOTA << SUBCMDSHIFT | USRQUOTA)

int
quota_of_system(int dir, const char *path, uint64_t *used, uint64_t *limit)
{
	struct dqblk q = { 0 };

	(void)path;
	if (syscall(SYS_quotactl_fd, dir, GET_USER_QUOTA, getuid(),
	    &q) != 0)
		return 0;
	*used = q.dqb_curspace;
	*limit = (q.dqb_bhardlimit != 0 ? q.dqb_bhardlimit
	    : q.dqb_bsoftlimit) * BLOCK;
	return *limit != 0;
}
