/*
 * The header that a proxy puts in front of a connection to say whom it speaks
 * for: HAProxy's PROXY protocol, versions 1 (text) and 2 (binary).
 *
 * Reading it is safe for anybody; believing it is not.
 */
#ifndef PROXYHEADER_H
#define PROXYHEADER_H

#include "bytes.h"

#define PROXY_V1_MAX 107		/* octets, with CRLF */
#define PROXY_HEADER_MAX 2048		/* of either version */

struct proxy_header {
	bool client;			/* speaks for a client; else for itself */
	bool tls;			/* the client's side is encrypted */
	size_t address_size;		/* of source: 4 or 16 */
	size_t destination_size;	/* the same; 0: not known */
	unsigned char source[16];	/* network order, as are the ports */
	unsigned char destination[16];
	unsigned char source_port[2];
	unsigned char destination_port[2];
};

enum proxy_result { PROXY_DONE, PROXY_MORE, PROXY_BAD };

/*
 * Reads the header in head, which holds nothing behind it. With PROXY_MORE,
 * *more bytes (at least one) surely belong to the header and may be read.
 * Begin with an empty head.
 */
enum proxy_result proxy_header(struct bytes head, struct proxy_header *out,
    size_t *more);

#endif
