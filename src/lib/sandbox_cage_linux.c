/*
 * The cage of a program that needs no file, on Linux.
 * Runs as: root, then as service-user.
 */
#include <sys/prctl.h>

#include "ids.h"
#include "sandbox_linux.h"

int
close_cage(const struct sandbox_list *l, const char *root, uid_t uid, gid_t gid)
{
	if (no_way_up() < 0
	    || restrict_resources(l->limits, l->n_limits) < 0
	    || ids_cage(root, uid, gid) < 0)
		return -1;
	/* A change of uid made it dumpable again as fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
	    || restrict_files(NULL, 0) < 0)
		return -1;
	return restrict_calls(l->filter, l->n_filter);
}
