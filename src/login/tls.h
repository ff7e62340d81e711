/*
 * TLS of one connection: all that is known of OpenSSL outside the files tls*.c.
 * Nothing here waits, but for the signer and the handshake.
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
 * Takes over the certificates of the signer at this link; minimum is the text of
 * tls-minimum. What is made of them serves every connection of this process
 * and its forks. 0, or -1: there will be no TLS; one line in *why, NULL when
 * there is no signer.
 */
int tls_load(int link, const char *minimum, const char **why);

/* Once, in a template: spares its forks what a first handshake costs. */
void tls_warm(int link);

/* Ready for a client: NULL when nothing was loaded, or without memory. */
struct tls *tls_new(void);

/*
 * The handshake as server on fd until the deadline, signed by the signer at that
 * link; a client that negotiates another protocol than alpn is refused. 0, or
 * -1 with one line in *why, NULL when the client left without a word; then t
 * is good for nothing but tls_free().
 */
int tls_accept(struct tls *t, int fd, int link, const char *alpn,
    uint64_t deadline, const char **why);
void tls_free(struct tls *t);

/*
 * One attempt each: how many bytes, 0 at the end of the input, -1 with errno;
 * EAGAIN: poll for tls_wants() and come again (a write with the same bytes);
 * EDQUOT: much came, and no data.
 */
ssize_t tls_read(struct tls *t, void *p, size_t max, bool peek);
ssize_t tls_write(struct tls *t, const void *p, size_t n);
short tls_wants(const struct tls *t);

/* Something came that tls_read() has not given yet: poll() would not tell. */
bool tls_pending(const struct tls *t);

/*
 * No secrets pass any more: received plaintext need not be wiped each time. From
 * here on one call reads as much as is there.
 */
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

/* The client gave a certificate, it is of those issuers, and this is TLS 1.3. */
bool tls_has_client(const struct tls *t);

/* Why its certificate is not; NULL when it is, or there is none. */
const char *tls_client_why(const struct tls *t);

/* All messages of that handshake, by which others can see the same. */
struct bytes tls_client_handshake(const struct tls *t);

/* "TLSv1.3/TLS_AES_256_GCM_SHA384" */
void tls_describe(const struct tls *t, char *to, size_t n);

#endif
