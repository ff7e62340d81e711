/*
 * The client's socket and whom it belongs to.
 * Runs as: root.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "control.h"

/*
 * The socket may come from anywhere, with any flags; failures of these options
 * (a unix socket has none of TCP's) cost nothing but comfort.
 */
static int
take(struct conn *c, int fd)
{
	int flags, on = 1;

	if (netaddr_peer(fd, &c->remote) < 0 || netaddr_local(fd, &c->local) < 0
	    || (flags = fcntl(fd, F_GETFL)) < 0
	    || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->client = fd;
	return 0;
}

/*
 * Moves the client away from 0 and 1: what PAM's modules print or read there
 * is not to meet it.
 */
int
client_from_stdin(struct conn *c)
{
	int null, fd = fcntl(CLIENT_IN_FD, F_DUPFD_CLOEXEC, CONTROL_FD + 1);

	if (fd < 0 || take(c, fd) < 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, CLIENT_IN_FD) < 0
	    || dup2(null, CLIENT_OUT_FD) < 0)
		return -1;
	close(null);
	return 0;
}

/* Waits until mailreeved or login says something or goes away. */
static int
wait_for_master(const struct conn *c)
{
	struct pollfd p[2] = {
		{ .fd = c->control, .events = POLLIN },
		{ .fd = c->chan, .events = 0 },		/* POLLHUP comes unasked */
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -1;
	if (p[1].revents != 0) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}

int
client_from_master(struct conn *c)
{
	static const struct control_question ready = { .kind = CONTROL_READY };
	struct control_client msg;
	int fd;

	if (chan_send(c->control, &ready, sizeof ready,
	    clock_ms() + CONN_LINGER_MS) < 0 || wait_for_master(c) < 0
	    || chan_recv_fd(c->control, &msg, sizeof msg, &fd, 0) < 0)
		return -1;
	if (msg.service >= SERVICES) {
		close(fd);
		errno = EPROTO;
		return -1;
	}
	c->service = msg.service;
	return take(c, fd);
}

/* What the peer may say of whom it speaks for: chan_flags, before it did. */
static uint32_t
may_speak_for_others(const struct conn *c)
{
	if (c->proxy.family != 0)
		return 0;
	return netaddr_in(&c->remote, bytes_of(c->conf.trusted_proxies))
	    ? CHAN_PEER_PROXY
	    : netaddr_in(&c->remote, bytes_of(c->conf.trusted_xclient))
	    ? CHAN_PEER_XCLIENT : 0;
}

uint32_t
client_flags(const struct conn *c)
{
	uint32_t flags = may_speak_for_others(c);
	bool loop = netaddr_loopback(&c->remote);

	/* Another host's loopback, of which a proxy there tells, is not ours. */
	if (c->proxy.family != 0 ? loop && netaddr_loopback(&c->proxy)
	    : loop || netaddr_same(&c->remote, &c->local))
		flags |= CHAN_PEER_LOCAL;
	return flags;
}

int
client_proxied(struct conn *c, struct bytes source, struct bytes port,
    struct bytes destination)
{
	struct netaddr from, to = c->local;

	if (may_speak_for_others(c) == 0) {
		errno = EPERM;
		return -1;
	}
	if (port.n != 2 || netaddr_raw(source, &from) < 0
	    || (destination.n > 0 && netaddr_raw(destination, &to) < 0)) {
		errno = EINVAL;
		return -1;
	}
	from.port = (uint16_t)(port.p[0] << 8 | port.p[1]);
	c->proxy = c->remote;
	c->remote = from;
	c->local = to;
	return 0;
}

bool
client_counts(struct conn *c, uint32_t kind, uid_t uid)
{
	struct control_question q = { .kind = kind, .uid = uid,
	    .address = c->remote };
	struct control_answer a;
	uint64_t deadline = clock_ms() + CONN_LINGER_MS;

	if (c->control < 0)
		return true;
	if (chan_send_fd(c->control, &q, sizeof q, c->login, deadline) < 0
	    || chan_recv(c->control, &a, sizeof a, deadline) < 0) {
		/* A master that is gone counts nobody: people still get in. */
		log_warn("session=%s no answer from mailreeved", c->session);
		return true;
	}
	return a.allowed == 1;
}
