/*
 * Reads the TLS certificate and key; the only code that sees their files.
 * Runs as: root (conn).
 */
#include "keys.h"
#include "rootfile.h"

int
keys_read(const struct config *conf, struct buf *pem)
{
	/* In one piece, so that growing leaves no copies of the key behind. */
	if (buf_room(pem, pem->max) == NULL
	    || rootfile_read(conf->tls_certificate, ROOTFILE_PUBLIC, pem) < 0
	    || buf_byte(pem, '\n') < 0)
		return -1;
	return rootfile_read(conf->tls_key, ROOTFILE_KEY, pem);
}

int
keys_client_ca(const struct config *conf, struct buf *pem)
{
	if (conf->tls_client_ca[0] == '\0')
		return -1;
	return rootfile_read(conf->tls_client_ca, ROOTFILE_PUBLIC, pem);
}
