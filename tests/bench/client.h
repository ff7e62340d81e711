/*
 * One connection of the load generator: a client that costs little.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <zlib.h>

struct client {
	bool pop3, tls;
	bool resume;			/* offer the session of the visit before */
	int port;
	SSL_CTX *ctx;
	SSL_SESSION *session;
	SSL *ssl;
	int fd;
	bool deflate;			/* both ways, from COMPRESS on */
	z_stream to, from;
	unsigned char *packed;		/* read and not inflated yet: from.next_in */
	unsigned char *in;
	size_t at, end;			/* unread bytes of in */
	uint64_t received, done;	/* bytes; commands answered with success */
};

/* Each of them ends the program with a message when something fails. */
void client_open(struct client *c);
void client_close(struct client *c);
void client_put(struct client *c, const void *p, size_t n);
/* The next line with its LF; valid until the next call. */
size_t client_line(struct client *c, const unsigned char **p);
/* Reads an answer to its end: tagged `x`, `+`, or what POP3 says. */
void client_answer(struct client *c, const char *what);
/* Sends a line, in IMAP with the tag `x`, and reads the answer. */
void client_ask(struct client *c, const char *line);
/* From here on both sides compress. */
void client_compress(struct client *c);

#endif
