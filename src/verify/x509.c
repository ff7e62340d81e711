/*
 * EXTERNAL (RFC 4422 appendix A): one message, the handshake of TLS as login says
 * that it was, and one answer, what the certificate says of its owner.
 * Runs as: _mailreeve (x509_prepare: root, before the cage).
 *
 * Login is not believed: a handshake that is not this connection's, or in which
 * the client did not prove that the certificate is its own, is nobody's.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "clock.h"
#include "control.h"
#include "log.h"
#include "rootfile.h"
#include "sandbox.h"
#include "sign.h"
#include "x509.h"

#define SIGNER_MS 5000

static struct buf issuers = BUF_INIT(CHAN_PEM_MAX);

static int
x509_prepare(const struct config *conf, const char *how)
{
	(void)how;
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG
	    | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS
	    | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL) != 1)
		return -1;
	if (conf->tls_client_ca[0] != '\0'
	    && rootfile_read(conf->tls_client_ca, ROOTFILE_PUBLIC, &issuers) == 0)
		return 0;
	log_error("tls-client-ca: cannot read %s", conf->tls_client_ca);
	return -1;
}

/* What the signer signed on login's link, which login cannot answer for it. */
static int
ask_witness(unsigned char out[WITNESS_SIZE])
{
	struct sign_req q = { .type = SIGN_SIGNED };
	uint64_t deadline = clock_ms() + SIGNER_MS;
	struct sign_rep rep;

	if (chan_send(DOOR_FD, &q, sizeof q, deadline) < 0
	    || chan_recv(DOOR_FD, &rep, sizeof rep, deadline) < 0
	    || rep.type != SIGN_SIGNED || rep.good != 1 || rep.n != WITNESS_SIZE)
		return -1;
	memcpy(out, rep.p, WITNESS_SIZE);
	return 0;
}

/* The store of issuers, parsed where nothing can be done to root; or NULL. */
static X509_STORE *
load_issuers(void)
{
	BIO *in = BIO_new_mem_buf(issuers.data, (int)issuers.len);
	X509_STORE *store = X509_STORE_new();
	bool good = in != NULL && store != NULL;
	X509 *x;
	int n = 0;

	while (good && n < X509_ISSUERS_MAX
	    && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		good = X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
		n++;
	}
	BIO_free(in);
	if (good && n > 0)
		return store;
	X509_STORE_free(store);
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *
look_at_chain(X509_STORE *store, STACK_OF(X509) *chain)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	const char *why = "no memory";

	if (c != NULL && X509_STORE_CTX_init(c, store, sk_X509_value(chain, 0),
	    chain) == 1 && X509_STORE_CTX_set_default(c, "ssl_client") == 1)
		why = X509_verify_cert(c) == 1 ? NULL
		    : X509_verify_cert_error_string(X509_STORE_CTX_get_error(c));
	X509_STORE_CTX_free(c);
	return why;
}

static int
identify(const X509 *x, struct outside_answer *out)
{
	struct buf names = BUF_INIT(CHAN_TEXT_MAX);
	int r;

	x509_names(x, &names);
	r = verifier_challenge(out, buf_contents(&names));
	buf_free(&names);
	return r;
}

static int
x509_step(struct bytes in, struct outside_answer *out)
{
	unsigned char witness[WITNESS_SIZE];
	STACK_OF(X509) *chain = NULL;
	X509_STORE *store = load_issuers();
	const char *why = "nothing was signed in this connection";
	int r = 0;

	if (store == NULL) {
		log_error("tls-client-ca: no certificates there");
		return -1;
	}
	if (ask_witness(witness) == 0)
		why = x509_proof(in, witness, &chain);
	if (why == NULL)
		why = look_at_chain(store, chain);
	if (why == NULL)
		r = identify(sk_X509_value(chain, 0), out);
	else
		verifier_refuse(out, why);
	sk_X509_pop_free(chain, X509_free);
	X509_STORE_free(store);
	ERR_clear_error();
	return r;
}

const struct verify_program x509_verifier = {
	"mailreeve-x509", x509_prepare, sandbox_x509, x509_step,
};
