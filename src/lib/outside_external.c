/*
 * EXTERNAL (RFC 4422 appendix A): a verifier says whose the certificate of a
 * handshake is, and the file of secrets which user that is.
 * Runs as: root (conn).
 */
#include "outside.h"
#include "verify.h"

enum chan_result
outside_external(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	enum chan_result r = outside_begin(x, q, token);
	unsigned char identities[CHAN_TEXT_MAX];
	size_t n = x->challenge.len;

	if (r != CHAN_CHALLENGE || n > sizeof identities) {
		if (r != CHAN_REFUSED)
			r = CHAN_UNAVAILABLE;
		return r;
	}
	memcpy(identities, x->challenge.data, n);
	buf_clear(&x->challenge);
	return verify_external(x, q, bytes_make(identities, n));
}
