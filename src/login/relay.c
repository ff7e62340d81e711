/*
 * The relay between a TLS client and its session.
 * Runs as: _mailreeve.
 *
 * Each direction is a buffer that is either being filled or being emptied. A
 * direction whose buffer is not yet empty takes nothing more, so that a slow
 * reader slows its writer and memory stays what it is. Where less came than there
 * was room for, nothing is left: poll() is asked before the next attempt.
 */
#include <poll.h>
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>

#include "clock.h"
#include "log.h"
#include "relay.h"
#include "release.h"
#include "snapshot.h"

#define UP_SIZE ((size_t)16384)		/* client to session: one record */
#define DOWN_SIZE ((size_t)65536)	/* session to client: four records */
#define SETTLE_MS 1000			/* so long without traffic is idle */

/* On pages of their own, so that the memory goes back while nothing passes. */
static _Alignas(4096) struct {
	unsigned char up[UP_SIZE];
	unsigned char down[DOWN_SIZE];
} memory;

struct direction {
	unsigned char *data;
	size_t size;
	size_t from, to;		/* what waits to be sent */
	bool ended;			/* the source has ended */
	bool told;			/* and the destination knows */
};

struct relay {
	struct tls *tls;
	int client, session;
	struct direction up, down;
	short read_wants, write_wants;	/* of TLS, 0: may be tried */
	bool session_idle;		/* had nothing more to say */
	uint64_t write_timeout, write_deadline;
	bool broken;
};

static bool
empty(const struct direction *d)
{
	return d->from == d->to;
}

static bool
again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* --- one attempt each: true when something moved --- */

static bool
client_in(struct relay *r)
{
	ssize_t n;

	if (!empty(&r->up) || r->up.ended || r->read_wants != 0)
		return false;
	n = tls_read(r->tls, r->up.data, r->up.size, false);
	if (n > 0) {
		r->up.from = 0;
		r->up.to = (size_t)n;
		if (!tls_pending(r->tls))
			r->read_wants = POLLIN;
		return true;
	}
	if (n < 0 && errno == EAGAIN) {
		r->read_wants = tls_wants(r->tls);
		return false;
	}
	/* Half closed, or gone: the session is told the same way. */
	r->up.ended = true;
	return true;
}

static bool
session_out(struct relay *r)
{
	struct direction *d = &r->up;
	ssize_t n;

	if (empty(d)) {
		if (!d->ended || d->told)
			return false;
		d->told = true;
		shutdown(r->session, SHUT_WR);
		return true;
	}
	n = send(r->session, d->data + d->from, d->to - d->from,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && again())
		return false;
	if (n < 0) {
		/* Nobody reads any more; what it said last still goes out. */
		d->from = d->to = 0;
		d->ended = d->told = true;
		return true;
	}
	d->from += (size_t)n;
	return true;
}

static bool
session_in(struct relay *r)
{
	struct direction *d = &r->down;
	ssize_t n;

	if (!empty(d) || d->ended || r->session_idle)
		return false;
	n = recv(r->session, d->data, d->size, MSG_DONTWAIT);
	r->session_idle = n < (ssize_t)d->size;
	if (n < 0 && again())
		return false;
	d->ended = n <= 0;
	d->from = 0;
	d->to = n > 0 ? (size_t)n : 0;
	r->write_deadline = clock_ms() + r->write_timeout;
	return true;
}

static bool
client_out(struct relay *r)
{
	struct direction *d = &r->down;
	ssize_t n;

	if (empty(d) || r->write_wants != 0)
		return false;
	n = tls_write(r->tls, d->data + d->from, d->to - d->from);
	if (n > 0) {
		d->from += (size_t)n;
		return true;
	}
	if (errno == EAGAIN)
		r->write_wants = tls_wants(r->tls);
	else
		r->broken = true;
	return false;
}

/* --- waiting --- */

static void
events(const struct relay *r, struct pollfd p[2])
{
	p[0] = (struct pollfd){ .fd = r->client, .events = r->write_wants };
	if (empty(&r->up) && !r->up.ended)
		p[0].events |= r->read_wants;
	p[1] = (struct pollfd){ .fd = r->session };
	if (!empty(&r->up))
		p[1].events |= POLLOUT;
	if (empty(&r->down) && !r->down.ended)
		p[1].events |= POLLIN;
	/* An end that was seen already would wake poll() for ever. */
	if (p[0].events == 0)
		p[0].fd = -1;
	if (p[1].events == 0)
		p[1].fd = -1;
}

/* How long to wait, -1 for ever; false: the client's time is over. */
static bool
patience(const struct relay *r, bool settled, int *ms)
{
	uint64_t now = clock_ms();

	*ms = settled ? -1 : SETTLE_MS;
	if (empty(&r->down))
		return true;
	if (now >= r->write_deadline)
		return false;
	*ms = (int)(r->write_deadline - now);
	return true;
}

/* 0, or -1: the end. */
static int
await(struct relay *r)
{
	struct pollfd p[2];
	bool settled = false;
	int n, ms;

	events(r, p);
	for (;;) {
		if (!patience(r, settled, &ms))
			return -1;
		n = poll(p, 2, ms);
		if (n > 0)
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0 && !settled && empty(&r->up) && empty(&r->down)) {
			release_memory(&memory, sizeof memory);
			snapshot_return();
		}
		settled = n == 0;
	}
	if (p[0].revents != 0)
		r->read_wants = r->write_wants = 0;
	if (p[1].revents != 0)
		r->session_idle = false;
	return 0;
}

void
relay(struct tls *t, int client, int session, uint64_t write_timeout)
{
	struct relay r = {
		.tls = t, .client = client, .session = session,
		.up = { .data = memory.up, .size = UP_SIZE },
		.down = { .data = memory.down, .size = DOWN_SIZE },
		.write_timeout = write_timeout,
	};

	/*
	 * systemd ends what a session leaves behind: not before the client has the
	 * session's last words.
	 */
	signal(SIGTERM, SIG_IGN);
	tls_relax(t);
	while (!r.broken && !(r.down.ended && empty(&r.down))) {
		bool moved = client_in(&r);

		moved |= session_out(&r);
		moved |= session_in(&r);
		moved |= client_out(&r);
		if (!moved && !r.broken && await(&r) < 0)
			break;
	}
}
