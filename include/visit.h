/*
 * A visit: what every session process, imap or pop3, knows of itself from the
 * moment it starts, whoever started it (mailreeve-conn(8)).
 */
#ifndef VISIT_H
#define VISIT_H

#include "bytes.h"

/*
 * Where nobody else does, a session sees that its relay ends: a descriptor tells
 * of that, and the two behind it are the leash by which it is killed when the
 * session has ended first (child_leash()).
 */
#define VISIT_RELAY_FD 5
#define VISIT_LEASH_FD 6

/* So long a session's last words may be on their way: five buffers, relay.c. */
#define VISIT_REST_MS(write_timeout) (5 * (write_timeout) * 1000 + 10000)

struct visit {
	const char *proto;		/* "imap", "pop3" */
	const char *user;		/* whose mail */
	const char *home;		/* absolute */
	const char *remote;		/* address:port, or "local" */
	const char *session;		/* its name in the log, or "-" */
	const char *tag;		/* MAILREEVE_TAG: somebody just logged in; or NULL */
	bool tls;
	bool own_relay;			/* MAILREEVE_RELAY: login has nobody but us */
	bool read_only;			/* MAILREEVE_READ_ONLY: nothing may be changed */
	int stop_fd;			/* readable once the process is told to end */
};

/*
 * First thing in main(): opens the log (conn's, or by hand one of its own),
 * reads the environment, asks for the account where that says too little, and
 * makes SIGTERM, SIGUSR1 and SIGPIPE harmless. 0, or -1 with errno (ENOENT: no account).
 */
int visit_begin(struct visit *v, const char *proto);

/*
 * The last line of a session in the log, and the end of its output. counts is what the protocol counted,
 * as "name=number" with a space behind each; it may be empty.
 */
void visit_end(const struct visit *v, const char *reason, const char *counts,
    uint64_t in, uint64_t out);

/* Waits for its own relay, if there is one, that has the last words; so long at most. */
void visit_await_relay(const struct visit *v, uint64_t ms);

#endif
