/*
 * Fuzz target: the PROXY protocol's header.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "proxyheader.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/*
 * Fed as from a connection, the header never asks for bytes past its limit,
 * and what is read in steps is what is read at once.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct proxy_header h, again;
	enum proxy_result r;
	size_t have = 0, more;

	while ((r = proxy_header(bytes_make(p, have), &h, &more)) == PROXY_MORE) {
		if (more == 0 || have + more > PROXY_HEADER_MAX)
			abort();
		if (have + more > n)
			return 0;
		have += more;
	}
	if (r == PROXY_DONE && h.client
	    && h.address_size != 4 && h.address_size != 16)
		abort();
	if (proxy_header(bytes_make(p, have), &again, &more) != r
	    || memcmp(&again, &h, sizeof h) != 0)
		abort();
	(void)proxy_header(bytes_make(p, n), &h, &more);
	return 0;
}
