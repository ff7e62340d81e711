/*
 * The files of TLS, read by who may and handed over as PEM.
 */
#ifndef KEYS_H
#define KEYS_H

#include "config.h"

/* Certificate chain and key: 0, or -1 after a log line. */
int keys_read(const struct config *conf, struct buf *pem);

/* Issuers of clients' certificates: the same, and -1 when there are to be none. */
int keys_client_ca(const struct config *conf, struct buf *pem);

#endif
