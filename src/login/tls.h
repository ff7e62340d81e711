/*
 * TLS of one connection: all that is known of OpenSSL outside tls.c and
 * tls_keys.c. Nothing here waits, but for the handshake.
 */
#ifndef LOGIN_TLS_H
#define LOGIN_TLS_H

#include "buf.h"

struct tls;

/*
 * What opens files or asks the system, before the cage. 0, or -1 when OpenSSL
 * does not work here.
 */
int tls_prepare(void);

/*
 * Ready for a client, from certificates and keys in PEM; minimum is the text of
 * tls-minimum. NULL with one line in *why.
 */
struct tls *tls_new(struct bytes pem, const char *minimum, const char **why);

/*
 * The handshake as server on fd until the deadline; a client that negotiates
 * another protocol than alpn is refused. The keys are gone afterwards. 0, or
 * -1 with one line in *why, NULL when the client left without a word; then t
 * is good for nothing but tls_free().
 */
int tls_accept(struct tls *t, int fd, const char *alpn, uint64_t deadline,
    const char **why);
void tls_free(struct tls *t);

/*
 * One attempt each: how many bytes, 0 at the end of the input, -1 with errno;
 * EAGAIN: poll for tls_wants() and come again (a write with the same bytes).
 */
ssize_t tls_read(struct tls *t, void *p, size_t max, bool peek);
ssize_t tls_write(struct tls *t, const void *p, size_t n);
short tls_wants(const struct tls *t);

/* No secrets pass any more: received plaintext need not be wiped each time. */
void tls_relax(struct tls *t);

/* One attempt to say close_notify. */
void tls_close(struct tls *t);

/*
 * What binds a SASL exchange to this connection; its size, or -1 where this
 * connection has none: the client must not be offered -PLUS by it then.
 * TLS_EXPORTER is RFC 9266's, TLS_SERVER_END_POINT RFC 5929's.
 */
enum tls_binding { TLS_EXPORTER, TLS_SERVER_END_POINT };
#define TLS_BINDING_MAX 64
int tls_binding(const struct tls *t, enum tls_binding kind,
    unsigned char out[TLS_BINDING_MAX]);

/* Appends the client's certificate, DER, if it gave one and it was verified: 0, or -1. */
int tls_client_certificate(const struct tls *t, struct buf *der);

/* "TLSv1.3/TLS_AES_256_GCM_SHA384" */
void tls_describe(const struct tls *t, char *to, size_t n);

#endif
