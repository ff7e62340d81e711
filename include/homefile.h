/*
 * Files that users keep for us in their home directories.
 */
#ifndef HOMEFILE_H
#define HOMEFILE_H

#include <sys/types.h>

#include "buf.h"

enum homefile_result {
	HOMEFILE_READ,
	HOMEFILE_ABSENT,	/* no such file, no home, or none that can be entered */
	HOMEFILE_UNSAFE,	/* it cannot be trusted or read; in the log */
};

struct homefile {
	const char *home;		/* directory */
	const char *name;		/* below it */
	uid_t uid;			/* whose it must be */
	size_t max;			/* bytes */
	int fd;				/* with HOMEFILE_READ, to be closed; else -1 */
	bool writable;			/* fd is */
	const char *why;		/* with HOMEFILE_UNSAFE */
};

/*
 * All of it. The caller acts as the user and as nobody else: links, files of
 * others and files that others have rights to are not trusted.
 */
enum homefile_result homefile_read(struct homefile *f, struct buf *out);

#endif
