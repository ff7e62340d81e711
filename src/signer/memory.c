/*
 * The memory of OpenSSL in this process, private keys among it.
 * Runs as: root (memory_prepare), then _mailreeve.
 *
 * Blocks are powers of two from one region; what is given back is wiped and
 * kept for its size. Nothing else of the process lies there.
 */
#include <openssl/crypto.h>
#include <sys/mman.h>

#include <string.h>

#include "memory.h"
#include "signer.h"

/* As much as systemd and kernels let one lock who has no privilege for more. */
#define REGION_SIZE ((size_t)8 << 20)
#define SMALLEST 5			/* 32 octets with the head */
#define CLASSES 19			/* up to 8 MB, which is never there */

union head {
	struct {
		union head *next;	/* while it is free */
		unsigned class;
	} s;
	_Alignas(16) unsigned char space[16];
};

static struct {
	unsigned char *p;
	size_t used;
	union head *free[CLASSES];
} region;

static size_t
size_of(unsigned class)
{
	return (size_t)1 << (class + SMALLEST);
}

static void *
take(size_t n, const char *file, int line)
{
	unsigned class = 0;
	union head *h;

	(void)file, (void)line;
	while (class < CLASSES && size_of(class) - sizeof *h < n)
		class++;
	if (n == 0 || class == CLASSES)
		return NULL;
	h = region.free[class];
	if (h != NULL) {
		region.free[class] = h->s.next;
		return h + 1;
	}
	if (size_of(class) > REGION_SIZE - region.used)
		return NULL;
	h = (union head *)(void *)(region.p + region.used);
	region.used += size_of(class);
	h->s.class = class;
	return h + 1;
}

static void
give(void *p, const char *file, int line)
{
	union head *h;

	(void)file, (void)line;
	if (p == NULL)
		return;
	h = (union head *)p - 1;
	explicit_bzero(p, size_of(h->s.class) - sizeof *h);
	h->s.next = region.free[h->s.class];
	region.free[h->s.class] = h;
}

static void *
change(void *p, size_t n, const char *file, int line)
{
	const union head *h;
	size_t had;
	void *to;

	if (p == NULL)
		return take(n, file, line);
	h = (const union head *)p - 1;
	had = size_of(h->s.class) - sizeof *h;
	if (n > 0 && n <= had)
		return p;
	to = take(n, file, line);
	if (to != NULL)
		memcpy(to, p, had < n ? had : n);
	if (to != NULL || n == 0)
		give(p, file, line);
	return to;
}

int
memory_prepare(void)
{
	region.p = memory_region(REGION_SIZE);
	if (region.p == NULL)
		return -1;
	return CRYPTO_set_mem_functions(take, change, give) == 1 ? 0 : -1;
}
