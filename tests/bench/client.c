/*
 * One connection of the load generator.
 * Runs as: the person who measures.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define IN_SIZE ((size_t)1 << 20)
#define PACKED_SIZE ((size_t)1 << 16)
#define LINE_SIZE 4096

static void
begin_tls(struct client *c)
{
	c->ssl = SSL_new(c->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		errx(1, "no TLS");
	if (c->resume && c->session != NULL)
		SSL_set_session(c->ssl, c->session);
	if (SSL_connect(c->ssl) != 1)
		errx(1, "no TLS at port %d", c->port);
	if (c->resume && c->session != NULL && !SSL_session_reused(c->ssl))
		errx(1, "the server does not resume TLS sessions");
}

void
client_open(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)c->port) };
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
		err(1, "connect to port %d", c->port);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (c->in == NULL && (c->in = malloc(IN_SIZE)) == NULL)
		err(1, NULL);
	c->at = c->end = 0;
	c->deflate = false;
	if (c->tls)
		begin_tls(c);
}

void
client_close(struct client *c)
{
	if (c->deflate) {
		deflateEnd(&c->to);
		inflateEnd(&c->from);
	}
	if (c->tls) {
		/* TLS 1.3 sends what resumes a session behind the handshake. */
		if (c->resume) {
			SSL_SESSION_free(c->session);
			c->session = SSL_get1_session(c->ssl);
		}
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
}

static void
put_bytes(struct client *c, const unsigned char *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r) {
		r = c->tls ? SSL_write(c->ssl, p, n > IN_SIZE ? (int)IN_SIZE : (int)n)
		    : write(c->fd, p, n);
		if (r <= 0)
			err(1, "write");
	}
}

void
client_put(struct client *c, const void *p, size_t n)
{
	unsigned char out[PACKED_SIZE];

	if (!c->deflate) {
		put_bytes(c, p, n);
		return;
	}
	c->to.next_in = (unsigned char *)(uintptr_t)p;
	c->to.avail_in = (unsigned)n;
	do {
		c->to.next_out = out;
		c->to.avail_out = sizeof out;
		deflate(&c->to, Z_SYNC_FLUSH);
		put_bytes(c, out, sizeof out - c->to.avail_out);
	} while (c->to.avail_out == 0);
}

static size_t
get_bytes(struct client *c, unsigned char *p, size_t n)
{
	ssize_t r = c->tls ? SSL_read(c->ssl, p, (int)n) : read(c->fd, p, n);

	if (r <= 0)
		errx(1, "the server closed the connection");
	return (size_t)r;
}

static size_t
get_unpacked(struct client *c, unsigned char *p, size_t n)
{
	c->from.next_out = p;
	c->from.avail_out = (unsigned)n;
	while (c->from.avail_out == n) {
		if (c->from.avail_in == 0) {
			c->from.next_in = c->packed;
			c->from.avail_in = (unsigned)get_bytes(c, c->packed, PACKED_SIZE);
		}
		if (inflate(&c->from, Z_SYNC_FLUSH) < Z_OK)
			errx(1, "bytes that do not inflate");
	}
	return n - c->from.avail_out;
}

static void
fill(struct client *c)
{
	size_t n;

	if (c->at > 0) {
		memmove(c->in, c->in + c->at, c->end - c->at);
		c->end -= c->at;
		c->at = 0;
	}
	if (c->end == IN_SIZE)
		errx(1, "a line that is too long");
	n = (c->deflate ? get_unpacked : get_bytes)(c, c->in + c->end, IN_SIZE - c->end);
	c->end += n;
	c->received += n;
}

void
client_compress(struct client *c)
{
	client_ask(c, "COMPRESS DEFLATE");
	if (c->packed == NULL && (c->packed = malloc(PACKED_SIZE)) == NULL)
		err(1, NULL);
	memset(&c->to, 0, sizeof c->to);
	memset(&c->from, 0, sizeof c->from);
	if (deflateInit2(&c->to, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&c->from, -15) != Z_OK)
		errx(1, "no zlib");
	c->deflate = true;
}

size_t
client_line(struct client *c, const unsigned char **p)
{
	size_t seen = 0;
	unsigned char *lf;

	while ((lf = memchr(c->in + c->at + seen, '\n', c->end - c->at - seen)) == NULL) {
		seen = c->end - c->at;
		fill(c);
	}
	*p = c->in + c->at;
	c->at = (size_t)(lf - c->in) + 1;
	return (size_t)(lf - *p) + 1;
}

static void
skip(struct client *c, uint64_t n)
{
	while (n > 0) {
		size_t have = c->end - c->at;

		if (have == 0) {
			c->at = c->end = 0;
			fill(c);
			continue;
		}
		if (have > n)
			have = (size_t)n;
		c->at += have;
		n -= have;
	}
}

/* Octets of the literal that a line announces, or 0. */
static uint64_t
literal(const unsigned char *p, size_t n)
{
	uint64_t size = 0, ten = 1;

	if (n < 5 || p[n - 3] != '}')
		return 0;
	for (n -= 4; p[n] >= '0' && p[n] <= '9' && n > 0; n--, ten *= 10)
		size += (uint64_t)(p[n] - '0') * ten;
	return p[n] == '{' ? size : 0;
}

static void
imap_answer(struct client *c, const char *what)
{
	const unsigned char *p;
	size_t n;
	uint64_t body;

	for (;;) {
		n = client_line(c, &p);
		if (p[0] == 'x' || p[0] == '+')
			break;
		while ((body = literal(p, n)) > 0) {
			skip(c, body);
			n = client_line(c, &p);
		}
	}
	if (p[0] == 'x' && memcmp(p, "x OK", 4) != 0)
		errx(1, "%.60s: %.*s", what, (int)n, (const char *)p);
}

/* A multi-line answer ends with a dot on a line of its own. */
static void
pop3_answer(struct client *c, const char *what)
{
	bool many = strncmp(what, "RETR", 4) == 0 || strncmp(what, "TOP", 3) == 0 ||
	    strcmp(what, "LIST") == 0 || strcmp(what, "UIDL") == 0;
	const unsigned char *p;
	size_t n = client_line(c, &p);

	if (p[0] != '+')
		errx(1, "%.60s: %.*s", what, (int)n, (const char *)p);
	while (many) {
		n = client_line(c, &p);
		many = !(n == 3 && p[0] == '.');
	}
}

void
client_answer(struct client *c, const char *what)
{
	if (c->pop3)
		pop3_answer(c, what);
	else
		imap_answer(c, what);
}

void
client_ask(struct client *c, const char *line)
{
	char text[LINE_SIZE];
	int n = snprintf(text, sizeof text, "%s%s\r\n", c->pop3 ? "" : "x ", line);

	if (n < 0 || (size_t)n >= sizeof text)
		errx(1, "a command that is too long");
	client_put(c, text, (size_t)n);
	client_answer(c, line);
	c->done++;
}
