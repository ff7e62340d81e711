/*
 * A client's proof in a handshake of TLS 1.3, made here by hand, and what a login
 * that lies could make of it.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

#include "../../src/verify/x509.h"
#include "test.h"

#define MAX 16384
#define ECDSA 0x0403
#define PSS 0x0804
#define PKCS1 0x0401
#define EDDSA 0x0807

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, EXTENSIONS = 8, CERTIFICATE = 11, REQUEST = 13,
    VERIFY = 15, FINISHED = 20 };

struct shake {
	struct buf text;
	EVP_MD_CTX *hash;
	const EVP_MD *md;
	unsigned char witness[WITNESS_SIZE];
};

/* What is done to it before it is signed, or not done. */
struct spoil {
	bool sha384, retry, no_chain, context, other_key, client_input;
	uint32_t server_scheme, client_scheme;	/* 0: ECDSA */
};

static EVP_PKEY *
make_key(uint32_t scheme)
{
	EVP_PKEY *k = scheme == ECDSA ? EVP_EC_gen("P-256")
	    : scheme == EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	    : EVP_RSA_gen(2048);

	CHECK(k != NULL);
	return k;
}

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
	    (const unsigned char *)"Example, Inc", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"Ann", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	CHECK(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	return x;
}

/* ---- a handshake ---- */

static void
put_number(struct buf *b, size_t v, int size)
{
	while (size-- > 0)
		buf_byte(b, (unsigned char)(v >> 8 * size));
}

static void
say(struct shake *s, unsigned type, struct bytes body)
{
	size_t at = s->text.len;

	buf_byte(&s->text, (unsigned char)type);
	put_number(&s->text, body.n, 3);
	buf_bytes(&s->text, body);
	EVP_DigestUpdate(s->hash, s->text.data + at, s->text.len - at);
}

static struct bytes
input_of(struct shake *s, const char *who, unsigned char to[256])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned n = 0;
	int head = snprintf((char *)to, 256, "%64s%s", "", who) + 1;

	EVP_MD_CTX_copy_ex(c, s->hash);
	EVP_DigestFinal_ex(c, to + head, &n);
	EVP_MD_CTX_free(c);
	return bytes_make(to, (size_t)head + n);
}

static size_t
sign_with(EVP_PKEY *key, uint32_t scheme, struct bytes input, unsigned char out[1024])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k;
	size_t n = 1024;

	CHECK_EQ_INT(EVP_DigestSignInit(c, &k, scheme == EDDSA ? NULL : EVP_sha256(),
	    NULL, key), 1);
	if (scheme == PSS) {
		EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(k, RSA_PSS_SALTLEN_DIGEST);
	}
	CHECK_EQ_INT(EVP_DigestSign(c, out, &n, input.p, input.n), 1);
	EVP_MD_CTX_free(c);
	return n;
}

/* Signs, and says so; what the signer would remember. */
static void
say_signed(struct shake *s, const char *who, EVP_PKEY *key, uint32_t scheme,
    unsigned char witness[WITNESS_SIZE])
{
	unsigned char room[256], signature[1024];
	struct bytes input = input_of(s, who, room);
	size_t n = sign_with(key, scheme, input, signature);
	struct buf body = BUF_INIT(2048);

	put_number(&body, scheme, 2);
	put_number(&body, n, 2);
	buf_add(&body, signature, n);
	say(s, VERIFY, buf_contents(&body));
	buf_free(&body);
	if (witness != NULL)
		CHECK_EQ_INT(witness_make(scheme, input, bytes_make(signature, n),
		    witness), 0);
}

static void
say_chain(struct shake *s, X509 *x, const struct spoil *p)
{
	struct buf body = BUF_INIT(MAX);
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	put_number(&body, p->context, 1);
	if (p->context)
		buf_byte(&body, 'c');
	if (p->no_chain)
		put_number(&body, 0, 3);
	else {
		put_number(&body, (size_t)n + 5, 3);
		put_number(&body, (size_t)n, 3);
		buf_add(&body, der, (size_t)n);
		put_number(&body, 0, 2);
	}
	say(s, CERTIFICATE, buf_contents(&body));
	OPENSSL_free(der);
	buf_free(&body);
}

/* RFC 8446 section 4.1.3, and 4.4.1 */
static void
say_retry(struct shake *s)
{
	static const unsigned char body[] = "\3\3"
	    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
	    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
	unsigned char digest[EVP_MAX_MD_SIZE + 4] = { 254, 0, 0 };
	unsigned n = 0;

	EVP_DigestFinal_ex(s->hash, digest + 4, &n);
	digest[3] = (unsigned char)n;
	EVP_DigestInit_ex(s->hash, s->md, NULL);
	EVP_DigestUpdate(s->hash, digest, n + 4);
	say(s, SERVER_HELLO, bytes_make(body, sizeof body - 1));
	say(s, CLIENT_HELLO, BYTES("another"));
}

static uint32_t
or_ecdsa(uint32_t scheme)
{
	return scheme == 0 ? ECDSA : scheme;
}

/* All of it, between a server with one key and a client with another. */
static struct shake
shake_hands(EVP_PKEY *server, EVP_PKEY *client, X509 *x, const struct spoil *p)
{
	struct shake s = { .text = BUF_INIT(MAX), .hash = EVP_MD_CTX_new(),
	    .md = p->sha384 ? EVP_sha384() : EVP_sha256() };

	EVP_DigestInit_ex(s.hash, s.md, NULL);
	say(&s, CLIENT_HELLO, BYTES("hello"));
	if (p->retry)
		say_retry(&s);
	say(&s, SERVER_HELLO, BYTES("a hello of the server, with something random"));
	say(&s, EXTENSIONS, BYTES(""));
	say(&s, REQUEST, BYTES("who are you?"));
	say(&s, CERTIFICATE, BYTES("the server's own"));
	say_signed(&s, p->client_input ? "TLS 1.3, client CertificateVerify"
	    : "TLS 1.3, server CertificateVerify", server, or_ecdsa(p->server_scheme),
	    s.witness);
	say(&s, FINISHED, BYTES("0123456789abcdef0123456789abcdef"));
	say_chain(&s, x, p);
	say_signed(&s, "TLS 1.3, client CertificateVerify", client,
	    or_ecdsa(p->client_scheme), NULL);
	EVP_MD_CTX_free(s.hash);
	return s;
}

static const char *
judge(const struct shake *s, struct buf *names)
{
	STACK_OF(X509) *chain = NULL;
	const char *why = x509_proof(buf_contents(&s->text), s->witness, &chain);

	if (why == NULL && names != NULL)
		x509_names(sk_X509_value(chain, 0), names);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return why;
}

/* ---- */

static struct {
	EVP_PKEY *server, *client, *other;
	X509 *x;
} k;

static void
make_keys(uint32_t server, uint32_t client)
{
	k.server = make_key(or_ecdsa(server));
	k.client = make_key(or_ecdsa(client));
	k.other = make_key(or_ecdsa(client));
	k.x = make_certificate(k.client);
}

static void
free_keys(void)
{
	EVP_PKEY_free(k.server);
	EVP_PKEY_free(k.client);
	EVP_PKEY_free(k.other);
	X509_free(k.x);
}

static void
handshakes(void)
{
	static const struct {
		struct spoil spoil;
		const char *why;		/* its beginning; NULL: it is good */
	} rows[] = {
		{ { .sha384 = false }, NULL }, { { .sha384 = true }, NULL },
		{ { .retry = true }, NULL }, { { .retry = true, .sha384 = true }, NULL },
		{ { .server_scheme = PSS }, NULL }, { { .client_scheme = PSS }, NULL },
		{ { .client_scheme = EDDSA }, NULL },
		{ { .client_scheme = PKCS1 }, "the client did not" },
		{ { .server_scheme = PKCS1 }, "signatures by the key" },
		{ { .server_scheme = EDDSA }, "signatures by the key" },
		{ { .other_key = true }, "the client did not" },
		{ { .other_key = true, .client_scheme = PSS }, "the client did not" },
		{ { .no_chain = true }, "no certificate" },
		{ { .context = true }, "no certificate" },
		{ { .client_input = true }, "not the handshake" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct spoil *p = &rows[i].spoil;
		struct shake s;
		const char *why;

		make_keys(p->server_scheme, p->client_scheme);
		s = shake_hands(k.server, p->other_key ? k.other : k.client, k.x, p);
		why = judge(&s, NULL);
		if (!CHECK(rows[i].why == NULL ? why == NULL : why != NULL
		    && strncmp(why, rows[i].why, strlen(rows[i].why)) == 0))
			printf("# row %zu: %s\n", i, why == NULL ? "good" : why);
		buf_free(&s.text);
		free_keys();
	}
}

/* No byte can be another, and none be missing, but behind the last. */
static void
every_byte_counts(void)
{
	const struct spoil none = { 0 };
	struct shake s;
	size_t n;

	make_keys(0, 0);
	s = shake_hands(k.server, k.client, k.x, &none);
	n = s.text.len;
	for (size_t i = 0; i < n; i++) {
		s.text.data[i] ^= 1;
		if (!CHECK(judge(&s, NULL) != NULL))
			printf("# byte %zu\n", i);
		s.text.data[i] ^= 1;
		s.text.len = i;
		if (!CHECK(judge(&s, NULL) != NULL))
			printf("# %zu bytes\n", i);
		s.text.len = n;
	}
	buf_text(&s.text, "and what came later");
	CHECK(judge(&s, NULL) == NULL);
	for (size_t i = 0; i < WITNESS_SIZE; i++) {
		s.witness[i] ^= 0x80;
		CHECK(judge(&s, NULL) != NULL);
		s.witness[i] ^= 0x80;
	}
	buf_free(&s.text);
	free_keys();
}

/*
 * What a login saw of somebody's handshake yesterday, and has the signer sign
 * again today: the signature is another.
 */
static void
yesterdays_handshake_is_no_proof(void)
{
	const struct spoil none = { 0 };
	struct shake old, today;

	make_keys(0, 0);
	old = shake_hands(k.server, k.client, k.x, &none);
	today = shake_hands(k.server, k.other, k.x, &none);
	CHECK(judge(&old, NULL) == NULL);
	memcpy(old.witness, today.witness, sizeof old.witness);
	CHECK(judge(&old, NULL) != NULL);
	buf_free(&old.text);
	buf_free(&today.text);
	free_keys();
}

static void
names_of_a_certificate(void)
{
	const struct spoil none = { 0 };
	struct buf names = BUF_INIT(1024), few = BUF_INIT(80);
	struct shake s;

	make_keys(0, 0);
	s = shake_hands(k.server, k.client, k.x, &none);
	CHECK(judge(&s, &names) == NULL);
	CHECK(strncmp(buf_string(&names), "sha256:", 7) == 0 && names.data[71] == '\n');
	CHECK_EQ_BYTES(bytes_from(buf_contents(&names), 72),
	    BYTES("subject:CN=Ann,O=Example\\, Inc\n"));
	CHECK(judge(&s, &few) == NULL);		/* whole lines, or none */
	CHECK_EQ_INT(few.len, 72);
	buf_free(&names);
	buf_free(&few);
	buf_free(&s.text);
	free_keys();
}

TEST_MAIN(TEST(handshakes), TEST(every_byte_counts),
    TEST(yesterdays_handshake_is_no_proof), TEST(names_of_a_certificate))
