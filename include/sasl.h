/*
 * SASL messages with passwords: PLAIN (RFC 4616), names with digests.
 */
#ifndef SASL_H
#define SASL_H

#include "bytes.h"

/* The parts of PLAIN's message, pointing into it. */
struct sasl_plain {
	struct bytes authzid;		/* empty: the same as authcid */
	struct bytes authcid;
	struct bytes password;
};

/* 0, or -1 with errno EINVAL: not three parts, or an empty name or password. */
int sasl_plain(struct bytes message, struct sasl_plain *out);

/* A name and a digest in hexadecimal: CRAM-MD5 (RFC 2195), APOP (RFC 1939). */
#define SASL_DIGEST_SIZE 16
struct sasl_digest {
	struct bytes user;
	unsigned char digest[SASL_DIGEST_SIZE];
};

/* 0, or -1 with errno EINVAL. */
int sasl_digest(struct bytes message, struct sasl_digest *out);

#endif
