/*
 * A file of TLS, read by who may and handed over as PEM.
 */
#ifndef KEYS_H
#define KEYS_H

#include "config.h"

/*
 * Issuers of clients' certificates: 0, or -1, after a log line unless there are
 * to be none.
 */
int keys_client_ca(const struct config *conf, struct buf *pem);

#endif
