/*
 * XCLIENT and its kin.
 * Runs as: login.
 */
#include <arpa/inet.h>

#include "xclient.h"

#define IPV6_PREFIX "IPV6:"		/* Postfix: before every IPv6 address */

/* Of either family; false: of none. */
static bool
address(struct bytes text, unsigned char out[16], size_t *size)
{
	char name[INET6_ADDRSTRLEN];

	if (bytes_case_starts(text, BYTES(IPV6_PREFIX)))
		text = bytes_from(text, strlen(IPV6_PREFIX));
	if (text.n == 0 || text.n >= sizeof name || bytes_find(text, '\0') >= 0)
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	if (inet_pton(AF_INET, name, out) == 1)
		*size = 4;
	else if (inet_pton(AF_INET6, name, out) == 1)
		*size = 16;
	else
		return false;
	return true;
}

/* What Postfix says of an address that it does not know. */
static bool
is_unknown(struct bytes value)
{
	return bytes_case_equal(value, BYTES("[UNAVAILABLE]"))
	    || bytes_case_equal(value, BYTES("[TEMPUNAVAIL]"));
}

static bool
take_source(struct bytes value, struct proxy_header *out)
{
	out->client = !is_unknown(value);
	out->address_size = 0;
	return !out->client || address(value, out->source, &out->address_size);
}

static bool
take_port(struct bytes value, struct proxy_header *out)
{
	uint64_t n = 0;

	if (!is_unknown(value) && bytes_number(value, 65535, &n) < 0)
		return false;
	out->source_port[0] = (unsigned char)(n >> 8);
	out->source_port[1] = (unsigned char)n;
	return true;
}

static bool
take_destination(struct bytes value, struct proxy_header *out)
{
	return is_unknown(value)
	    || address(value, out->destination, &out->destination_size);
}

bool
xclient_attribute(struct bytes name, struct bytes value,
    struct proxy_header *out)
{
	static const struct {
		const char *attribute, *field;
		bool (*take)(struct bytes, struct proxy_header *);
	} known[] = {
		{ "ADDR", "x-originating-ip", take_source },
		{ "PORT", "x-originating-port", take_port },
		{ "DESTADDR", "x-connected-ip", take_destination },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (bytes_case_equal(name, bytes_of(known[i].attribute))
		    || bytes_case_equal(name, bytes_of(known[i].field)))
			return known[i].take(value, out);
	return true;
}

bool
xclient_line(struct bytes args, struct proxy_header *out)
{
	*out = (struct proxy_header){ 0 };
	while (args.n > 0) {
		struct bytes value = bytes_split(&args, ' ');
		struct bytes name = bytes_split(&value, '=');

		if (name.n > 0 && !xclient_attribute(name, value, out))
			return false;
	}
	return true;
}
