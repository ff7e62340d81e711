/*
 * Reading an IMAP command: a cursor over one command's bytes, literals in
 * place, with one function for each production of RFC 9051's grammar.
 *
 * The whole command, up to LEX_COMMAND_MAX, stands in one piece of memory:
 * line, CRLF, literal, line ... A command that streams a literal (APPEND) stops
 * in front of it. Values point into that memory or into the arena. Each
 * function returns 0 and moves the cursor behind what it read, or returns -1
 * with errno, which lex->why keeps: EINVAL (bad syntax), E2BIG (over a limit),
 * EILSEQ (a string that cannot be a mailbox name), ENOMEM; lex->error then
 * holds a short English text for the answer.
 */
#ifndef LEX_H
#define LEX_H

#include <errno.h>

#include "arena.h"
#include "runs.h"

#define LEX_COMMAND_MAX ((size_t)1 << 20)	/* all lines and held literals */
#define LEX_LINE_MAX ((size_t)65536)		/* one line of it */
#define LEX_TAG_MAX 255
#define LEX_DEPTH_MAX 50			/* nested parentheses */
#define LEX_RANGES_MAX 10000			/* ranges in one sequence-set */
#define LEX_FLAGS_MAX 128			/* keywords in one flag list */
#define LEX_MAILBOX_MAX 1024			/* octets of a mailbox name in UTF-8 */

struct lex {
	struct bytes rest;		/* not read yet */
	struct arena *arena;		/* for what cannot point into the command */
	bool utf8;			/* UTF8=ACCEPT or IMAP4rev2: names are UTF-8, not mUTF-7 */
	int why;			/* errno of the last failure */
	const char *error;
	struct bytes given;		/* the last mailbox as it was called: see lex_mailbox() */
};

/* A failure with x->why and x->error set; answers -1. error is static text. */
static inline int
lex_fail(struct lex *x, int why, const char *error)
{
	x->why = why;
	x->error = error;
	errno = why;
	return -1;
}

/* One given byte; SP; the end of the command. */
int lex_char(struct lex *x, unsigned char c);
int lex_space(struct lex *x);
int lex_end(struct lex *x);

/* What comes next, without moving; 0 at the end. */
int lex_peek(const struct lex *x);

int lex_tag(struct lex *x, struct bytes *out);
int lex_atom(struct lex *x, struct bytes *out);
/*
 * Quoted or literal. UTF-8 is taken in quoted strings whether or not it was
 * enabled, as clients send it; other 8-bit octets only in literals, NUL nowhere.
 */
int lex_string(struct lex *x, struct bytes *out);
int lex_literal8(struct lex *x, struct bytes *out);	/* ~{n}: any octets */
int lex_astring(struct lex *x, struct bytes *out);
int lex_nstring(struct lex *x, struct bytes *out, bool *nil);
int lex_list_mailbox(struct lex *x, struct bytes *out);	/* with % and * */

/*
 * mailbox: astring decoded to UTF-8 (from mUTF-7 unless utf8), INBOX canonical.
 * x->given is the name as the client has it, decoded only.
 */
int lex_mailbox(struct lex *x, struct bytes *out);

/* The same decoding for a name or pattern that was read as a string; INBOX stays. */
int lex_decode_name(struct lex *x, struct bytes name, struct bytes *out);

int lex_number(struct lex *x, uint64_t max, uint64_t *out);	/* digits only */
int lex_nz_number(struct lex *x, uint64_t max, uint64_t *out);

/* A keyword of the grammar, ASCII case folded, at a word boundary: true and moved, or not. */
bool lex_word(struct lex *x, const char *word);

/* The same without the boundary: for BODY[ and BODY.PEEK[. */
bool lex_prefix(struct lex *x, const char *prefix);

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

/*
 * Flag list in parentheses or, when bare, flags separated by SP. System flags
 * that nobody knows are read and left out.
 */
struct flag_list {
	uint32_t flags;			/* enum mail_flags */
	bool recent;			/* \Recent was in it */
	size_t n;
	struct bytes *keywords;		/* in the arena */
};
int lex_flags(struct lex *x, struct flag_list *out);

/*
 * A literal's announcement at the end of a line: {n} {n+} ~{n} ~{n+}. True when
 * line ends in one; *head is its length in bytes.
 */
struct literal_mark {
	uint64_t size;
	bool sync;			/* wants a continuation response */
	bool binary;			/* literal8 */
};
bool lex_literal_mark(struct bytes line, struct literal_mark *out, size_t *head);

/* Classes of bytes, RFC 9051 section 9. */
bool lex_atom_char(unsigned char c);
bool lex_astring_char(unsigned char c);

/* b can be sent as an atom: not empty, all ATOM-CHAR. */
bool lex_is_atom(struct bytes b);

#endif
