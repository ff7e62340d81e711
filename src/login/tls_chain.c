/*
 * Certificates: what the signer has, as contexts that connections are made of.
 * Runs as: _mailreeve (root: template, which has no client).
 *
 * There is a context for each pair, with the pairs of other kinds of key that are
 * for the same host beside it; the first is for clients who name no host or one
 * that nobody here is.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls_private.h"
#include "tls_remote.h"

#define PAIRS_MAX 64			/* the signer's, too */
#define NAME_SIZE 256

struct pair {
	X509 *certificate;
	STACK_OF(X509) *chain;
	EVP_PKEY *key;
	SSL_CTX *context;
};

static struct pair pairs[PAIRS_MAX];
static size_t pairs_n;

static int
add_certificate(uint32_t number, X509 *x)
{
	struct pair *p = &pairs[number];

	if (p->certificate == NULL) {
		p->certificate = x;
		p->key = remote_key(x, number);
		pairs_n = (size_t)number + 1;
		return p->key == NULL ? -1 : 0;
	}
	if (p->chain == NULL)
		p->chain = sk_X509_new_null();
	return p->chain == NULL || sk_X509_push(p->chain, x) == 0 ? -1 : 0;
}

static int
read_chain(struct bytes all)
{
	struct sign_certificate head;

	while (all.n >= sizeof head) {
		const unsigned char *p;
		X509 *x;

		memcpy(&head, all.p, sizeof head);
		all = bytes_from(all, sizeof head);
		if (head.pair > pairs_n || head.pair >= PAIRS_MAX || head.n > all.n)
			return -1;
		p = all.p;
		x = d2i_X509(NULL, &p, (long)head.n);
		all = bytes_from(all, head.n);
		if (x == NULL || add_certificate(head.pair, x) < 0)
			return -1;
	}
	return pairs_n > 0 ? 0 : -1;
}

/* A name that the certificate is for. */
static void
name_of(X509 *x, char name[NAME_SIZE])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	name[0] = '\0';
	for (int i = 0; name[0] == '\0' && i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *s = GENERAL_NAME_get0_value(
		    sk_GENERAL_NAME_value(names, i), &type);

		if (type == GEN_DNS && ASN1_STRING_length(s) < NAME_SIZE)
			memcpy(name, ASN1_STRING_get0_data(s),
			    (size_t)ASN1_STRING_length(s) + 1);
	}
	if (names == NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
		    name, NAME_SIZE);
	GENERAL_NAMES_free(names);
}

static bool
is_for(const struct pair *p, const char *name)
{
	return X509_check_host(p->certificate, name, strlen(name), 0, NULL) == 1;
}

/* The first pair before and with i of its kind that is for the name. */
static bool
is_the_first(size_t i, const char *name)
{
	for (size_t j = 0; j < i; j++)
		if (EVP_PKEY_get_base_id(pairs[j].key)
		    == EVP_PKEY_get_base_id(pairs[i].key) && is_for(&pairs[j], name))
			return false;
	return true;
}

static int
use(SSL_CTX *c, const struct pair *p)
{
	return SSL_CTX_use_cert_and_key(c, p->certificate, p->key, p->chain, 1);
}

/* The pairs that are for the same host; the pair itself comes last and counts. */
static int
use_pairs(SSL_CTX *c, const struct pair *own)
{
	char name[NAME_SIZE];

	name_of(own->certificate, name);
	for (size_t i = 0; i < pairs_n; i++)
		if (&pairs[i] != own && is_for(&pairs[i], name)
		    && is_the_first(i, name) && use(c, &pairs[i]) != 1)
			return -1;
	return use(c, own) == 1 ? 0 : -1;
}

int
chain_load(int link, SSL_CTX *(*make)(const char *), const char *minimum,
    const char **why)
{
	struct bytes all = remote_chain(link);

	*why = NULL;
	if (all.n == 0)
		return -1;
	*why = "certificates that OpenSSL cannot use";
	if (read_chain(all) < 0) {
		ERR_clear_error();
		return -1;
	}
	for (size_t i = 0; i < pairs_n; i++) {
		pairs[i].context = make(minimum);
		if (pairs[i].context == NULL
		    || use_pairs(pairs[i].context, &pairs[i]) < 0) {
			*why = tls_why();
			pairs_n = 0;
			return -1;
		}
	}
	return 0;
}

SSL_CTX *
chain_nth(size_t i)
{
	return i < pairs_n ? pairs[i].context : NULL;
}

SSL_CTX *
chain_context(const char *host)
{
	for (size_t i = 0; host != NULL && i < pairs_n; i++)
		if (is_for(&pairs[i], host))
			return pairs[i].context;
	return pairs_n > 0 ? pairs[0].context : NULL;
}
