/*
 * The listening sockets: opened here, or inherited.
 * Runs as: root.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "log.h"
#include "master.h"

#define BACKLOG 1024

/* Inherited descriptors are moved from here on, out of the way of our own. */
#define INHERITED_BASE 64

static int
fail(struct buf *why, const char *what, const char *at)
{
	buf_printf(why, "%s %s: %s", at, what, strerror(errno));
	return -1;
}

/*
 * While it is on, 127.0.0.1:143 may be bound beside an old *:143 of ours, and
 * the other way round. Off again, nobody else may join.
 */
static void
share_ports(const struct listeners *l, int on)
{
	for (size_t i = 0; i < l->n; i++)
		(void)setsockopt(l->v[i].fd, SOL_SOCKET, SO_REUSEPORT, &on,
		    sizeof on);
}

static int
open_socket(const struct netaddr *at, bool beside_old)
{
	int fd, on = 1;

	fd = socket(at->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (beside_old)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	/* * is two sockets: what the system thinks of mixing them is all one. */
	if (at->family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	return fd;
}

static int
open_listener(const struct netaddr *at, bool beside_old)
{
	struct sockaddr_storage ss;
	socklen_t n = netaddr_sockaddr(at, &ss);
	int error, fd = open_socket(at, beside_old);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&ss, n) == 0
	    && listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static struct listener *
find(struct listeners *l, enum service service, const struct netaddr *at)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].service == service
		    && l->v[i].at.port == at->port && netaddr_same(&l->v[i].at, at))
			return &l->v[i];
	return NULL;
}

/* * on a host without IPv6 is IPv4 alone. */
static bool
is_absent_family(const struct netaddr *at)
{
	static const unsigned char any[16];

	return at->family == AF_INET6 && memcmp(at->ip, any, sizeof any) == 0
	    && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

static int
open_one(struct listeners *l, struct listeners *from, enum service service,
    const struct netaddr *at, struct buf *why)
{
	struct listener *old = find(from, service, at);
	int fd = old != NULL ? old->fd : open_listener(at, from->n > 0);
	char text[NETADDR_TEXT_MAX];

	if (fd < 0 && is_absent_family(at))
		return 0;
	netaddr_text_port(at, text);
	if (fd < 0)
		return fail(why, text, service_facts[service].name);
	l->v[l->n++] = (struct listener){ fd, service, *at };
	return 0;
}

static int
open_service(struct listeners *l, struct listeners *from, enum service service,
    const char *list, struct buf *why)
{
	struct netaddr places[NETADDR_LISTEN_MAX];
	int n = netaddr_listen(bytes_of(list), places, why);

	for (int i = 0; i < n; i++)
		if (open_one(l, from, service, &places[i], why) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* Closes what one has and the other has not. */
static void
close_others(struct listeners *one, struct listeners *other)
{
	for (size_t i = 0; i < one->n; i++)
		if (find(other, one->v[i].service, &one->v[i].at) == NULL)
			close(one->v[i].fd);
	one->n = 0;
}

static int
open_all(struct listeners *l, struct listeners *from, const struct config *conf,
    struct buf *why)
{
	const char *const lists[SERVICES] = {
		[SERVICE_IMAP] = conf->imap_listen, [SERVICE_IMAPS] = conf->imaps_listen,
		[SERVICE_POP3] = conf->pop3_listen, [SERVICE_POP3S] = conf->pop3s_listen,
	};

	for (enum service s = 0; s < SERVICES; s++)
		if (open_service(l, from, s, lists[s], why) < 0)
			return -1;
	if (l->n > 0)
		return 0;
	buf_text(why, "nothing to listen on: every *-listen is none");
	return -1;
}

int
listeners_open(struct listeners *l, struct listeners *from,
    const struct config *conf, struct buf *why)
{
	int r;

	*l = (struct listeners){ .n = 0 };
	share_ports(from, 1);
	r = open_all(l, from, conf, why);
	share_ports(from, 0);
	if (r < 0) {
		close_others(l, from);
		return -1;
	}
	close_others(from, l);
	share_ports(l, 0);
	return 0;
}

/* A descriptor that somebody else made listen. */
static int
adopt(struct listeners *l, int fd, enum service service, struct buf *why)
{
	int on = 0, flags = fcntl(fd, F_GETFL);
	socklen_t n = sizeof on;
	struct netaddr at;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) < 0 || on == 0) {
		buf_printf(why, "descriptor %d is no listening socket: for a "
		    "connected one the program is " LIBEXECDIR "/conn", fd);
		return -1;
	}
	if (netaddr_local(fd, &at) < 0 || flags < 0
	    || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return fail(why, "cannot be used", service_facts[service].name);
	l->v[l->n++] = (struct listener){ fd, service, at };
	l->inherited = true;
	return 0;
}

/* The service of an inherited socket: by its name, else by its port. */
static int
service_of(int fd, struct bytes name, enum service *out)
{
	char text[16] = "";
	struct netaddr at;

	if (name.n < sizeof text)
		memcpy(text, name.p, name.n);
	if (service_by_name(text, out) == 0)
		return 0;
	return netaddr_local(fd, &at) < 0 ? -1 : service_by_port(at.port, out);
}

static int
adopt_named(struct listeners *l, int fd, struct bytes name, struct buf *why)
{
	enum service service;

	if (service_of(fd, name, &service) < 0) {
		buf_text(why, "a socket was handed over with neither a known name nor "
		    "a known port: FileDescriptorName=imap, imaps, pop3 or pop3s");
		return -1;
	}
	return adopt(l, fd, service, why);
}

int
listeners_inherit(struct listeners *l, int n, const char *names, struct buf *why)
{
	struct bytes rest = names == NULL ? BYTES("") : bytes_of(names);

	*l = (struct listeners){ .n = 0 };
	for (int i = 0; i < n; i++) {
		int fd = fcntl(CHANNEL_FD + i, F_DUPFD_CLOEXEC, INHERITED_BASE);

		if (fd < 0 || l->n == LISTENERS_MAX)
			return fail(why, "cannot be kept", "inherited socket");
		close(CHANNEL_FD + i);
		if (adopt_named(l, fd, bytes_split(&rest, ':'), why) < 0)
			return -1;
	}
	return 0;
}

int
listeners_from_inetd(struct listeners *l, const char *name, struct buf *why)
{
	enum service service;
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, INHERITED_BASE);

	*l = (struct listeners){ .n = 0 };
	if (service_by_name(name, &service) < 0) {
		buf_printf(why, "-i %.16s: give imap, imaps, pop3 or pop3s", name);
		return -1;
	}
	if (fd < 0)
		return fail(why, "cannot be kept", "standard input");
	return adopt(l, fd, service, why);
}

void
listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->v[i].fd);
	l->n = 0;
}
