/*
 * TLS by OpenSSL: context, handshake, records.
 * Runs as: _mailreeve (tls_prepare: root, before the cage).
 */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "limits.h"
#include "tls_private.h"
#include "tls_remote.h"

/* Forward secrecy and authenticated encryption only; TLS 1.3 has no others. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"

static const uint64_t OPTIONS = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
    | SSL_OP_CIPHER_SERVER_PREFERENCE
    | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT
    /* Clients that close without close_notify are common: an end is an end. */
    | SSL_OP_IGNORE_UNEXPECTED_EOF;

static const long MODES = SSL_MODE_RELEASE_BUFFERS
    | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;

/* --- the socket, without O_NONBLOCK, which other processes would share --- */

struct client {
	const SSL *ssl;
	int fd;
	bool more;			/* another record follows at once */
	unsigned reads;			/* that the call of OpenSSL may still make */
};

static int
socket_read(BIO *b, char *to, int n)
{
	struct client *c = BIO_get_data(b);
	ssize_t got = -1;

	errno = EAGAIN;
	if (c->reads > 0) {
		c->reads--;
		got = recv(c->fd, to, (size_t)n, MSG_DONTWAIT);
	}
	BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY | BIO_FLAGS_IN_EOF);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	if (got == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)got;
}

/* A ticket of TLS 1.3 waits for the greeting, or for a fifth of a second. */
static int
socket_write(BIO *b, const char *p, int n)
{
	const struct client *c = BIO_get_data(b);
	bool more = c->more || SSL_get_state(c->ssl) == TLS_ST_SW_SESSION_TICKET;
	ssize_t done = send(c->fd, p, (size_t)n,
	    MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));

	BIO_clear_retry_flags(b);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)done;
}

static long
socket_control(BIO *b, int command, long n, void *p)
{
	(void)n, (void)p;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	return command == BIO_CTRL_FLUSH;
}

static int
socket_destroy(BIO *b)
{
	free(BIO_get_data(b));
	return 1;
}

static BIO_METHOD *method;

static int
make_method(void)
{
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "client");
	if (method == NULL)
		return -1;
	BIO_meth_set_read(method, socket_read);
	BIO_meth_set_write(method, socket_write);
	BIO_meth_set_ctrl(method, socket_control);
	BIO_meth_set_destroy(method, socket_destroy);
	return 0;
}

static BIO *
socket_bio(const SSL *ssl, int fd)
{
	struct client *data = malloc(sizeof *data);
	BIO *b = data == NULL ? NULL : BIO_new(method);

	if (b == NULL) {
		free(data);
		return NULL;
	}
	*data = (struct client){ .ssl = ssl, .fd = fd };
	BIO_set_data(b, data);
	BIO_set_init(b, 1);
	return b;
}

/* --- the server's side --- */

int
tls_prepare(void)
{
	unsigned char seed[32];

	/*
	 * No configuration file: what is offered stands here. No error strings
	 * and no old names of algorithms: they cost more than the handshake.
	 */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT
	    | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS
	    | OPENSSL_INIT_NO_LOAD_SSL_STRINGS
	    | OPENSSL_INIT_NO_ADD_ALL_CIPHERS
	    | OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL) != 1)
		return -1;
	/* Both generators at once: side by side, they are fewer pages of each fork. */
	if (RAND_bytes(seed, sizeof seed) != 1
	    || RAND_priv_bytes(seed, sizeof seed) != 1)
		return -1;
	return make_method() < 0 ? -1 : remote_prepare();
}

/*
 * ALPN (RFC 7301): a browser that was talked into speaking to us names http;
 * it must not get a connection that it may take for its own (ALPACA).
 */
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
    const unsigned char *offered, unsigned offered_n, void *arg)
{
	const struct tls *t = SSL_get_app_data(ssl);
	struct bytes want = bytes_of(t->alpn);
	struct bytes rest = bytes_make(offered, offered_n);

	(void)arg;
	while (rest.n > 0) {
		struct bytes name = bytes_first(bytes_from(rest, 1), rest.p[0]);

		if (bytes_equal(name, want)) {
			*out = name.p;
			*n = (unsigned char)name.n;
			return SSL_TLSEXT_ERR_OK;
		}
		rest = bytes_from(rest, 1 + name.n);
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* SNI (RFC 6066 section 3). A name that nobody here has is no reason to fail. */
static int
choose_host(SSL *ssl, int *alert, void *arg)
{
	SSL_CTX *c = chain_context(SSL_get_servername(ssl,
	    TLSEXT_NAMETYPE_host_name));

	(void)alert, (void)arg;
	if (c != NULL && c != SSL_get_SSL_CTX(ssl))
		(void)SSL_set_SSL_CTX(ssl, c);
	return SSL_TLSEXT_ERR_OK;
}

static int
configure(SSL_CTX *c, const char *minimum)
{
	char groups[] = GROUPS;
	int version = strcmp(minimum, "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;

	SSL_CTX_set_options(c, OPTIONS);
	SSL_CTX_set_mode(c, MODES);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(c, choose_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(c, choose_host);
	if (SSL_CTX_set_min_proto_version(c, version) != 1
	    || SSL_CTX_set_cipher_list(c, CIPHERS_12) != 1
	    || SSL_CTX_set1_groups_list(c, groups) != 1)
		return -1;
	return tickets_offer(c);
}

static SSL_CTX *
make_context(const char *minimum)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (c != NULL && configure(c, minimum) == 0)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

int
tls_load(int link, const char *minimum, const char **why)
{
	return chain_load(link, make_context, minimum, why);
}

struct tls *
tls_new(void)
{
	SSL_CTX *c = chain_context(NULL);
	struct tls *t = c == NULL ? NULL : calloc(1, sizeof *t);

	if (t != NULL)
		t->ssl = SSL_new(c);
	if (t != NULL && t->ssl != NULL && SSL_set_app_data(t->ssl, t) == 1)
		return t;
	tls_free(t);
	return NULL;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	buf_free(&t->handshake);
	free(t);
}

/* --- one connection --- */

/*
 * OpenSSL goes on while there is something that is no data, as updates of keys
 * and refused renegotiations, and so for ever with a client that sends these as
 * fast as they are read: a call makes so many reads, and time is looked at.
 */
static struct client *
before_call(struct tls *t)
{
	struct client *c = BIO_get_data(SSL_get_rbio(t->ssl));

	c->reads = TLS_READS_MAX;
	ERR_clear_error();
	errno = 0;
	return c;
}

/* 1 to be tried again after waiting, 0 the end, -1 with errno. */
static int
sort_error(struct tls *t, int r)
{
	int saved = errno;

	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		t->wants = POLLIN;
		break;
	case SSL_ERROR_WANT_WRITE:
		t->wants = POLLOUT;
		break;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = saved != 0 ? saved : EPIPE;
		return -1;
	default:
		errno = EPROTO;
		return -1;
	}
	errno = EAGAIN;
	return 1;
}

static int
wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = clock_ms();
	int n = now >= deadline ? 0 : poll(&p, 1, (int)(deadline - now));

	return n > 0 || (n < 0 && errno == EINTR) ? 0 : -1;
}

static int
handshake(struct tls *t, int fd, uint64_t deadline, const char **why)
{
	for (;;) {
		int r, state;

		(void)before_call(t);
		r = SSL_accept(t->ssl);
		if (r == 1)
			return 0;
		state = sort_error(t, r);
		if (state != 1) {
			*why = tls_why();
			if (BIO_number_read(SSL_get_rbio(t->ssl)) == 0)
				*why = NULL;
			return -1;
		}
		if (wait_for(fd, t->wants, deadline) < 0) {
			*why = "timeout";
			return -1;
		}
	}
}

int
tls_accept(struct tls *t, int fd, int link, const char *alpn,
    uint64_t deadline, const char **why)
{
	BIO *b = socket_bio(t->ssl, fd);
	int r;

	if (b == NULL) {
		*why = "out of memory";
		return -1;
	}
	SSL_set_bio(t->ssl, b, b);
	t->alpn = alpn;
	remote_link(link);
	tickets_ask();
	r = handshake(t, fd, deadline, why);
	remote_link(-1);
	tickets_forget();
	tls_client_done(t);
	tls_bind(t);
	return r;
}

ssize_t
tls_read(struct tls *t, void *p, size_t max, bool peek)
{
	int n = max > INT32_MAX ? INT32_MAX : (int)max, r;
	const struct client *c = before_call(t);

	r = peek ? SSL_peek(t->ssl, p, n) : SSL_read(t->ssl, p, n);
	if (r > 0)
		return r;
	if (c->reads == 0 && ++t->fruitless > TLS_FRUITLESS_MAX) {
		errno = EDQUOT;
		return -1;
	}
	return sort_error(t, r) == 0 ? 0 : -1;
}

ssize_t
tls_write(struct tls *t, const void *p, size_t n)
{
	struct client *c = before_call(t);
	int r;

	c->more = n > SSL3_RT_MAX_PLAIN_LENGTH;
	r = SSL_write(t->ssl, p, n > INT32_MAX ? INT32_MAX : (int)n);
	c->more = false;
	if (r > 0)
		return r;
	if (sort_error(t, r) == 0)
		errno = EPIPE;
	return -1;
}

short
tls_wants(const struct tls *t)
{
	return t->wants;
}

bool
tls_pending(const struct tls *t)
{
	return SSL_has_pending(t->ssl) == 1;
}

void
tls_relax(struct tls *t)
{
	SSL_clear_options(t->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	buf_free(&t->handshake);
	SSL_set_read_ahead(t->ssl, 1);
}

void
tls_close(struct tls *t)
{
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

void
tls_describe(const struct tls *t, char *to, size_t n)
{
	snprintf(to, n, "%s/%s", SSL_get_version(t->ssl),
	    SSL_get_cipher_name(t->ssl));
}
