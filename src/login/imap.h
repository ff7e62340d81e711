/*
 * Inside of imap.c and imap_commands.c: one command and its answer.
 */
#ifndef LOGIN_IMAP_H
#define LOGIN_IMAP_H

#include "ask.h"
#include "lex.h"

/* The tagged answer of a command; status NULL: everything is said. */
struct answer {
	const char *status;
	const char *code;		/* RFC 5530, or NULL */
	const char *text;
};

struct request {
	struct login *l;
	unsigned char tag[LEX_TAG_MAX];
	size_t tag_n;			/* 0: it has none */
	struct lex args;		/* behind the command's name */
	struct answer answer;
	char text[ASK_TEXT_MAX + 1];	/* room for the answer's text */
};

/* Set the answer; all of them OUT_NEXT. */
enum outcome imap_ok(struct request *r, const char *text);
enum outcome imap_no(struct request *r, const char *code, const char *text);
enum outcome imap_bad(struct request *r, const char *text);

/* Says it now, and not again. 0, or -1. */
int imap_answer(struct request *r);

/* CAPABILITY and what is true at the moment, from the tables. 0, or -1. */
int imap_capabilities(struct login *l);

/* The handlers of the table. */
enum outcome imap_capability(struct request *r);
enum outcome imap_noop(struct request *r);
enum outcome imap_logout(struct request *r);
enum outcome imap_id(struct request *r);
enum outcome imap_starttls(struct request *r);
enum outcome imap_login_command(struct request *r);
enum outcome imap_authenticate(struct request *r);

#endif
