/*
 * ENVELOPE, BODY and BODYSTRUCTURE as IMAP text (RFC 3501 and RFC 9051 section
 * 7.5.2 and 9), grammatical whatever the message.
 *
 * Without flags what is not ASCII stands in literals. Such text is right in
 * every mode and may be cached, with one exception: imaptext_depends().
 */
#ifndef IMAPTEXT_H
#define IMAPTEXT_H

#include "mime.h"

enum imaptext_flags {
	IMAPTEXT_UTF8 = 1,		/* UTF8=ACCEPT, IMAP4rev2: quoted strings may hold UTF-8 */
	IMAPTEXT_REV2 = 2,		/* IMAP4rev2: RFC 2231 decoded, message/global a message */
};

#define IMAPTEXT_STRING_MAX ((size_t)32768)	/* longer texts are cut */
#define IMAPTEXT_ADDRESSES_MAX 5000		/* of one field; further ones are left out */
#define IMAPTEXT_MAX ((size_t)16 << 20)		/* a fitting maximum for the buffer */

/*
 * Append the text and return 0, or -1 with errno ENOMEM or, when not even an
 * empty one fits, E2BIG.
 */
int imaptext_envelope(struct bytes header, unsigned flags, struct buf *out);
int imaptext_body(const struct mime_tree *t, unsigned flags, struct buf *out);
int imaptext_bodystructure(const struct mime_tree *t, unsigned flags,
    struct buf *out);

/*
 * True when the tree has a message/global: IMAP4rev2 shows what is in it,
 * IMAP4rev1 must not (RFC 3501 section 9, body-type-basic), so that one text
 * cannot serve both.
 */
bool imaptext_depends(const struct mime_tree *t);

/* string and nstring: quoted where possible, else a literal; NULs dropped. */
int imaptext_string(struct bytes s, unsigned flags, struct buf *out);
int imaptext_nstring(struct bytes s, unsigned flags, struct buf *out);	/* p NULL: NIL */

#endif
