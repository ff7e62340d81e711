/*
 * FreeBSD says of a file system whether it is local.
 * Runs as: the mailbox owner.
 */
#include <sys/param.h>
#include <sys/mount.h>

#include "shared.h"

bool
shared_by_hosts(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) < 0 || (fs.f_flags & MNT_LOCAL) == 0;
}
