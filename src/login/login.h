/*
 * One client before it logged in: what IMAP and POP3 have in common.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include "arena.h"
#include "chan.h"
#include "config.h"
#include "service.h"
#include "wire.h"

#define CLIENT_TEXT_MAX 128		/* what the client says about itself */
#define SESSION_NAME_MAX 15

struct login {
	const struct config *conf;
	char name[SESSION_NAME_MAX + 1];	/* of this connection in the log */
	const struct service_facts *service;
	struct tls *tls;		/* ready, not in use yet; NULL: not to be offered */
	int link;			/* to the signer, or -1: to be asked for */
	struct wire wire;
	char remote[64];		/* the client's address, for the log */
	bool local;			/* the client is on this host */
	bool proxy_tls;			/* encrypted as far as a trusted proxy */
	bool front_end;			/* it may say for whom it speaks */
	uint32_t secrets;		/* bits of enum secret_kind that the host has */
	char stamp[STAMP_MAX];		/* of APOP; empty: off */
	unsigned failures;
	unsigned bad_commands;
	struct buf command;		/* wiped after each command */
	struct arena arena;		/* the same */
	char client[CLIENT_TEXT_MAX + 1];	/* what it said of itself, quoted */
};

/* A user name and a password, in memory that will be wiped. */
struct credentials {
	struct bytes authzid;		/* empty: the same as user */
	struct bytes user;
	struct bytes secret;
	const char *mechanism;		/* for the log */
};

/* What became of a command. */
enum outcome {
	OUT_NEXT,			/* the next one, please */
	OUT_LOGGED_IN,
	OUT_CLOSE,			/* say goodbye */
	OUT_LOST,			/* the client is gone, or out of time: errno */
};

/* Why the conversation came to its end; both protocols have a text for each. */
enum ending {
	END_QUIET,			/* everything is said */
	END_TIMEOUT,
	END_FAILURES,			/* max-failures */
	END_BAD_COMMANDS,
	END_TOO_LONG,			/* line, literal or input over its limit */
	END_GARBAGE,			/* NUL, or another protocol */
	END_UNAVAILABLE,		/* conn is gone */
	END_LIMIT,			/* too many connections */
	ENDINGS
};

/* The conversations: OUT_LOGGED_IN, or OUT_CLOSE with everything said. */
enum outcome imap_login(struct login *l);
enum outcome pop3_login(struct login *l);

/* A last line for a client whose conversation cannot begin or go on. */
void imap_goodbye(struct login *l, enum ending why);
void pop3_goodbye(struct login *l, enum ending why);

/* One may log in as things stand (cleartext-login). */
bool login_private(const struct login *l);

/* The same with IMAP's LOGIN, POP3's USER and PASS. */
bool login_password(const struct login *l);

/* STARTTLS and STLS can be offered. */
bool login_can_start_tls(const struct login *l);

/* The handshake, now. 0, or -1: the connection is of no use any more. */
int login_start_tls(struct login *l);

/* Adds to what the client said of itself, for the log. */
void login_note(struct login *l, struct bytes text);

/* Wipes what the last command left in memory. */
void login_wipe(struct login *l);

/*
 * The ending that belongs to a failure of the wire with this errno, and its
 * line in the log where it deserves one. END_QUIET: the client just went.
 */
enum ending login_ending(struct login *l, int error);

/* One line in the log about input that no mail client sends; what is ours. */
void login_complain(const struct login *l, const char *what);

/* True after the last bad command that is suffered. */
bool login_bad_command(struct login *l);

/* A command nobody knows: true when it is another protocol's; logs that. */
bool login_foreign(struct login *l, struct bytes line);

#endif
