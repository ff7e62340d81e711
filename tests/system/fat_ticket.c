/*
 * A Kerberos ticket as large as those with many groups in them are: the KDC puts
 * what the client asks for among its authorization data, where no server knows it.
 * Runs as: root, in tests only.
 */
#include <krb5.h>

#include <stdlib.h>
#include <string.h>

#define UNKNOWN_KIND 4711

/* ASN.1's length of what follows, in three octets. */
static unsigned char *
put_head(unsigned char *p, unsigned char tag, size_t n)
{
	*p++ = tag;
	*p++ = 0x82;
	*p++ = (unsigned char)(n >> 8);
	*p++ = (unsigned char)n;
	return p;
}

/* AD-IF-RELEVANT with one element of n octets: RFC 4120 section 5.2.6.1. */
static krb5_authdata *
make_data(krb5_authdata *a, size_t n)
{
	static const unsigned char kind[] = { 0xa0, 4, 2, 2, UNKNOWN_KIND >> 8,
	    UNKNOWN_KIND & 0xff };
	unsigned char *p = malloc(n + 64);

	*a = (krb5_authdata){ .magic = KV5M_AUTHDATA,
	    .ad_type = KRB5_AUTHDATA_IF_RELEVANT, .contents = p };
	if (p == NULL)
		return NULL;
	p = put_head(p, 0x30, sizeof kind + 4 + 4 + n + 4);
	p = put_head(p, 0x30, sizeof kind + 4 + 4 + n);
	memcpy(p, kind, sizeof kind);
	p = put_head(p + sizeof kind, 0xa1, 4 + n);
	p = put_head(p, 4, n);
	memset(p, 'x', n);
	a->length = (unsigned)(p + n - a->contents);
	return a;
}

/* Into the cache that KRB5CCNAME names: the size of the ticket, or -1. */
int
fat_ticket(const char *service, size_t n)
{
	krb5_context k;
	krb5_ccache cache;
	krb5_creds in = { 0 }, *out = NULL;
	krb5_authdata data, *list[] = { make_data(&data, n), NULL };

	if (list[0] == NULL || krb5_init_context(&k) != 0
	    || krb5_cc_default(k, &cache) != 0
	    || krb5_cc_get_principal(k, cache, &in.client) != 0
	    || krb5_parse_name(k, service, &in.server) != 0)
		return -1;
	in.authdata = list;
	if (krb5_get_credentials(k, 0, cache, &in, &out) != 0)
		return -1;
	n = out->ticket.length;
	/* It was kept as one of its own kind; the plain one is looked for. */
	krb5_free_authdata(k, out->authdata);
	out->authdata = NULL;
	return krb5_cc_store_cred(k, cache, out) == 0 ? (int)n : -1;
}
