/*
 * Page tables for the forks of a template, on Linux.
 * Runs as: root (template).
 *
 * fork(2) copies no page tables of a mapped file that is as its file: each fork
 * then takes a fault for every sixteen pages of code. Where one page is private,
 * they are copied. So each large mapping gets such a page: by writing what stands
 * there already, which this file of the kernel's may do without the mapping
 * being writable for a moment.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inherit.h"

#define LINE_SIZE 512
#define LARGE ((uintptr_t)128 << 10)	/* smaller ones cost a fork more than they save */

static bool
is_large_code(const char *line, uintptr_t *at)
{
	void *p, *end;
	char may[5];
	unsigned long inode;

	if (sscanf(line, "%p-%p %4s %*s %*s %lu", &p, &end, may, &inode) != 4)
		return false;
	*at = (uintptr_t)p;
	return strncmp(may, "r-", 2) == 0 && may[3] == 'p' && inode != 0
	    && (uintptr_t)end - *at >= LARGE;
}

void
inherit_code(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char line[LINE_SIZE], octet;
	uintptr_t at;

	while (maps != NULL && memory >= 0 && fgets(line, sizeof line, maps) != NULL)
		if (is_large_code(line, &at)
		    && pread(memory, &octet, 1, (off_t)at) == 1)
			(void)!pwrite(memory, &octet, 1, (off_t)at);
	if (maps != NULL)
		fclose(maps);
	if (memory >= 0)
		close(memory);
}
