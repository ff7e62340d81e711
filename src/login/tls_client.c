/*
 * Certificates of clients, for EXTERNAL.
 * Runs as: _mailreeve.
 *
 * A client need not have one, and one that nobody here vouches for is passed
 * over: it may still log in with a password.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls_private.h"

#define ISSUERS_MAX 100

static int
pass_over(int good, X509_STORE_CTX *c)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(c,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (good != 1)
		t->client_unknown = true;
	return 1;
}

/* Into each context: which one it will be, the client decides. */
static int
add_issuer(SSL *ssl, X509 *x)
{
	SSL_CTX *c;

	for (size_t i = 0; (c = chain_nth(i)) != NULL; i++)
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(c), x) != 1)
			return -1;
	return SSL_add_client_CA(ssl, x) == 1 ? 0 : -1;
}

/* tls_prepare() leaves out the names that signatures are checked by. */
static bool
name_digests(void)
{
	return EVP_add_digest(EVP_sha256()) == 1 && EVP_add_digest(EVP_sha384()) == 1
	    && EVP_add_digest(EVP_sha512()) == 1;
}

int
tls_client_ca(struct tls *t, struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x;
	int n = 0, r = 0;

	while (in != NULL && r == 0 && n < ISSUERS_MAX
	    && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		r = add_issuer(t->ssl, x);
		X509_free(x);
		n++;
	}
	BIO_free(in);
	ERR_clear_error();
	if (r < 0 || n == 0 || !name_digests())
		return -1;
	/* Who resumes would not be looked at again, whatever has changed here. */
	SSL_set_options(t->ssl, SSL_OP_NO_TICKET);
	if (SSL_set_num_tickets(t->ssl, 0) != 1)
		return -1;
	SSL_set_verify(t->ssl, SSL_VERIFY_PEER, pass_over);
	return 0;
}

bool
tls_has_client(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL && !t->client_unknown
	    && SSL_get_verify_result(t->ssl) == X509_V_OK;
}

static void
add_fingerprint(const X509 *x, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(x, EVP_sha256(), digest, &n) != 1)
		return;
	buf_text(out, "sha256:");
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%02x", digest[i]);
	buf_byte(out, '\n');
}

/* What could be taken for several lines, or for less than it is, is no identity. */
static bool
is_line(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return text.n > 0;
}

static void
add_line(const char *label, struct bytes text, struct buf *out)
{
	if (!is_line(text))
		return;
	buf_text(out, label);
	buf_bytes(out, text);
	buf_byte(out, '\n');
}

/* As `openssl x509 -subject -nameopt RFC2253` prints it. */
static void
add_subject(const X509 *x, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (b == NULL)
		return;
	if (X509_NAME_print_ex(b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) > 0
	    && (n = BIO_get_mem_data(b, &text)) > 0)
		add_line("subject:", bytes_make(text, (size_t)n), out);
	BIO_free(b);
}

static void
add_addresses(const X509 *x, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		const ASN1_STRING *s = g->type == GEN_EMAIL ? g->d.rfc822Name : NULL;

		if (s != NULL)
			add_line("email:", bytes_make(ASN1_STRING_get0_data(s),
			    (size_t)ASN1_STRING_length(s)), out);
	}
	GENERAL_NAMES_free(names);
}

int
tls_client_identities(const struct tls *t, struct buf *out)
{
	const X509 *x = SSL_get0_peer_certificate(t->ssl);

	if (!tls_has_client(t))
		return -1;
	add_fingerprint(x, out);
	add_subject(x, out);
	add_addresses(x, out);
	ERR_clear_error();
	return out->error == 0 ? 0 : -1;
}
