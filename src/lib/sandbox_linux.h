/*
 * What cages on Linux are made of. Each part answers 0, or -1 with errno.
 */
#ifndef SANDBOX_LINUX_H
#define SANDBOX_LINUX_H

#include <sys/resource.h>

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_limit {
	int resource;
	rlim_t value;
};

/* No new privileges, not dumpable; reads what the log needs of the time zone. */
int no_way_up(void);

/* Both limits of each resource; one that is lower already stays. */
int restrict_resources(const struct sandbox_limit *limits, size_t n);

/*
 * Landlock: the paths, and with any of them what libc reads; with none,
 * nothing. Does nothing where the kernel has no Landlock that fits.
 */
int restrict_files(char *const paths[], size_t n);

/* seccomp: the last step, it forbids the others. */
int restrict_calls(const struct sock_filter *filter, size_t n);

#endif
