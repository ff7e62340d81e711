/*
 * A process's name, on FreeBSD.
 * Runs as: root.
 */
#include <sys/types.h>
#include <unistd.h>

#include "process.h"

void
process_name(const char *name)
{
	setproctitle("-%s", name);
}
