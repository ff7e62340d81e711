/*
 * Fuzz target: modified UTF-7.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "mutf7.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What decodes is UTF-8 and encodes to the same; what encodes decodes back. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf one = BUF_INIT((size_t)1 << 22), two = BUF_INIT((size_t)1 << 22);
	struct bytes in = bytes_make(p, n);

	if (mutf7_decode(in, &one) == 0
	    && (!utf8_valid(buf_contents(&one))
	    || mutf7_encode(buf_contents(&one), &two) < 0
	    || !bytes_equal(buf_contents(&two), in)))
		abort();
	buf_clear(&one);
	buf_clear(&two);
	if (mutf7_encode(in, &one) == 0
	    && (mutf7_decode(buf_contents(&one), &two) < 0
	    || !bytes_equal(buf_contents(&two), in)))
		abort();
	buf_free(&one);
	buf_free(&two);
	return 0;
}
