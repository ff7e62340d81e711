/*
 * Network addresses of peers, and the lists of them in the configuration.
 * Runs as: root (master, conn).
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdio.h>

#include "netaddr.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* An IPv4 address in IPv6 clothes becomes what it is. */
static void
unmap(struct netaddr *a)
{
	if (a->family != AF_INET6 || memcmp(a->ip, mapped, sizeof mapped) != 0)
		return;
	a->family = AF_INET;
	memmove(a->ip, a->ip + 12, 4);
	memset(a->ip + 4, 0, 12);
}

static int
from_sockaddr(const struct sockaddr_storage *ss, struct netaddr *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

	*out = (struct netaddr){ .family = ss->ss_family };
	switch (ss->ss_family) {
	case AF_INET:
		memcpy(out->ip, &v4->sin_addr, 4);
		out->port = ntohs(v4->sin_port);
		return 0;
	case AF_INET6:
		memcpy(out->ip, &v6->sin6_addr, 16);
		out->port = ntohs(v6->sin6_port);
		unmap(out);
		return 0;
	case AF_UNIX:
		return 0;
	default:
		errno = EAFNOSUPPORT;
		return -1;
	}
}

int
netaddr_peer(int fd, struct netaddr *out)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	if (getpeername(fd, (struct sockaddr *)&ss, &n) < 0)
		return -1;
	return from_sockaddr(&ss, out);
}

int
netaddr_local(int fd, struct netaddr *out)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
		return -1;
	return from_sockaddr(&ss, out);
}

int
netaddr_raw(struct bytes raw, struct netaddr *out)
{
	*out = (struct netaddr){ .family = raw.n == 4 ? AF_INET : AF_INET6 };
	if (raw.n != 4 && raw.n != 16) {
		errno = EINVAL;
		return -1;
	}
	memcpy(out->ip, raw.p, raw.n);
	unmap(out);
	return 0;
}

socklen_t
netaddr_sockaddr(const struct netaddr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof *out);
	out->ss_family = (sa_family_t)a->family;
	if (a->family == AF_INET) {
		memcpy(&v4->sin_addr, a->ip, 4);
		v4->sin_port = htons(a->port);
		return sizeof *v4;
	}
	memcpy(&v6->sin6_addr, a->ip, 16);
	v6->sin6_port = htons(a->port);
	return sizeof *v6;
}

void
netaddr_text(const struct netaddr *a, char out[NETADDR_TEXT_MAX])
{
	if (a->family == AF_UNIX
	    || inet_ntop(a->family, a->ip, out, NETADDR_TEXT_MAX) == NULL)
		snprintf(out, NETADDR_TEXT_MAX, "local");
}

void
netaddr_text_port(const struct netaddr *a, char out[NETADDR_TEXT_MAX])
{
	char ip[NETADDR_TEXT_MAX];

	netaddr_text(a, ip);
	snprintf(out, NETADDR_TEXT_MAX, a->family == AF_INET6 ? "[%.45s]:%u"
	    : "%.45s:%u", ip, (unsigned)a->port);
}

bool
netaddr_same(const struct netaddr *a, const struct netaddr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool
netaddr_loopback(const struct netaddr *a)
{
	static const unsigned char one[16] = { [15] = 1 };

	return a->family == AF_UNIX || (a->family == AF_INET && a->ip[0] == 127)
	    || (a->family == AF_INET6 && memcmp(a->ip, one, sizeof one) == 0);
}

struct netaddr
netaddr_network(const struct netaddr *a)
{
	struct netaddr n = *a;

	n.port = 0;
	if (n.family == AF_INET6)
		memset(n.ip + 8, 0, 8);
	return n;
}

static bool
is_separator(unsigned char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* The next item of a list; empty at its end. */
static struct bytes
next_item(struct bytes *list)
{
	struct bytes item;
	size_t n = 0;

	while (list->n > 0 && is_separator(list->p[0]))
		*list = bytes_from(*list, 1);
	while (n < list->n && !is_separator(list->p[n]))
		n++;
	item = bytes_first(*list, n);
	*list = bytes_from(*list, n);
	return item;
}

static int
parse_ip(struct bytes text, struct netaddr *out)
{
	char s[INET6_ADDRSTRLEN + 1];

	*out = (struct netaddr){ .family = AF_INET };
	if (text.n == 0 || text.n >= sizeof s)
		return -1;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	if (inet_pton(AF_INET, s, out->ip) == 1)
		return 0;
	out->family = AF_INET6;
	return inet_pton(AF_INET6, s, out->ip) == 1 ? 0 : -1;
}

static int
parse_network(struct bytes text, struct netaddr *net, uint64_t *bits)
{
	struct bytes ip = bytes_split(&text, '/');

	if (parse_ip(ip, net) < 0)
		return -1;
	*bits = net->family == AF_INET ? 32 : 128;
	return text.n == 0 ? 0 : bytes_number(text, *bits, bits);
}

static bool
in_network(const struct netaddr *a, const struct netaddr *net, uint64_t bits)
{
	size_t whole = (size_t)bits / 8, rest = (size_t)bits % 8;

	return a->family == net->family && memcmp(a->ip, net->ip, whole) == 0
	    && (rest == 0
	    || (a->ip[whole] ^ net->ip[whole]) >> (8 - rest) == 0);
}

bool
netaddr_in(const struct netaddr *a, struct bytes networks)
{
	struct bytes item;
	struct netaddr net;
	uint64_t bits;

	while ((item = next_item(&networks)).n > 0)
		if (parse_network(item, &net, &bits) == 0
		    && in_network(a, &net, bits))
			return true;
	return false;
}

int
netaddr_networks_check(struct bytes networks, struct buf *why)
{
	struct bytes item;
	struct netaddr net;
	uint64_t bits;

	while ((item = next_item(&networks)).n > 0)
		if (parse_network(item, &net, &bits) < 0) {
			buf_text(why, "give addresses or networks such as "
			    "192.0.2.1 or 2001:db8::/32");
			return -1;
		}
	return 0;
}

/* Cuts item into host and port; the host may stand in brackets. */
static int
parse_place(struct bytes item, struct bytes *host, uint16_t *port)
{
	size_t colon = item.n;
	uint64_t number;

	while (colon > 0 && item.p[colon - 1] != ':')
		colon--;
	if (colon == 0
	    || bytes_number(bytes_from(item, colon), UINT16_MAX, &number) < 0
	    || number == 0)
		return -1;
	*port = (uint16_t)number;
	*host = bytes_first(item, colon - 1);
	if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
		*host = bytes_make(host->p + 1, host->n - 2);
	else if (bytes_find(*host, ':') >= 0)
		return -1;
	return 0;
}

static int
add_place(struct bytes item, struct netaddr out[NETADDR_LISTEN_MAX], int n)
{
	struct bytes host;
	uint16_t port;
	bool any;

	if (parse_place(item, &host, &port) < 0)
		return -1;
	any = bytes_equal(host, BYTES("*"));
	if (n + (any ? 2 : 1) > NETADDR_LISTEN_MAX)
		return -1;
	if (!any) {
		if (parse_ip(host, &out[n]) < 0)
			return -1;
		out[n].port = port;
		return n + 1;
	}
	out[n] = (struct netaddr){ .family = AF_INET6, .port = port };
	out[n + 1] = (struct netaddr){ .family = AF_INET, .port = port };
	return n + 2;
}

int
netaddr_listen(struct bytes list, struct netaddr out[NETADDR_LISTEN_MAX],
    struct buf *why)
{
	struct bytes item;
	int n = 0;

	if (bytes_equal(list, BYTES("none")))
		return 0;
	while (n >= 0 && (item = next_item(&list)).n > 0)
		n = add_place(item, out, n);
	if (n <= 0) {
		buf_printf(why, "give none, or up to %d of *:143, 192.0.2.1:143 "
		    "or [2001:db8::1]:143", NETADDR_LISTEN_MAX / 2);
		return -1;
	}
	return n;
}
