/*
 * One POP3 session after login: its state, the rows of its command table, and
 * what handlers of commands use.
 *
 * A handler returns an outcome; the loop writes the status line that belongs
 * to it. Only answers of several lines are written by the handlers themselves,
 * with the functions at the end of this file.
 */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "command.h"
#include "config.h"
#include "drop.h"
#include "stream.h"

/* RFC 1939 section 3; the update state is between QUIT and its answer. */
enum state {
	STATE_AUTHORIZATION = 1,	/* login's; never reached here again */
	STATE_TRANSACTION = 2,
};

/* What the log line at the end counts. */
struct tally {
	uint64_t retr, top, deleted;
};

struct session {
	const struct config *conf;
	struct stream stream;
	struct mail *mail;
	const char *home;		/* for the log */
	struct drop drop;
	enum state state;
	bool after_login;		/* PASS or AUTH is yet to be answered */
	struct bytes mechanisms;	/* that were offered before login */
	unsigned bad_commands;		/* in a row */
	struct tally tally;
	const char *end_reason;		/* for the log */
	bool over;
};

/* ---- outcomes ---- */

enum result {
	RESULT_OK,
	RESULT_ERR,
	RESULT_BAD,			/* -ERR, and it counts as a bad command */
	RESULT_SENT,			/* the handler has written the answer */
	RESULT_QUIT,			/* +OK, and the end */
	RESULT_FAILED,			/* -ERR, and the end */
	RESULT_GONE,			/* the end, without another byte */
};

struct outcome {
	enum result result;
	const char *code;		/* response code (RFC 2449 section 8), or NULL */
	char text[128];
};

struct outcome ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct outcome err(const char *code, const char *text);
struct outcome bad(const char *text);
struct outcome outcome_of(enum result result);
/* -ERR with the response code and text that errno has in one table. */
struct outcome failure(int error);
/* The same, and a line in the log. */
struct outcome failed(int error);

/* ---- commands ---- */

struct row {
	const char *name;
	unsigned states;		/* enum state */
	enum arguments args;
	const char *capability;		/* what it makes CAPA say, or NULL */
	struct outcome (*run)(struct session *s, const struct command *c);
};

/* The table ends with a row without a name. */
extern const struct row rows[];

struct outcome run_list(struct session *s, const struct command *c);
struct outcome run_uidl(struct session *s, const struct command *c);
struct outcome run_retr(struct session *s, const struct command *c);
struct outcome run_top(struct session *s, const struct command *c);

/* ---- the loop ---- */

/*
 * Takes the maildrop, says so (the greeting, or the answer to PASS or AUTH), and
 * runs commands until the end.
 */
void session_run(struct session *s, struct mail *mail);

/* The same when there is no mail to be had: says why. */
void session_refuse(struct session *s, int error);

/* Writes what belongs to the outcome, and ends the session if it says so. */
void answer(struct session *s, const struct outcome *o);

/* The one place that makes a status line. */
void write_status(struct session *s, const struct outcome *o);

/* ---- answers of several lines ---- */

/*
 * Lines made in memory and sent together with the final dot, so that clients
 * that look for the end of the answer at the end of a packet find it there.
 */
#define LINES_MAX ((size_t)32768)

struct lines {
	struct session *session;
	unsigned char *room;		/* NULL: the client is gone */
	size_t n;
};

void lines_begin(struct lines *l, struct session *s, const char *status);
void lines_printf(struct lines *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends what is there, to go on with more lines. */
void lines_more(struct lines *l);
struct outcome lines_end(struct lines *l);

#endif
