/*
 * Fixed-size messages between conn and login.
 * Runs as: root (conn) and _mailreeve (login).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"

static int
wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		int ms = deadline == 0 ? -1
		    : now >= deadline ? 0 : (int)(deadline - now);
		int r = poll(&p, 1, ms);

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -1;
		if (r == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

int
chan_send(int fd, const void *msg, size_t n, uint64_t deadline)
{
	const unsigned char *p = msg;

	while (n > 0) {
		ssize_t done;

		if (wait_for(fd, POLLOUT, deadline) < 0)
			return -1;
		done = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

int
chan_recv(int fd, void *msg, size_t n, uint64_t deadline)
{
	unsigned char *p = msg;
	size_t have = 0;

	while (have < n) {
		ssize_t got;

		if (wait_for(fd, POLLIN, deadline) < 0)
			return -1;
		got = recv(fd, p + have, n - have, MSG_DONTWAIT);
		if (got == 0) {
			errno = have == 0 ? EPIPE : EPROTO;
			return -1;
		}
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (got > 0)
			have += (size_t)got;
	}
	return 0;
}

int
chan_put(struct chan_text *t, struct bytes b)
{
	if (b.n > sizeof t->p) {
		errno = E2BIG;
		return -1;
	}
	if (b.n > 0)
		memcpy(t->p, b.p, b.n);
	t->n = (uint16_t)b.n;
	return 0;
}

bool
chan_get(const struct chan_text *t, struct bytes *b)
{
	if (t->n > sizeof t->p)
		return false;
	*b = bytes_make(t->p, t->n);
	return true;
}
