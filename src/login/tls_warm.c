/*
 * A handshake of the template with itself, so that what OpenSSL looks up and
 * makes for the first one is there in all its forks.
 * Runs as: root (template, which has no client).
 */
#include <openssl/err.h>

#include "tls_private.h"
#include "tls_remote.h"

#define STEPS_MAX 10		/* of each side; a handshake takes three */

static SSL *
new_client(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	SSL *ssl = c == NULL ? NULL : SSL_new(c);

	SSL_CTX_free(c);
	return ssl;
}

/* Both ends of a wire in memory. */
static bool
connect_both(SSL *client, SSL *server)
{
	BIO *a, *b;

	if (BIO_new_bio_pair(&a, 0, &b, 0) != 1)
		return false;
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	return true;
}

static void
converse(SSL *client, SSL *server)
{
	char octet = 0;
	int done = 0;

	for (int i = 0; i < STEPS_MAX && done < 2; i++) {
		done = SSL_connect(client) == 1;
		done += SSL_accept(server) == 1;
	}
	/* Tickets, then a record each way. */
	(void)SSL_write(client, &octet, 1);
	(void)SSL_read(server, &octet, 1);
	(void)SSL_write(server, &octet, 1);
	(void)SSL_read(client, &octet, 1);
}

void
tls_warm(int link)
{
	struct tls *t = tls_new();
	SSL *client = new_client();

	remote_link(link);
	tickets_ask();
	if (t != NULL && client != NULL && connect_both(client, t->ssl))
		converse(client, t->ssl);
	remote_link(-1);
	tickets_forget();
	SSL_free(client);
	tls_free(t);
	ERR_clear_error();
}
