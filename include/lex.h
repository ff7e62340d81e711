/*
 * Reading an IMAP command: a cursor over one command's bytes, literals in
 * place, with one function for each production of RFC 9051's grammar.
 *
 * The whole command, up to LEX_COMMAND_MAX, stands in one piece of memory:
 * line, CRLF, literal, line ... A command that streams a literal (APPEND) stops
 * in front of it. Values point into that memory or into the arena. Each
 * function returns 0 and moves the cursor behind what it read, or returns -1
 * with errno EINVAL (bad syntax) or E2BIG (over a limit), and lex->error then
 * holds a short English text for the BAD response.
 */
#ifndef LEX_H
#define LEX_H

#include "arena.h"
#include "runs.h"

#define LEX_COMMAND_MAX ((size_t)1 << 20)	/* all lines and held literals */
#define LEX_LINE_MAX ((size_t)65536)		/* one line of it */
#define LEX_TAG_MAX 255
#define LEX_DEPTH_MAX 50			/* nested parentheses */
#define LEX_RANGES_MAX 10000			/* ranges in one sequence-set */

struct lex {
	struct bytes rest;		/* not read yet */
	struct arena *arena;		/* for what cannot point into the command */
	bool utf8;			/* UTF8=ACCEPT or IMAP4rev2: quoted strings may hold UTF-8 */
	const char *error;
};

/* One given byte; SP; the end of the command. */
int lex_char(struct lex *x, unsigned char c);
int lex_space(struct lex *x);
int lex_end(struct lex *x);

/* What comes next, without moving; 0 at the end. */
int lex_peek(const struct lex *x);

int lex_tag(struct lex *x, struct bytes *out);
int lex_atom(struct lex *x, struct bytes *out);
int lex_string(struct lex *x, struct bytes *out);	/* quoted or literal */
int lex_astring(struct lex *x, struct bytes *out);
int lex_nstring(struct lex *x, struct bytes *out, bool *nil);
int lex_list_mailbox(struct lex *x, struct bytes *out);	/* with % and * */

/* mailbox: astring decoded to UTF-8 (from mUTF-7 unless utf8), INBOX canonical. */
int lex_mailbox(struct lex *x, struct bytes *out);

int lex_number(struct lex *x, uint64_t max, uint64_t *out);	/* digits only */
int lex_nz_number(struct lex *x, uint64_t max, uint64_t *out);

/* A keyword of the grammar, ASCII case folded, at a word boundary: true and moved, or not. */
bool lex_word(struct lex *x, const char *word);

/*
 * sequence-set, or `$`. Numbers may come in any order, `*` stands for largest
 * (0: the mailbox is empty; `*` is then an error for sequence numbers and
 * nothing for UIDs).
 */
struct sequence_set {
	bool saved;			/* it was `$` */
	struct runs set;		/* in memory of its own: runs_free() */
};
int lex_sequence_set(struct lex *x, uint32_t largest, bool uids,
    struct sequence_set *out);

/* date (day), date-time (APPEND), as seconds since 1970; time zone applied. */
int lex_date(struct lex *x, int64_t *day);
int lex_date_time(struct lex *x, int64_t *seconds);

/* Flag list in parentheses or, when bare, flags separated by SP. */
struct flag_list {
	uint32_t flags;			/* enum mail_flags */
	bool recent;			/* \Recent was in it */
	size_t n;
	struct bytes *keywords;		/* in the arena */
};
int lex_flags(struct lex *x, struct flag_list *out);

/*
 * A literal's announcement at the end of a line: {n} {n+} {n-} ~{n}. True when
 * line ends in one; *head is its length in bytes.
 */
struct literal_mark {
	uint64_t size;
	bool sync;			/* wants a continuation response */
	bool binary;			/* literal8 */
};
bool lex_literal_mark(struct bytes line, struct literal_mark *out, size_t *head);

#endif
