/*
 * What a client proves in a handshake of TLS 1.3 (RFC 8446 section 4.4): by one
 * signature over all that was said before it, with the key of its certificate.
 * Runs as: _mailreeve.
 *
 * Among what was said before is the server's own signature. The signer made it in
 * this connection, and another each time, for it has random numbers in it: no
 * client can have signed the same before, whatever login makes of the rest.
 */
#include <openssl/rsa.h>

#include "schemes.h"
#include "x509.h"

enum { SERVER_HELLO = 2, CERTIFICATE = 11, CERTIFICATE_VERIFY = 15, FINISHED = 20,
    MESSAGE_HASH = 254 };

#define HEAD 4				/* of a message: type, three bytes of length */
#define BEFORE_MAX 8			/* messages up to the server's certificate */
#define PAD 64
#define INPUT_MAX 256

static const char server_context[] = "TLS 1.3, server CertificateVerify";
static const char client_context[] = "TLS 1.3, client CertificateVerify";
static const char not_ours[] = "not the handshake of this connection";

/* Messages that are left, and the digest of those that are not. */
struct walk {
	struct bytes rest;
	EVP_MD_CTX *hash;
	const EVP_MD *md;
};

/* A CertificateVerify. */
struct signed_by {
	uint32_t scheme;
	struct bytes signature;
};

static size_t
number(const unsigned char *p, size_t n)
{
	size_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* A vector with a length of so many bytes, off the front of *b. */
static bool
vector(struct bytes *b, size_t size, struct bytes *out)
{
	size_t n = b->n < size ? 0 : number(b->p, size);

	if (b->n < size + n)
		return false;
	*out = bytes_make(b->p + size, n);
	*b = bytes_make(b->p + size + n, b->n - size - n);
	return true;
}

/* ---- the transcript ---- */

static bool
add(struct walk *w, const void *p, size_t n)
{
	return EVP_DigestUpdate(w->hash, p, n) == 1;
}

/* The digest of all that was added; 0: none. */
static unsigned
digest_now(const struct walk *w, unsigned char out[EVP_MAX_MD_SIZE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned n = 0;

	if (c == NULL || EVP_MD_CTX_copy_ex(c, w->hash) != 1
	    || EVP_DigestFinal_ex(c, out, &n) != 1)
		n = 0;
	EVP_MD_CTX_free(c);
	return n;
}

/* The next message as it is, not yet added. */
static bool
peek(struct walk *w, unsigned *type, struct bytes *whole, struct bytes *body)
{
	struct bytes all = w->rest, rest = bytes_from(all, 1);

	if (all.n < HEAD || !vector(&rest, HEAD - 1, body))
		return false;
	*type = all.p[0];
	*whole = bytes_first(all, HEAD + body->n);
	w->rest = rest;
	return true;
}

/* The next message, which must be of that type, and is added. */
static bool
take(struct walk *w, unsigned wanted, struct bytes *body)
{
	struct bytes whole;
	unsigned type;

	return peek(w, &type, &whole, body) && type == wanted
	    && add(w, whole.p, whole.n);
}

/* A ServerHello that asks for another ClientHello: section 4.1.3. */
static bool
is_retry(unsigned type, struct bytes body)
{
	static const unsigned char random[32] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};

	return type == SERVER_HELLO && body.n >= 2 + sizeof random
	    && memcmp(body.p + 2, random, sizeof random) == 0;
}

/* Then a digest stands for the first ClientHello: section 4.4.1. */
static bool
begin_anew(struct walk *w)
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = digest_now(w, d);
	const unsigned char head[HEAD] = { MESSAGE_HASH, 0, 0, (unsigned char)n };

	return n > 0 && EVP_DigestInit_ex(w->hash, w->md, NULL) == 1
	    && add(w, head, sizeof head) && add(w, d, n);
}

/* Up to the server's certificate, whatever that was. */
static bool
take_beginning(struct walk *w)
{
	struct bytes whole, body;
	unsigned type;

	for (int i = 0; i < BEFORE_MAX; i++) {
		if (!peek(w, &type, &whole, &body)
		    || (i == 1 && is_retry(type, body) && !begin_anew(w))
		    || !add(w, whole.p, whole.n))
			return false;
		if (type == CERTIFICATE)
			return true;
	}
	return false;
}

/* ---- signatures ---- */

static bool
parse_verify(struct bytes body, struct signed_by *out)
{
	if (body.n < 2)
		return false;
	out->scheme = (uint32_t)number(body.p, 2);
	body = bytes_from(body, 2);
	return vector(&body, 2, &out->signature) && body.n == 0;
}

/* What is signed: section 4.4.3. */
static struct bytes
make_input(const struct walk *w, const char context[sizeof server_context],
    unsigned char to[INPUT_MAX])
{
	unsigned char *p = to + PAD + sizeof server_context;
	unsigned n = digest_now(w, p);

	memset(to, ' ', PAD);
	memcpy(to + PAD, context, sizeof server_context);
	return bytes_make(to, n == 0 ? 0 : (size_t)(p - to) + n);
}

/* Signatures that are the same each time prove no time. */
static bool
is_random(uint32_t scheme)
{
	for (size_t i = 0; i < SCHEMES_MAX; i++)
		if (schemes[i].number == scheme)
			return schemes[i].pss || strcmp(schemes[i].type, "EC") == 0;
	return false;
}

static bool
is_witnessed(const struct signed_by *s, struct bytes input,
    const unsigned char witness[WITNESS_SIZE])
{
	unsigned char w[WITNESS_SIZE];

	return input.n > 0 && witness_make(s->scheme, input, s->signature, w) == 0
	    && memcmp(w, witness, sizeof w) == 0;
}

/* TLS 1.3 has no signatures by PKCS #1. */
static const struct scheme *
find_scheme(uint32_t scheme, const EVP_PKEY *key)
{
	for (size_t i = 0; i < SCHEMES_MAX; i++)
		if (schemes[i].number == scheme
		    && EVP_PKEY_is_a(key, schemes[i].type)
		    && (schemes[i].pss || strcmp(schemes[i].type, "RSA") != 0))
			return &schemes[i];
	return NULL;
}

static bool
verify(EVP_PKEY *key, const struct signed_by *by, struct bytes input)
{
	const struct scheme *s = key == NULL ? NULL : find_scheme(by->scheme, key);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;
	bool good = s != NULL && c != NULL && input.n > 0
	    && EVP_DigestVerifyInit_ex(c, &k, s->digest[0] == '\0' ? NULL
	    : s->digest, NULL, NULL, key, NULL) == 1
	    && (!s->pss || (EVP_PKEY_CTX_set_rsa_padding(k,
	    RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(k,
	    RSA_PSS_SALTLEN_DIGEST) == 1))
	    && EVP_DigestVerify(c, by->signature.p, by->signature.n, input.p,
	    input.n) == 1;

	EVP_MD_CTX_free(c);
	return good;
}

/* ---- the client ---- */

static bool
add_certificate(STACK_OF(X509) *chain, struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x != NULL && p == der.p + der.n
	    && sk_X509_num(chain) < X509_CHAIN_MAX && sk_X509_push(chain, x) > 0)
		return true;
	X509_free(x);
	return false;
}

/* Section 4.4.2: no context in a handshake; at least one certificate. */
static bool
read_chain(struct bytes body, STACK_OF(X509) *chain)
{
	struct bytes context, list, der, extensions;

	if (!vector(&body, 1, &context) || context.n > 0
	    || !vector(&body, 3, &list) || body.n > 0)
		return false;
	while (list.n > 0)
		if (!vector(&list, 3, &der) || !vector(&list, 2, &extensions)
		    || !add_certificate(chain, der))
			return false;
	return sk_X509_num(chain) > 0;
}

static const char *
look_at_server(struct walk *w, const unsigned char witness[WITNESS_SIZE])
{
	unsigned char room[INPUT_MAX];
	struct signed_by s;
	struct bytes body, input;

	if (!take_beginning(w))
		return "no handshake of TLS 1.3";
	input = make_input(w, server_context, room);
	if (!take(w, CERTIFICATE_VERIFY, &body) || !parse_verify(body, &s))
		return "no handshake of TLS 1.3";
	if (!is_witnessed(&s, input, witness))
		return not_ours;
	return is_random(s.scheme) ? NULL
	    : "signatures by the key of this server prove no time: its kind has none";
}

static const char *
look_at_client(struct walk *w, STACK_OF(X509) *chain)
{
	unsigned char room[INPUT_MAX];
	struct signed_by s;
	struct bytes body, input;

	if (!take(w, FINISHED, &body) || !take(w, CERTIFICATE, &body)
	    || !read_chain(body, chain))
		return "no certificate in the handshake";
	input = make_input(w, client_context, room);
	if (!take(w, CERTIFICATE_VERIFY, &body) || !parse_verify(body, &s)
	    || !verify(X509_get0_pubkey(sk_X509_value(chain, 0)), &s, input))
		return "the client did not prove that the certificate is its own";
	return NULL;
}

static const char *
look(struct bytes handshake, const EVP_MD *md,
    const unsigned char witness[WITNESS_SIZE], STACK_OF(X509) *chain)
{
	struct walk w = { handshake, EVP_MD_CTX_new(), md };
	const char *why = "no memory";

	if (w.hash != NULL && EVP_DigestInit_ex(w.hash, md, NULL) == 1)
		why = look_at_server(&w, witness);
	if (why == NULL)
		why = look_at_client(&w, chain);
	EVP_MD_CTX_free(w.hash);
	return why;
}

/* The digest is the cipher suite's: one of two, and only the right one fits. */
const char *
x509_proof(struct bytes handshake, const unsigned char witness[WITNESS_SIZE],
    STACK_OF(X509) **chain)
{
	const EVP_MD *const digests[] = { EVP_sha384(), EVP_sha256() };
	const char *why = not_ours;

	*chain = sk_X509_new_null();
	if (*chain == NULL)
		return "no memory";
	for (size_t i = 0; why == not_ours && i < 2; i++)
		why = look(handshake, digests[i], witness, *chain);
	return why;
}
