/*
 * Pages of forks that are as their template's, on Linux: writable memory becomes
 * private mappings of a sealed file, and what is released of such a mapping is
 * the file's page again.
 * Runs as: _mailreeve (root: template, which has no client).
 */
#include <sys/mman.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot.h"

#define PAGE ((size_t)4096)
#define REGIONS_MAX 32		/* a program with three libraries has twelve */
#define LINE_SIZE 512		/* what is longer has its name cut, and comes in two */
#define FLAGS "VmFlags:"
#define KEPT_MAX ((size_t)8 << 20)	/* a tenth is used; sanitizers' shadows are larger */
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct range {
	const unsigned char *p, *end;
	bool ours, heap;
};

struct region {
	unsigned char *p;
	size_t n, at;			/* at: where in the file */
};

static struct region regions[REGIONS_MAX];
static size_t regions_n;
static const unsigned char *kept;	/* the file; NULL: there is none */
static size_t kept_n;
static const unsigned char *pin;	/* malloc()ed for ever */

/*
 * The heap only up to the pin: what is behind it can be unmapped and be other
 * memory when malloc() takes it again.
 */
static void
add(const unsigned char *p, const unsigned char *end, bool heap)
{
	if (heap && pin < end)
		end = pin - (uintptr_t)pin % PAGE;
	if (end <= p || regions_n == REGIONS_MAX)
		return;
	regions[regions_n++] = (struct region){
		.p = (unsigned char *)(uintptr_t)p, .n = (size_t)(end - p), .at = kept_n,
	};
	kept_n += (size_t)(end - p);
}

/* The next line of what smaps says is a range of memory, and one of ours. */
static bool
is_range(const char *line, struct range *r)
{
	void *p, *end;
	char may[5];

	if (sscanf(line, "%p-%p %4s", &p, &end, may) != 3)
		return false;
	*r = (struct range){ .p = p, .end = end,
	    .ours = strcmp(may, "rw-p") == 0 && strstr(line, "[stack]") == NULL,
	    .heap = strstr(line, "[heap]") != NULL };
	return true;
}

/*
 * What a fork is to have empty, or not at all, is no file's: the C library may
 * keep in such memory what it makes random numbers of (vgetrandom(), since glibc
 * 2.41), and all forks would make the same.
 */
static bool
is_forgotten(const char *line)
{
	static const char *const flags[] = { " wf", " dp", " dc" };

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strstr(line, flags[i]) != NULL)
			return true;
	return false;
}

/* Behind each range come facts about it; its flags are the last of them. */
static bool
find_regions(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	struct range r = { .ours = false };
	char line[LINE_SIZE];
	bool good;

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (is_range(line, &r) || strncmp(line, FLAGS, strlen(FLAGS)) != 0)
			continue;
		if (r.ours && !is_forgotten(line))
			add(r.p, r.end, r.heap);
		r.ours = false;
	}
	good = f != NULL && ferror(f) == 0;
	if (f != NULL)
		fclose(f);
	return good && regions_n > 0;
}

/* From here to the end of share() nothing may be written but to the stack. */
static bool
copy(int fd)
{
	for (size_t i = 0; i < regions_n; i++)
		if (pwrite(fd, regions[i].p, regions[i].n, (off_t)regions[i].at)
		    != (ssize_t)regions[i].n)
			return false;
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0;
}

/* False when some are of the file and some are not. */
static bool
share(int fd)
{
	for (size_t i = 0; i < regions_n; i++)
		if (mmap(regions[i].p, regions[i].n, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_FIXED, fd, (off_t)regions[i].at) == MAP_FAILED)
			return false;
	return true;
}

/* So that no fork has to look for them. */
static void
touch(void)
{
	for (size_t i = 0; i < regions_n; i++)
		madvise(regions[i].p, regions[i].n, MADV_POPULATE_READ);
}

void
snapshot_take(void)
{
	int fd = memfd_create("mailreeve-template", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = MAP_FAILED;

	if (fd < 0)
		return;
	pin = malloc(1);
	if (pin != NULL && find_regions() && kept_n <= KEPT_MAX
	    && ftruncate(fd, (off_t)kept_n) == 0)
		p = mmap(NULL, kept_n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p != MAP_FAILED && copy(fd) && share(fd)) {
		kept = p;
		touch();
	}
	close(fd);
}

static bool
as_it_was(const struct region *r, size_t at)
{
	return memcmp(r->p + at, kept + r->at + at, PAGE) == 0;
}

static void
return_region(const struct region *r)
{
	for (size_t end, at = 0; at < r->n; at = end + PAGE) {
		for (end = at; end < r->n && as_it_was(r, end); )
			end += PAGE;
		if (end > at)
			madvise(r->p + at, end - at, MADV_DONTNEED);
	}
}

void
snapshot_return(void)
{
	if (kept == NULL)
		return;
	for (size_t i = 0; i < regions_n; i++)
		return_region(&regions[i]);
	madvise((void *)(uintptr_t)kept, kept_n, MADV_DONTNEED);
}
