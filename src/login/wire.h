/*
 * The client's side of login: input taken one line or one literal at a time
 * and never a byte more, so that whatever follows STARTTLS or a login is still
 * where the TLS handshake or the session will look for it. Output is kept
 * until it must be sent.
 *
 * Everything happens before one deadline. Failures are -1 with errno:
 * ETIMEDOUT, EPIPE (the client is gone), E2BIG (line over its limit),
 * EDQUOT (over INPUT_MAX), EILSEQ (NUL), EHOSTDOWN (conn is gone), or a system
 * call's own.
 */
#ifndef WIRE_H
#define WIRE_H

#include "buf.h"
#include "limits.h"
#include "tls.h"

struct wire {
	int fd;
	int conn;			/* a channel whose end ends us too, or -1 */
	struct tls *tls;		/* NULL: in the clear */
	struct buf out;
	uint64_t deadline;		/* clock_ms() */
	size_t taken;			/* bytes of input so far */
};

void wire_init(struct wire *w, int fd, uint64_t deadline);

/* Appends one line with its LF to `to`; after a failure it has what came of it. */
int wire_line(struct wire *w, struct buf *to, size_t max);

/* Appends exactly n bytes. */
int wire_exact(struct wire *w, struct buf *to, size_t n);

int wire_text(struct wire *w, const char *text);
int wire_printf(struct wire *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int wire_flush(struct wire *w);

/* Waits for events on the client's socket until the deadline. */
int wire_wait(struct wire *w, short events);

/*
 * Sends what is left and ends the connection in a way that lets the client
 * read it: close_notify, FIN, then input is dropped for a moment.
 */
void wire_close(struct wire *w);

#endif
