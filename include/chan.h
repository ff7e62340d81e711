/*
 * Messages between the connection process (conn) and login: mailreeve-privsep(7).
 *
 * Every message in either direction is one struct of fixed size over a
 * SOCK_STREAM socketpair. Text in it is counted, never NUL-terminated, and conn
 * does not look into it: it hands it to PAM, to getpwnam() or to the session.
 * After a successful login the same socketpair becomes the session's client
 * stream (with TLS), and no further message is sent.
 */
#ifndef CHAN_H
#define CHAN_H

#include "bytes.h"

#define CHAN_TEXT_MAX 1024

enum chan_request {
	CHAN_HELLO = 1,		/* first, once: login is in its cage */
	CHAN_TLS_KEY,		/* once: certificate chain and private key */
	CHAN_PROXY,		/* once: the client's address as PROXY v1/v2 says */
	CHAN_LOGIN,		/* user and password for PAM */
	CHAN_REQUEST_END
};

struct chan_text {
	uint16_t n;
	unsigned char p[CHAN_TEXT_MAX];
};

/* login to conn */
struct chan_req {
	uint32_t type;			/* enum chan_request */
	uint32_t tls;			/* the stream is encrypted by login */
	struct chan_text user;		/* authentication identity; CHAN_PROXY: source address as text */
	struct chan_text authzid;	/* authorization identity, empty: the same */
	struct chan_text secret;	/* password */
	struct chan_text tag;		/* the command's tag, for the session's answer */
	struct chan_text client;	/* free text for the log: TLS version, client ID */
};

enum chan_result {
	CHAN_OK = 1,
	CHAN_REFUSED,		/* wrong user or secret */
	CHAN_EXPIRED,		/* password or account expired */
	CHAN_CONTACT_ADMIN,	/* the account is locked */
	CHAN_NOT_AUTHORIZED,	/* right secret, but may not come in */
	CHAN_UNAVAILABLE,	/* temporary failure of ours */
	CHAN_LIMIT,		/* too many connections of this user */
};

/* conn to login */
struct chan_rep {
	uint32_t result;		/* enum chan_result */
	uint32_t follow;		/* bytes of key material right behind (CHAN_TLS_KEY) */
	struct chan_text text;		/* message for the user, or the canonical user name */
};

/*
 * Send or receive one whole message. 0, or -1 with errno; at a clean end of
 * the channel chan_recv() fails with EPIPE, at a short message with EPROTO.
 * deadline is in clock_ms() time, 0 for none. Messages that carry a secret are
 * to be wiped by the caller.
 */
int chan_send(int fd, const void *msg, size_t n, uint64_t deadline);
int chan_recv(int fd, void *msg, size_t n, uint64_t deadline);

/* Puts b into t: 0, or -1 with errno E2BIG. */
int chan_put(struct chan_text *t, struct bytes b);

/* The bytes of t, or false when its count is over CHAN_TEXT_MAX. */
bool chan_get(const struct chan_text *t, struct bytes *b);

#endif
