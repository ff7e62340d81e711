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
 * TLS_EXPORTER is RFC 9266's, the others RFC 5929's; TLS_UNIQUE is there before
 * TLS 1.3 only.
 */
enum tls_binding { TLS_EXPORTER, TLS_SERVER_END_POINT, TLS_UNIQUE };
#define TLS_BINDING_MAX 64
int tls_binding(const struct tls *t, enum tls_binding kind,
    unsigned char out[TLS_BINDING_MAX]);

/*
 * Before the handshake: the client is asked for a certificate of these issuers,
 * PEM, and may give none. 0, or -1: there is none among them that can be read.
 */
int tls_client_ca(struct tls *t, struct bytes pem);

/* The client gave a certificate, and it is of those issuers. */
bool tls_has_client(const struct tls *t);

/*
 * Appends what that certificate says of its owner, a line each: "sha256:" and
 * its digest, "subject:", any number of "email:". 0, or -1: there is none.
 */
int tls_client_identities(const struct tls *t, struct buf *out);

/* "TLSv1.3/TLS_AES_256_GCM_SHA384" */
void tls_describe(const struct tls *t, char *to, size_t n);

#endif
