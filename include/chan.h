/*
 * Messages between the connection process (conn) and login: mailreeve-privsep(7).
 *
 * Every message in either direction is one struct of fixed size over a
 * SOCK_STREAM socketpair at CHANNEL_FD of login. Text in it is counted, never
 * NUL-terminated, and conn does not look into it: it hands it to PAM, to
 * getpwnam() or to the session. After a successful login the same socketpair
 * becomes the session's client stream (with TLS), and no further message is
 * sent.
 *
 * conn starts `login UID GID` as root, or asks the template of login for a fork
 * (control.h); its first act is sandbox_login().
 *
 * The conversation: HELLO, SIGNER if it wants one, CLIENT (which may take
 * long: a spare pair waits here for somebody to connect), PROXY if the peer is
 * a trusted proxy and announced a client, LOGIN or an exchange of SASL until
 * one succeeds or max-failures are used up. Anything else, and conn hangs up
 * without a word.
 *
 * An exchange is SASL_BEGIN, and while conn answers CHAN_CHALLENGE, SASL_STEP:
 * login shows the client the challenge and brings what it says to it. Login
 * parses the mechanism's messages; conn is given what they hold, or, for the
 * mechanisms it has a verifier for, a token that it only passes on. Any other
 * request ends the exchange.
 *
 * login hears nothing and must say [UNAVAILABLE] when the channel ends before
 * an answer: that is how a PAM module that hangs or crashes looks from here.
 */
#ifndef CHAN_H
#define CHAN_H

#include "bytes.h"

#define CHAN_TEXT_MAX 1024
#define STAMP_MAX 64			/* APOP's time stamp, with a NUL */
#define CHAN_PEM_MAX 131072		/* issuers of clients' certificates */
#define CHAN_TOKEN_MAX 65535		/* what Active Directory's tickets may grow to */

enum chan_request {
	CHAN_HELLO = 1,		/* first, once: login is in its cage */
	CHAN_SIGNER,		/* once: a link to the process that has the keys of TLS */
	CHAN_CLIENT_CA,		/* once: issuers of clients' certificates, PEM */
	CHAN_CLIENT,		/* once: the client's socket */
	CHAN_PROXY,		/* once, before LOGIN: whom a proxy or front end speaks for */
	CHAN_LOGIN,		/* user and password for PAM */
	CHAN_SASL_BEGIN,	/* a mechanism's first word */
	CHAN_SASL_STEP,		/* the answer to a CHAN_CHALLENGE, directly after it */
	CHAN_REQUEST_END
};

struct chan_text {
	uint16_t n;
	unsigned char p[CHAN_TEXT_MAX];
};

/*
 * login to conn. Texts a request does not use are empty.
 *
 *		CHAN_LOGIN			CHAN_PROXY
 *	user	authentication identity		source address, 4 or 16 raw bytes
 *	authzid	authorization identity or empty	destination address, the same, or empty
 *	secret	password			source port, 2 raw bytes
 *	tag	the command's tag
 *	client	for the log: mechanism/TLS version/cipher, e.g. PLAIN/TLSv1.3/...
 *
 * Raw bytes are in network order. CHAN_SASL_BEGIN and CHAN_SASL_STEP have tag and
 * client too; what the other texts and the token are is each mechanism's own:
 * mailreeve-privsep(7). follow bytes of token come right behind the request.
 */
struct chan_req {
	uint32_t type;			/* enum chan_request */
	uint32_t tls;			/* the stream is encrypted by login: 0 or 1 */
	uint32_t mechanism;		/* enum mechanism, of CHAN_SASL_BEGIN */
	uint32_t follow;		/* at most CHAN_TOKEN_MAX, of SASL only */
	struct chan_text user;
	struct chan_text authzid;
	struct chan_text secret;
	struct chan_text tag;
	struct chan_text client;
};

enum chan_result {
	CHAN_OK = 1,
	CHAN_REFUSED,		/* wrong user or secret */
	CHAN_EXPIRED,		/* password or account expired */
	CHAN_CONTACT_ADMIN,	/* the account is locked */
	CHAN_NOT_AUTHORIZED,	/* right secret, but may not come in */
	CHAN_UNAVAILABLE,	/* temporary failure of ours */
	CHAN_LIMIT,		/* too many connections of this user */
	CHAN_CHALLENGE,		/* nothing is decided: follow bytes for the client come behind */
};

enum chan_flags {
	CHAN_PEER_LOCAL = 1,	/* the client is on this host (cleartext-login local) */
	CHAN_PEER_PROXY = 2,	/* a trusted proxy: its PROXY header comes first */
	CHAN_PEER_XCLIENT = 4,	/* a front end: it may say for whom it speaks */
	CHAN_SECRETS = 256,	/* times bits of enum secret_kind: there are such secrets */
};

/*
 * conn to login.
 *
 *		result		text
 *	HELLO	CHAN_OK		the connection's name in the log
 *	CLIENT_CA CHAN_OK: follow bytes of PEM come right behind; CHAN_UNAVAILABLE
 *	SIGNER	CHAN_OK: the link (sign.h) comes with the message's first byte
 *		(SCM_RIGHTS); CHAN_UNAVAILABLE: there is none
 *	CLIENT	CHAN_OK		the client's address for the log (rip); the
 *		client's socket comes with the message's first byte (SCM_RIGHTS);
 *		service and flags are set; follow bytes of APOP's time stamp, where
 *		that is on, come right behind
 *	PROXY	CHAN_OK or CHAN_LIMIT: the address now known; flags of it
 *	LOGIN, SASL_BEGIN, SASL_STEP
 *		any		CHAN_OK: the canonical user name; CHAN_EXPIRED,
 *		CHAN_CONTACT_ADMIN, CHAN_NOT_AUTHORIZED: PAM's message for the
 *		user, perhaps empty, UTF-8 or not; otherwise empty
 */
struct chan_rep {
	uint32_t result;		/* enum chan_result */
	uint32_t follow;
	uint32_t service;		/* enum service, service.h */
	uint32_t flags;			/* enum chan_flags */
	struct chan_text text;
};

/*
 * Send or receive one whole message. 0, or -1 with errno; at a clean end of
 * the channel chan_recv() fails with EPIPE, at a short message with EPROTO.
 * deadline is in clock_ms() time, 0 for none. Messages that carry a secret are
 * to be wiped by the caller.
 */
int chan_send(int fd, const void *msg, size_t n, uint64_t deadline);
int chan_recv(int fd, void *msg, size_t n, uint64_t deadline);

/*
 * The same with one descriptor attached. chan_recv_fd() answers EPROTO when
 * none came; the one it got is close-on-exec. With chan_recv_any() one may come:
 * *passed is -1 when none did.
 */
int chan_send_fd(int fd, const void *msg, size_t n, int pass, uint64_t deadline);
int chan_recv_fd(int fd, void *msg, size_t n, int *passed, uint64_t deadline);
int chan_recv_any(int fd, void *msg, size_t n, int *passed, uint64_t deadline);

/* Puts b into t: 0, or -1 with errno E2BIG. */
int chan_put(struct chan_text *t, struct bytes b);

/* The bytes of t, or false when its count is over CHAN_TEXT_MAX. */
bool chan_get(const struct chan_text *t, struct bytes *b);

/*
 * t as a string in out, which has room for max bytes and a NUL; false when it
 * cannot be one.
 */
bool chan_string(const struct chan_text *t, char *out, size_t max);

/* Requests are numbered below 32. */
#define CHAN_BIT(request) (1U << (request))

/* When a request may be made. */
struct chan_rule {
	unsigned after;			/* CHAN_BITs that must be set */
	unsigned before;		/* CHAN_BITs that must not be */
	bool once;
	uint32_t follow;		/* most that may come behind it */
};

/* No text of q is longer than its field, and its rule allows it after what was done. */
bool chan_allowed(const struct chan_req *q, const struct chan_rule *r,
    unsigned done);

#endif
