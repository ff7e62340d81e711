/*
 * Fuzz target: the arguments of XCLIENT, and each of them as a field of ID.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct proxy_header *h)
{
	if (h->client ? h->address_size != 4 && h->address_size != 16
	    : h->address_size != 0)
		abort();
	if (h->destination_size != 0 && h->destination_size != 4
	    && h->destination_size != 16)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest = bytes_make(p, n), name;
	struct proxy_header h;

	if (xclient_line(rest, &h))
		check(&h);
	h = (struct proxy_header){ 0 };
	name = bytes_split(&rest, ' ');
	if (xclient_attribute(name, rest, &h))
		check(&h);
	return 0;
}
