/*
 * What cages on Linux are made of. Each part answers 0, or -1 with errno.
 */
#ifndef SANDBOX_LINUX_H
#define SANDBOX_LINUX_H

#include <sys/resource.h>

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* What a program may do, from its list. */
struct sandbox_list {
	const struct sandbox_limit *limits;
	size_t n_limits;
	const struct sock_filter *filter;
	size_t n_filter;
};

/* The cage of a program that needs no file, as root (sandbox_cage_linux.c). */
int close_cage(const struct sandbox_list *l, const char *root, uid_t uid,
    gid_t gid);

#endif
