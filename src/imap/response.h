/*
 * Writing responses: one function for each kind of token of RFC 9051 section 9.
 *
 * The writer puts the spaces and checks every token, so that what a handler
 * sends is grammatical whatever the message or the mailbox name holds: an atom
 * that is none becomes a string, a string that cannot be quoted becomes a
 * literal. Unbalanced parentheses and literals of another length than
 * announced are our bugs and end the session with log_bug().
 *
 * Nothing here fails: a broken connection is seen at the next flush.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "crlf.h"
#include "mail.h"
#include "stream.h"

struct response {
	struct stream *out;
	bool utf8;		/* quoted strings and names may be UTF-8: UTF8=ACCEPT, rev2 */
	bool space;		/* the next token wants SP in front */
	unsigned depth;		/* open parentheses */
	uint64_t literal;	/* octets of the literal still to come */
};

/* "* NAME", the beginning of an untagged response, and its CRLF. */
void put_untagged(struct response *r, const char *name);
void put_end(struct response *r);

/* "* number NAME": EXISTS, EXPUNGE, FETCH ... */
void put_untagged_number(struct response *r, uint64_t number, const char *name);

/*
 * What a listing of a large mailbox consists of, each in one write: "* number
 * NAME (", with "UID uid" behind it unless uid is 0; the end of such a response;
 * and "FLAGS (" with the flags among enum mail_flags, which put_close() ends.
 */
void put_message_begin(struct response *r, uint64_t number, const char *name,
    uint32_t uid);
void put_message_end(struct response *r);
void put_flags_open(struct response *r, uint32_t flags);

/* Tokens, separated by SP where two of them meet. */
void put_open(struct response *r);			/* ( */
void put_close(struct response *r);			/* ) */
void put_word(struct response *r, const char *word);	/* a word of the grammar, as it is */
void put_number(struct response *r, uint64_t v);
void put_nil(struct response *r);
void put_astring(struct response *r, struct bytes b);	/* atom when it can be one */
void put_string(struct response *r, struct bytes b);	/* quoted, or a literal */
void put_nstring(struct response *r, struct bytes b);	/* NIL when b.p is NULL */
void put_mailbox(struct response *r, struct bytes name);	/* UTF-8; mUTF-7 unless utf8 */
void put_set(struct response *r, const struct runs *set);	/* never an empty one */
void put_date_time(struct response *r, int64_t seconds);	/* quoted, in UTC */

/* `\Seen` or a keyword: an atom that is checked; others are left out. */
void put_flag(struct response *r, struct bytes flag);

/* The flags among enum mail_flags, in the RFC's order. */
void put_system_flags(struct response *r, uint32_t flags);

/*
 * Bytes that something else made grammatical (a cached ENVELOPE, the name of a
 * FETCH item); a token of its own, or glued to the one before.
 */
void put_raw(struct response *r, struct bytes b);
void put_glued(struct response *r, struct bytes b);

/*
 * A literal in pieces: exactly size octets follow by put_octets().
 * put_literal8_begin() writes ~{size}.
 */
void put_literal_begin(struct response *r, uint64_t size);
void put_literal8_begin(struct response *r, uint64_t size);
void put_octets(struct response *r, const void *p, size_t n);
/*
 * At most LINES_MAX bytes as stored, as octets of the literal with CRLF, made
 * where they are sent from. What would be over its size is left out.
 */
#define LINES_MAX (STREAM_OUT_SIZE / 2)
void put_lines(struct response *r, struct bytes stored, struct crlf *state);
/*
 * Ends it. A message that shrank meanwhile leaves octets missing: they are
 * sent as spaces and false is returned.
 */
bool put_literal_end(struct response *r);

/* The human-readable end of a response: printable ASCII, else `?`. */
void put_text(struct response *r, const char *text);

/* ---- response codes ---- */

enum code {
	CODE_NONE,
	/* RFC 3501, 9051 */
	CODE_ALERT, CODE_BADCHARSET, CODE_CAPABILITY, CODE_PARSE,
	CODE_PERMANENTFLAGS, CODE_READ_ONLY, CODE_READ_WRITE, CODE_TRYCREATE,
	CODE_UIDNEXT, CODE_UIDVALIDITY, CODE_UNSEEN, CODE_CLOSED,
	CODE_APPENDUID, CODE_COPYUID, CODE_UIDNOTSTICKY, CODE_HASCHILDREN,
	CODE_NOTSAVED, CODE_UNKNOWN_CTE, CODE_TOOBIG,
	/* RFC 5530 */
	CODE_UNAVAILABLE, CODE_AUTHORIZATIONFAILED, CODE_EXPUNGEISSUED,
	CODE_CORRUPTION, CODE_SERVERBUG, CODE_CLIENTBUG, CODE_CANNOT,
	CODE_LIMIT, CODE_OVERQUOTA, CODE_ALREADYEXISTS, CODE_NONEXISTENT,
	CODE_NOPERM, CODE_INUSE,
	/* RFC 7162, 8474, 6154 */
	CODE_HIGHESTMODSEQ, CODE_NOMODSEQ, CODE_MODIFIED, CODE_MAILBOXID,
	CODE_METADATA_LONGENTRIES, CODE_METADATA_MAXSIZE, CODE_METADATA_TOOMANY,
	CODE_USEATTR, CODE_BADURL, CODE_UIDREQUIRED, CODE_INPROGRESS,
	/* RFC 4978, 5465 */
	CODE_COMPRESSIONACTIVE, CODE_BADEVENT, CODE_NOTIFICATIONOVERFLOW,
	/* RFC 9738, 10022 */
	CODE_MESSAGELIMIT, CODE_TOOFEW,
	CODE_NOUPDATE,			/* RFC 5267 */
	CODE_END
};

/* A code with its value; which fields count is told by the table in code.c. */
struct response_code {
	enum code code;
	uint64_t number;		/* UIDNEXT, HIGHESTMODSEQ, ...; UIDVALIDITY of APPENDUID, COPYUID */
	const struct runs *set;		/* MODIFIED, APPENDUID; source of COPYUID */
	const struct runs *to;		/* destination of COPYUID */
	struct bytes text;		/* BADEVENT, as tokens; MAILBOXID, BADURL, NOUPDATE */
	uint32_t uid;			/* MESSAGELIMIT: the lowest that was processed, or 0 */
};

/* "[CODE value]", nothing for CODE_NONE. */
void put_code(struct response *r, const struct response_code *c);

/* The same for a code whose value is a list of tokens: put them in between. */
void put_code_open(struct response *r, enum code code);
void put_code_close(struct response *r);

/*
 * "TAG OK [code] text", untagged when tag is empty. condition is OK, NO, BAD,
 * BYE or PREAUTH; text is never empty. The first form stops behind the
 * condition.
 */
void put_condition_begin(struct response *r, struct bytes tag,
    const char *condition);
void put_condition(struct response *r, struct bytes tag, const char *condition,
    const struct response_code *c, const char *text);

#endif
