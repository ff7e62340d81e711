/*
 * Quotas of FreeBSD's file systems, asked by a path in them.
 * Runs as: the mailbox owner.
 */
#include <sys/param.h>

#include <ufs/ufs/quota.h>
#include <unistd.h>

#include "quota.h"

int
quota_of_system(int dir, const char *path, uint64_t *used, uint64_t *limit)
{
	struct dqblk q = { 0 };

	(void)dir;
	if (quotactl(path, QCMD(Q_GETQUOTA, USRQUOTA), (int)getuid(), &q) != 0)
		return 0;
	*used = (uint64_t)q.dqb_curblocks * DEV_BSIZE;
	*limit = (uint64_t)(q.dqb_bhardlimit != 0 ? q.dqb_bhardlimit
	    : q.dqb_bsoftlimit) * DEV_BSIZE;
	return *limit != 0;
}
