/*
 * TLS's SignatureScheme (RFC 8446 section 4.2.3): what login asks for and the
 * signer does, in OpenSSL's words.
 */
#ifndef SCHEMES_H
#define SCHEMES_H

#include <stdbool.h>
#include <stdint.h>

struct scheme {
	uint32_t number;
	const char *type;		/* of the key */
	const char *digest;		/* "" where the algorithm has its own */
	bool pss;
};

#define SCHEMES_MAX 14
extern const struct scheme schemes[SCHEMES_MAX];

#endif
