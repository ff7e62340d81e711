/*
 * Exact input and buffered output, in the clear and over TLS.
 * Runs as: _mailreeve.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

#define OUT_MAX ((size_t)4096)
#define CHUNK ((size_t)2048)

void
wire_init(struct wire *w, int fd, uint64_t deadline)
{
	*w = (struct wire){
		.fd = fd, .conn = -1, .deadline = deadline,
		.out = BUF_INIT(OUT_MAX),
	};
}

int
wire_wait(struct wire *w, short events)
{
	struct pollfd p[2] = {
		{ .fd = w->fd, .events = events },
		{ .fd = w->conn, .events = 0 },		/* POLLHUP comes unasked */
	};

	for (;;) {
		uint64_t now = clock_ms();
		int n = now >= w->deadline ? 0
		    : poll(p, 2, (int)(w->deadline - now));

		if (n > 0 && p[1].revents != 0) {
			errno = EHOSTDOWN;
			return -1;
		}
		if (n > 0)
			return 0;
		if (n == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

/* One attempt, as recv(2) with MSG_DONTWAIT. */
static ssize_t
try_input(struct wire *w, unsigned char *to, size_t max, bool peek)
{
	if (w->tls != NULL)
		return tls_read(w->tls, to, max, peek);
	return recv(w->fd, to, max, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
}

/* At least one byte, waiting for it when it must. */
static ssize_t
input(struct wire *w, unsigned char *to, size_t max, bool peek)
{
	for (;;) {
		ssize_t n = try_input(w, to, max, peek);

		if (n > 0)
			return n;
		if (n == 0)
			errno = EPIPE;
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return -1;
		if (wire_flush(w) < 0)
			return -1;
		if (wire_wait(w, w->tls != NULL ? tls_wants(w->tls) : POLLIN) < 0)
			return -1;
	}
}

/* Takes up to max bytes, at most up to the first LF when one line is wanted. */
static ssize_t
take(struct wire *w, struct buf *to, size_t max, bool line)
{
	unsigned char *room;
	ssize_t seen, n, end;

	if (max > CHUNK)
		max = CHUNK;
	if (max > INPUT_MAX - w->taken)
		max = INPUT_MAX - w->taken;
	if (max == 0) {
		errno = EDQUOT;
		return -1;
	}
	room = buf_room(to, max);
	if (room == NULL)
		return -1;
	seen = input(w, room, max, true);
	if (seen < 0)
		return -1;
	end = line ? bytes_find(bytes_make(room, (size_t)seen), '\n') : -1;
	n = input(w, room, (size_t)(end >= 0 ? end + 1 : seen), false);
	if (n < 0)
		return -1;
	explicit_bzero(room + n, (size_t)(seen - n));
	to->len += (size_t)n;
	w->taken += (size_t)n;
	return n;
}

int
wire_line(struct wire *w, struct buf *to, size_t max)
{
	size_t begin = to->len;

	for (;;) {
		size_t had = to->len - begin;
		ssize_t n;

		if (had == max) {
			errno = E2BIG;
			return -1;
		}
		n = take(w, to, max - had, true);
		if (n < 0)
			return -1;
		if (memchr(to->data + to->len - n, '\0', (size_t)n) != NULL) {
			errno = EILSEQ;
			return -1;
		}
		if (to->data[to->len - 1] == '\n')
			return 0;
	}
}

int
wire_exact(struct wire *w, struct buf *to, size_t n)
{
	while (n > 0) {
		ssize_t got = take(w, to, n, false);

		if (got < 0)
			return -1;
		n -= (size_t)got;
	}
	return 0;
}

int
wire_text(struct wire *w, const char *text)
{
	size_t n = strlen(text);

	if (w->out.len + n > w->out.max && wire_flush(w) < 0)
		return -1;
	return buf_add(&w->out, text, n);
}

int
wire_printf(struct wire *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text) {
		errno = E2BIG;
		return -1;
	}
	return wire_text(w, text);
}

static ssize_t
try_output(struct wire *w)
{
	if (w->tls != NULL)
		return tls_write(w->tls, w->out.data, w->out.len);
	return send(w->fd, w->out.data, w->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
wire_flush(struct wire *w)
{
	while (w->out.len > 0) {
		ssize_t n = try_output(w);

		if (n > 0)
			buf_consume(&w->out, (size_t)n);
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		else if (wire_wait(w, w->tls != NULL ? tls_wants(w->tls)
		    : POLLOUT) < 0)
			return -1;
	}
	return 0;
}

/*
 * Input that nobody will read makes the kernel answer with a reset, which can
 * overtake the last answer; so it is read, for a moment, and forgotten.
 */
static void
linger(struct wire *w)
{
	unsigned char dropped[CHUNK];
	size_t total = 0;
	ssize_t n = 1;

	w->deadline = clock_ms() + LINGER_MS;
	while (n > 0 && total < LINGER_MAX) {
		if (wire_wait(w, POLLIN) < 0)
			break;
		n = recv(w->fd, dropped, sizeof dropped, MSG_DONTWAIT);
		total += n > 0 ? (size_t)n : 0;
	}
	explicit_bzero(dropped, sizeof dropped);
}

void
wire_close(struct wire *w)
{
	w->deadline = clock_ms() + GOODBYE_MS;
	w->conn = -1;
	if (wire_flush(w) == 0 && w->tls != NULL)
		tls_close(w->tls);
	if (shutdown(w->fd, SHUT_WR) == 0)
		linger(w);
}
