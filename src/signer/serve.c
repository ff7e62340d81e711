/*
 * Serves links: each has its limits, and none is waited for.
 * Runs as: _mailreeve.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "control.h"
#include "log.h"
#include "signer.h"
#include "witness.h"

#define LINKS_MAX 4096

struct link {
	unsigned asked[SIGN_REQUEST_END];
	bool signed_one;
	unsigned char witness[WITNESS_SIZE];	/* of it */
};

/* The door is the first. */
static struct pollfd fds[LINKS_MAX + 1];
static struct link links[LINKS_MAX + 1];
static nfds_t n;
static struct {
	int fd;
	uint32_t n;
} published;

static const unsigned limits[SIGN_REQUEST_END] = {
	[SIGN_CHAIN] = SIGN_CHAINS_MAX, [SIGN_SIGN] = SIGN_SIGNATURES_MAX,
	[SIGN_TICKET] = SIGN_TICKETS_MAX, [SIGN_SIGNED] = SIGN_SIGNED_MAX,
};

static void
open_link(int fd)
{
	if (n > LINKS_MAX) {
		log_warn("%d connections wait for signatures: one more is refused",
		    LINKS_MAX);
		close(fd);
		return;
	}
	fds[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	links[n] = (struct link){ .signed_one = false };
	n++;
}

static void
close_link(nfds_t i)
{
	close(fds[i].fd);
	n--;
	fds[i] = fds[n];
	links[i] = links[n];
}

/* And remembers it. */
static int
sign_one(struct link *l, const struct keys *k, const struct sign_req *q,
    struct sign_rep *rep)
{
	if (sign(k, q, rep) < 0)
		return -1;
	l->signed_one = witness_make(q->scheme, bytes_make(q->p, q->n),
	    bytes_make(rep->p, rep->n), l->witness) == 0;
	return 0;
}

static int
tell_signed(const struct link *l, struct sign_rep *rep)
{
	if (!l->signed_one)
		return -1;
	memcpy(rep->p, l->witness, sizeof l->witness);
	rep->n = sizeof l->witness;
	return 0;
}

/* 0, or -1: there is no good answer. */
static int
answer(struct link *l, const struct keys *k, const struct sign_req *q,
    struct sign_rep *rep)
{
	switch (q->type) {
	case SIGN_CHAIN:
		rep->n = published.n;
		return 0;
	case SIGN_SIGN:
		return sign_one(l, k, q, rep);
	case SIGN_SIGNED:
		return tell_signed(l, rep);
	default:
		return tickets_derive(q, rep);
	}
}

/* 0, or -1: hang up. */
static int
serve_link(nfds_t i, const struct keys *k)
{
	struct sign_rep rep = { 0 };
	struct sign_req q;
	ssize_t got = recv(fds[i].fd, &q, sizeof q, MSG_DONTWAIT | MSG_TRUNC);
	int r;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != sizeof q)
		return -1;
	if (q.type == 0 || q.type >= SIGN_REQUEST_END
	    || links[i].asked[q.type]++ >= limits[q.type]) {
		log_warn("login asked the signer for %u out of turn: hanging up",
		    (unsigned)q.type);
		return -1;
	}
	rep.type = q.type;
	rep.good = answer(&links[i], k, &q, &rep) == 0;
	r = q.type == SIGN_CHAIN
	    ? chan_send_fd(fds[i].fd, &rep, sizeof rep, published.fd, clock_ms())
	    : chan_send(fds[i].fd, &rep, sizeof rep, clock_ms());
	explicit_bzero(&rep, sizeof rep);
	return r;
}

/*
 * False when nobody can come any more. A starter that went without having heard
 * that we are ready resets the door: once, before what it sent.
 */
static bool
open_door(void)
{
	char word;
	int fd;

	if (chan_recv_fd(fds[0].fd, &word, sizeof word, &fd, clock_ms()) < 0)
		return errno == ETIMEDOUT || errno == EPROTO || errno == ECONNRESET;
	open_link(fd);
	return true;
}

void
serve(const struct keys *k, int chain, size_t chain_size)
{
	bool open = true;

	published.fd = chain;
	published.n = (uint32_t)chain_size;
	fds[0] = (struct pollfd){ .fd = DOOR_FD, .events = POLLIN };
	n = 1;
	while (open || n > 1) {
		fds[0].fd = open ? DOOR_FD : -1;
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			return;
		if (open && fds[0].revents != 0)
			open = open_door();
		for (nfds_t i = n - 1; i > 0; i--)
			if (fds[i].revents != 0 && serve_link(i, k) < 0)
				close_link(i);
	}
}
