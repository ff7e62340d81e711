/*
 * Reads the issuers of clients' certificates.
 * Runs as: root (conn).
 */
#include "keys.h"
#include "rootfile.h"

int
keys_client_ca(const struct config *conf, struct buf *pem)
{
	if (conf->tls_client_ca[0] == '\0')
		return -1;
	return rootfile_read(conf->tls_client_ca, ROOTFILE_PUBLIC, pem);
}
