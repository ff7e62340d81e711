/*
 * mailreeve check: what it counts, and what it says.
 */
#ifndef TOOL_CHECK_H
#define TOOL_CHECK_H

#include "runs.h"

struct folder;

struct check {
	bool fix;
	uint64_t messages, mailboxes;
	uint64_t found, fixed;
};

/* What is to be done about a finding. */
enum cure {
	CURE_NONE,			/* somebody must look */
	CURE_HERE,			/* --fix did it, or would */
	CURE_VISIT,			/* the next session of the user does it */
};

/*
 * One line: the file or directory, what is wrong, what becomes of it. Control
 * characters in names are shown as `?`.
 */
void check_say(struct check *c, const struct folder *f, const char *name,
    enum cure cure, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same of a path. */
void check_say_path(struct check *c, const char *path, enum cure cure,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Looks at one open folder: 0, or -1 with errno when it cannot be read. */
int check_folder(struct check *c, struct folder *f);
int check_mbox(struct check *c, struct folder *f);

#endif
