/*
 * Fixed-size messages between conn and login.
 * Runs as: root (conn) and _mailreeve (login).
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"

static int
time_left(uint64_t deadline)
{
	uint64_t now = clock_ms();

	if (deadline == 0)
		return -1;
	if (now >= deadline)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

static int
wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int r = poll(&p, 1, time_left(deadline));

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

/* Nearly always there is room: it is waited for only when there was none. */
static bool
goes_on(int fd, uint64_t deadline)
{
	return errno == EINTR
	    || (errno == EAGAIN && wait_for(fd, POLLOUT, deadline) == 0);
}

int
chan_send(int fd, const void *msg, size_t n, uint64_t deadline)
{
	const unsigned char *p = msg;

	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done < 0 && !goes_on(fd, deadline))
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

/* Room for one descriptor in a message's control part. */
union one_fd {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

int
chan_send_fd(int fd, const void *msg, size_t n, int pass, uint64_t deadline)
{
	struct iovec v = { (void *)(uintptr_t)msg, n };
	union one_fd control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t done;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof pass);
	memcpy(CMSG_DATA(c), &pass, sizeof pass);
	do
		done = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && goes_on(fd, deadline));
	if (done < 0)
		return -1;
	return chan_send(fd, (const char *)msg + done, n - (size_t)done, deadline);
}

/* The descriptor in m, or -1. The kernel put in no more than there is room for. */
static int
attached(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS
	    || c->cmsg_len != CMSG_LEN(sizeof fd))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

int
chan_recv_any(int fd, void *msg, size_t n, int *passed, uint64_t deadline)
{
	struct iovec v = { msg, n };
	union one_fd control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t got;
	int error;

	*passed = -1;
	do {
		if (wait_for(fd, POLLIN, deadline) < 0)
			return -1;
		got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return -1;
	if (got == 0) {
		errno = EPIPE;
		return -1;
	}
	*passed = attached(&m);
	if ((size_t)got == n
	    || chan_recv(fd, (char *)msg + got, n - (size_t)got, deadline) == 0)
		return 0;
	error = errno;
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	errno = error == EPIPE ? EPROTO : error;
	return -1;
}

int
chan_recv_fd(int fd, void *msg, size_t n, int *passed, uint64_t deadline)
{
	if (chan_recv_any(fd, msg, n, passed, deadline) < 0)
		return -1;
	if (*passed >= 0)
		return 0;
	errno = EPROTO;
	return -1;
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

bool
chan_string(const struct chan_text *t, char *out, size_t max)
{
	struct bytes b;

	if (!chan_get(t, &b) || b.n > max || bytes_find(b, '\0') >= 0)
		return false;
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	return true;
}

static bool
is_sound(const struct chan_req *q)
{
	struct bytes b;

	return q->tls <= 1 && chan_get(&q->user, &b) && chan_get(&q->authzid, &b)
	    && chan_get(&q->secret, &b) && chan_get(&q->tag, &b)
	    && chan_get(&q->client, &b);
}

bool
chan_allowed(const struct chan_req *q, const struct chan_rule *r, unsigned done)
{
	if (r->once && (done & CHAN_BIT(q->type)) != 0)
		return false;
	return is_sound(q) && q->follow <= r->follow
	    && (done & r->after) == r->after && (done & r->before) == 0;
}
