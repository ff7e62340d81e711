/*
 * Network addresses of peers, and the lists of them in the configuration.
 *
 * An IPv4 address that came through an IPv6 socket is an IPv4 address here.
 */
#ifndef NETADDR_H
#define NETADDR_H

#include <sys/socket.h>

#include "buf.h"

struct netaddr {
	int family;			/* AF_INET, AF_INET6; AF_UNIX: this host */
	unsigned char ip[16];		/* network order; AF_INET uses four */
	uint16_t port;
};

#define NETADDR_TEXT_MAX 64
#define NETADDR_LISTEN_MAX 16		/* addresses of one service */

/* Both ends of a connected stream socket: 0, or -1 with errno. */
int netaddr_peer(int fd, struct netaddr *out);
int netaddr_local(int fd, struct netaddr *out);

/* 4 or 16 raw bytes: 0, or -1 with EINVAL. The port is 0. */
int netaddr_raw(struct bytes raw, struct netaddr *out);

/* For system calls; returns the length. */
socklen_t netaddr_sockaddr(const struct netaddr *a, struct sockaddr_storage *out);

/* "192.0.2.1", "2001:db8::1" or "local". */
void netaddr_text(const struct netaddr *a, char out[NETADDR_TEXT_MAX]);
/* With the port: "192.0.2.1:1234", "[2001:db8::1]:1234" or "local:0". */
void netaddr_text_port(const struct netaddr *a, char out[NETADDR_TEXT_MAX]);

/* Equal but for the port. */
bool netaddr_same(const struct netaddr *a, const struct netaddr *b);

bool netaddr_loopback(const struct netaddr *a);

/* What counts as one client: the address, of IPv6 its /64; port 0. */
struct netaddr netaddr_network(const struct netaddr *a);

/*
 * A list of networks, "192.0.2.0/24 2001:db8::/32 192.0.2.7", separated by
 * spaces or commas. netaddr_networks_check() is for the configuration: 0, or
 * -1 with the cure in why.
 */
bool netaddr_in(const struct netaddr *a, struct bytes networks);
int netaddr_networks_check(struct bytes networks, struct buf *why);

/*
 * Where to listen: "none", or a list of ADDRESS:PORT with [IPv6]:PORT and *
 * for every address of both families. Returns how many were put into out, or
 * -1 with the cure in why.
 */
int netaddr_listen(struct bytes list, struct netaddr out[NETADDR_LISTEN_MAX],
    struct buf *why);

#endif
