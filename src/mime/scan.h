/*
 * Tokens that several parsers of header fields meet: private to src/mime.
 */
#ifndef SCAN_H
#define SCAN_H

#include "bytes.h"

/*
 * Length of the comment or quoted string that b begins with (RFC 5322 section
 * 3.2.2 and 3.2.4), or 0 when it has no end in b.
 */
size_t scan_comment(struct bytes b);
size_t scan_quoted(struct bytes b);

/* Where what never ends is taken to reach to the end of b. */
static inline size_t
scan_or_all(size_t n, struct bytes b)
{
	return n == 0 ? b.n : n;
}

#endif
