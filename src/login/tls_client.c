/*
 * Certificates of clients, for EXTERNAL.
 * Runs as: _mailreeve.
 *
 * A client need not have one, and one that nobody here vouches for is passed
 * over: it may still log in with a password. What is found here only says what to
 * announce: conn has a verifier look at the handshake itself.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "chan.h"
#include "tls_private.h"

#define ISSUERS_MAX 100

static int
pass_over(int good, X509_STORE_CTX *c)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(c,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (good != 1) {
		t->client_unknown = true;
		if (t->client_error == X509_V_OK)
			t->client_error = X509_STORE_CTX_get_error(c);
	}
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

/* For the verifier: the handshake as it was. */
static void
remember(int sent, int version, int type, const void *p, size_t n, SSL *ssl,
    void *arg)
{
	struct tls *t = arg;

	(void)sent, (void)version, (void)ssl;
	if (type == SSL3_RT_HANDSHAKE)
		(void)buf_add(&t->handshake, p, n);
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
	t->handshake = BUF_INIT(CHAN_TOKEN_MAX);
	SSL_set_msg_callback(t->ssl, remember);
	SSL_set_msg_callback_arg(t->ssl, t);
	return 0;
}

void
tls_client_done(struct tls *t)
{
	SSL_set_msg_callback(t->ssl, NULL);
	if (tls_has_client(t))
		return;
	t->client_unknown = true;
	buf_free(&t->handshake);
}

/*
 * With TLS 1.3 only: before it, what was signed once in the server's name by RSA
 * would be the same again, and prove nothing of today's client.
 */
bool
tls_has_client(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL && !t->client_unknown
	    && SSL_get_verify_result(t->ssl) == X509_V_OK
	    && SSL_version(t->ssl) == TLS1_3_VERSION && t->handshake.error == 0;
}

const char *
tls_client_why(const struct tls *t)
{
	if (SSL_get0_peer_certificate(t->ssl) == NULL || tls_has_client(t))
		return NULL;
	if (t->client_error != X509_V_OK)
		return X509_verify_cert_error_string(t->client_error);
	if (SSL_version(t->ssl) != TLS1_3_VERSION)
		return "it counts with TLS 1.3 only";
	return "the handshake is too long";
}

struct bytes
tls_client_handshake(const struct tls *t)
{
	return buf_contents(&t->handshake);
}
