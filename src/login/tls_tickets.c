/*
 * Session tickets: their keys come from the signer, for one ticket each.
 * Runs as: _mailreeve.
 *
 * A ticket is RFC 5077's: name, IV, AES-256-CBC, HMAC-SHA-256.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "tickets.h"
#include "tls_private.h"
#include "tls_remote.h"

#define CIPHER_KEY_SIZE 32
#define MAC_KEY_SIZE (TICKET_KEYS_SIZE - CIPHER_KEY_SIZE)

/* One connection's new tickets share their name and keys; each has its IV. */
static struct sign_rep fresh;

static int
set_keys(const struct sign_rep *rep, const unsigned char *iv, EVP_CIPHER_CTX *c,
    EVP_MAC_CTX *m, int encrypt)
{
	char digest[] = "SHA256";
	unsigned char key[MAC_KEY_SIZE];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key,
		    sizeof key),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	int r;

	memcpy(key, rep->p + CIPHER_KEY_SIZE, sizeof key);
	r = EVP_MAC_CTX_set_params(m, params) == 1
	    && EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, rep->p, iv,
	    encrypt) == 1;
	OPENSSL_cleanse(key, sizeof key);
	return r;
}

void
tickets_ask(void)
{
	struct sign_req q = { .type = SIGN_TICKET };

	fresh.n = 0;
	remote_ask_ahead(&q, &fresh);
}

static int
begin_ticket(unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *c,
    EVP_MAC_CTX *m)
{
	remote_hear_ahead();
	if (fresh.n == 0)
		return 0;		/* no ticket, then */
	if (fresh.n != TICKET_KEYS_SIZE + TICKET_NAME_SIZE
	    || RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
		return -1;
	memcpy(name, fresh.p + TICKET_KEYS_SIZE, TICKET_NAME_SIZE);
	return set_keys(&fresh, iv, c, m, 1) ? 1 : -1;
}

static int
open_ticket(const unsigned char *name, const unsigned char *iv,
    EVP_CIPHER_CTX *c, EVP_MAC_CTX *m)
{
	struct sign_req q = { .type = SIGN_TICKET, .n = TICKET_NAME_SIZE };
	struct sign_rep rep;
	int r;

	memcpy(q.p, name, TICKET_NAME_SIZE);
	if (remote_ask(&q, &rep) < 0)
		return 0;		/* too old: a full handshake */
	r = set_keys(&rep, iv, c, m, 0) ? 1 : -1;
	OPENSSL_cleanse(&rep, sizeof rep);
	return r;
}

static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *c,
    EVP_MAC_CTX *m, int encrypt)
{
	(void)ssl;
	return encrypt ? begin_ticket(name, iv, c, m) : open_ticket(name, iv, c, m);
}

/*
 * A ticket carries what binds to the certificate (RFC 5929 section 4): a
 * connection that resumes has none to look at.
 */
static int
seal(SSL *ssl, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);

	(void)arg;
	tls_bind(t);
	return t->end_point_size <= 0 || SSL_SESSION_set1_ticket_appdata(
	    SSL_get_session(ssl), t->end_point, (size_t)t->end_point_size);
}

static SSL_TICKET_RETURN
unseal(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t n,
    SSL_TICKET_STATUS status, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	void *p;
	size_t size;

	(void)name, (void)n, (void)arg;
	if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (SSL_SESSION_get0_ticket_appdata(session, &p, &size) == 1 && size > 0
	    && size <= sizeof t->end_point) {
		memcpy(t->end_point, p, size);
		t->end_point_size = (int)size;
	}
	return SSL_TICKET_RETURN_USE_RENEW;
}

int
tickets_offer(SSL_CTX *c)
{
	static const unsigned char whose[] = "mailreeve";

	SSL_CTX_set_timeout(c, (TICKETS_KEPT - 1) * TICKET_ROTATE_SECONDS);
	/* One: the next connection gets one, too, and each is a record to be sent. */
	if (SSL_CTX_set_num_tickets(c, 1) != 1
	    || SSL_CTX_set_session_id_context(c, whose, sizeof whose - 1) != 1
	    || SSL_CTX_set_tlsext_ticket_key_evp_cb(c, ticket_key) != 1
	    || SSL_CTX_set_session_ticket_cb(c, seal, unseal, NULL) != 1)
		return -1;
	return 0;
}

void
tickets_forget(void)
{
	OPENSSL_cleanse(&fresh, sizeof fresh);
}
