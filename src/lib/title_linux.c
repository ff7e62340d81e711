/*
 * A process's name, on Linux.
 * Runs as: root.
 */
#include <sys/prctl.h>

#include "process.h"

void
process_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name);
}
