/*
 * The PROXY protocol's header.
 * Runs as: login.
 */
#include <arpa/inet.h>

#include "proxyheader.h"

#define V1_SHORTEST 15			/* PROXY UNKNOWN CRLF */
#define V2_FIXED 16			/* signature, command, family, length */

#define TLV_HEAD 3			/* type, length */
#define TLV_SSL 0x20
#define SSL_CLIENT_ENCRYPTED 0x01

static const unsigned char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

struct family {
	const char *name;		/* in version 1 */
	unsigned char code;		/* in version 2: family and SOCK_STREAM */
	int af;
	size_t size;
};

static const struct family families[] = {
	{ "TCP4", 0x11, AF_INET, 4 },
	{ "TCP6", 0x21, AF_INET6, 16 },
};

#define FAMILIES (sizeof families / sizeof families[0])

static bool
address(struct bytes text, int af, unsigned char *out)
{
	char name[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof name || bytes_find(text, '\0') >= 0)
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	return inet_pton(af, name, out) == 1;
}

static bool
port(struct bytes text, unsigned char out[2])
{
	uint64_t n;

	if (bytes_number(text, 65535, &n) < 0)
		return false;
	out[0] = (unsigned char)(n >> 8);
	out[1] = (unsigned char)n;
	return true;
}

/* TCP4 source destination source-port destination-port */
static enum proxy_result
v1_addresses(struct bytes rest, struct proxy_header *out)
{
	struct bytes name = bytes_split(&rest, ' ');
	const struct family *f = NULL;

	if (bytes_equal(name, BYTES("UNKNOWN")))
		return PROXY_DONE;
	for (size_t i = 0; i < FAMILIES; i++)
		if (bytes_equal(name, bytes_of(families[i].name)))
			f = &families[i];
	if (f == NULL || !address(bytes_split(&rest, ' '), f->af, out->source)
	    || !address(bytes_split(&rest, ' '), f->af, out->destination)
	    || !port(bytes_split(&rest, ' '), out->source_port)
	    || !port(rest, out->destination_port))
		return PROXY_BAD;
	out->client = true;
	out->address_size = out->destination_size = f->size;
	return PROXY_DONE;
}

static enum proxy_result
v1(struct bytes head, struct proxy_header *out, size_t *more)
{
	struct bytes line = head;

	if (head.n < V1_SHORTEST) {
		*more = V1_SHORTEST - head.n;
		return PROXY_MORE;
	}
	if (!bytes_starts(head, BYTES("PROXY ")) || head.n > PROXY_V1_MAX)
		return PROXY_BAD;
	if (head.p[head.n - 1] != '\n') {
		*more = 1;
		return head.n == PROXY_V1_MAX ? PROXY_BAD : PROXY_MORE;
	}
	if (head.p[head.n - 2] != '\r')
		return PROXY_BAD;
	line.n -= 2;
	return v1_addresses(bytes_from(line, strlen("PROXY ")), out);
}

/* Looks for PP2_TYPE_SSL. False when a length does not fit. */
static bool
v2_tlvs(struct bytes rest, struct proxy_header *out)
{
	while (rest.n > 0) {
		size_t n;

		if (rest.n < TLV_HEAD)
			return false;
		n = (size_t)(rest.p[1] << 8 | rest.p[2]);
		if (n > rest.n - TLV_HEAD)
			return false;
		if (rest.p[0] == TLV_SSL && n > 0)
			out->tls = (rest.p[TLV_HEAD] & SSL_CLIENT_ENCRYPTED) != 0;
		rest = bytes_from(rest, TLV_HEAD + n);
	}
	return true;
}

static enum proxy_result
v2_addresses(unsigned char code, struct bytes rest, struct proxy_header *out)
{
	const struct family *f = NULL;

	for (size_t i = 0; i < FAMILIES; i++)
		if (families[i].code == code)
			f = &families[i];
	/* Other families are not ours; the proxy then speaks for itself. */
	if (f == NULL)
		return PROXY_DONE;
	if (rest.n < 2 * f->size + 4)
		return PROXY_BAD;
	memcpy(out->source, rest.p, f->size);
	memcpy(out->destination, rest.p + f->size, f->size);
	memcpy(out->source_port, rest.p + 2 * f->size, 2);
	memcpy(out->destination_port, rest.p + 2 * f->size + 2, 2);
	out->client = true;
	out->address_size = out->destination_size = f->size;
	return v2_tlvs(bytes_from(rest, 2 * f->size + 4), out) ? PROXY_DONE
	    : PROXY_BAD;
}

static enum proxy_result
v2(struct bytes head, struct proxy_header *out, size_t *more)
{
	size_t whole;

	if (head.n < V2_FIXED) {
		*more = V2_FIXED - head.n;
		return PROXY_MORE;
	}
	whole = V2_FIXED + (size_t)(head.p[14] << 8 | head.p[15]);
	if (memcmp(head.p, v2_signature, sizeof v2_signature) != 0
	    || whole > PROXY_HEADER_MAX || head.n > whole)
		return PROXY_BAD;
	if (head.n < whole) {
		*more = whole - head.n;
		return PROXY_MORE;
	}
	switch (head.p[12]) {
	case 0x20:			/* LOCAL: the proxy's own, a health check */
		return PROXY_DONE;
	case 0x21:			/* PROXY */
		return v2_addresses(head.p[13], bytes_from(head, V2_FIXED), out);
	default:
		return PROXY_BAD;
	}
}

enum proxy_result
proxy_header(struct bytes head, struct proxy_header *out, size_t *more)
{
	*out = (struct proxy_header){ 0 };
	*more = V1_SHORTEST;
	if (head.n == 0)
		return PROXY_MORE;
	if (head.p[0] == v2_signature[0])
		return v2(head, out, more);
	return v1(head, out, more);
}
