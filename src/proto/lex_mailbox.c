/*
 * Reading the name of a mailbox.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "lex.h"
#include "mutf7.h"
#include "utf8.h"

static bool
has_control(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return true;
	return false;
}

static int
decode_mutf7(struct lex *x, struct bytes name, struct bytes *out)
{
	struct buf utf8 = BUF_INIT(LEX_MAILBOX_MAX);
	unsigned char *copy;
	int r = mutf7_decode(name, &utf8);

	if (r < 0) {
		r = errno == EILSEQ
		    ? lex_fail(x, EILSEQ, "Mailbox name is not modified UTF-7")
		    : lex_fail(x, errno, "Mailbox name too long");
	} else if ((copy = arena_copy(x->arena, buf_contents(&utf8))) == NULL) {
		r = lex_fail(x, errno, "Command too large");
	} else {
		*out = bytes_make(copy, utf8.len);
	}
	buf_free(&utf8);
	return r;
}

int
lex_decode_name(struct lex *x, struct bytes name, struct bytes *out)
{
	/* Base64 takes at most 8/3 of what it encodes in UTF-16. */
	if (name.n > (size_t)3 * LEX_MAILBOX_MAX)
		return lex_fail(x, E2BIG, "Mailbox name too long");
	*out = name;
	if (!x->utf8 && decode_mutf7(x, name, out) < 0)
		return -1;
	if (out->n > LEX_MAILBOX_MAX)
		return lex_fail(x, E2BIG, "Mailbox name too long");
	if (!utf8_valid(*out) || has_control(*out))
		return lex_fail(x, EILSEQ, "Mailbox name is not UTF-8 text");
	return 0;
}

/*
 * INBOX is one mailbox in whatever case it is written (RFC 9051 section 5.1);
 * so are the names below it, which would else begin a second tree beside it.
 */
static int
canonical_inbox(struct lex *x, struct bytes *name)
{
	struct bytes inbox = BYTES("INBOX");
	unsigned char *copy;

	if (!bytes_case_starts(*name, inbox)
	    || (name->n > inbox.n && name->p[inbox.n] != '/'))
		return 0;
	copy = arena_copy(x->arena, *name);
	if (copy == NULL)
		return lex_fail(x, errno, "Command too large");
	memcpy(copy, inbox.p, inbox.n);
	name->p = copy;
	return 0;
}

int
lex_mailbox(struct lex *x, struct bytes *out)
{
	struct bytes before = x->rest, raw;

	if (lex_astring(x, &raw) < 0)
		return -1;
	if (lex_decode_name(x, raw, out) == 0) {
		x->given = *out;
		if (canonical_inbox(x, out) == 0)
			return 0;
	}
	x->rest = before;
	return -1;
}
