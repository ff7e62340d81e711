/*
 * A client behind a proxy.
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "ask.h"
#include "proxied.h"
#include "proxyheader.h"

/* PROXY_DONE, PROXY_BAD, or PROXY_MORE: no more came, errno. */
static enum proxy_result
read_header(struct login *l, struct proxy_header *h)
{
	struct buf head = BUF_INIT(2 * PROXY_HEADER_MAX);
	enum proxy_result r;
	size_t more;

	do
		r = proxy_header(buf_contents(&head), h, &more);
	while (r == PROXY_MORE && wire_exact(&l->wire, &head, more) == 0);
	buf_free(&head);
	return r;
}

enum ending
proxied_by(struct login *l, const struct proxy_header *h)
{
	if (!h->client)
		return END_QUIET;
	switch (ask_proxy(l, h)) {
	case CHAN_OK:
		return END_QUIET;
	case CHAN_LIMIT:
		return END_LIMIT;
	default:
		return END_UNAVAILABLE;
	}
}

enum ending
proxied(struct login *l, bool *heard)
{
	struct proxy_header h;

	*heard = true;
	switch (read_header(l, &h)) {
	case PROXY_MORE:
		*heard = errno == ETIMEDOUT;
		return *heard ? login_ending(l, errno) : END_TIMEOUT;
	case PROXY_BAD:
		login_complain(l, "PROXY-header");
		return END_GARBAGE;
	default:
		break;
	}
	l->proxy_tls = h.tls;
	return proxied_by(l, &h);
}
