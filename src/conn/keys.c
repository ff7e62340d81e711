/*
 * Reads the TLS certificate and key; the only code that sees their files.
 * Runs as: root.
 */
#include "conn.h"
#include "rootfile.h"

int
keys_read(const struct config *conf, struct buf *pem)
{
	/* In one piece, so that growing leaves no copies of the key behind. */
	if (buf_room(pem, pem->max) == NULL
	    || rootfile_read(conf->tls_certificate, ROOTFILE_PUBLIC, pem) < 0
	    || buf_byte(pem, '\n') < 0)
		return -1;
	return rootfile_read(conf->tls_key, ROOTFILE_SECRET, pem);
}
