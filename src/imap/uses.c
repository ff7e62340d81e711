/*
 * Special uses, read and written.
 * Runs as: the mailbox owner.
 */
#include "uses.h"

static const struct {
	unsigned use;
	const char *name;
} names[] = {
	{ USE_ALL, "\\All" }, { USE_ARCHIVE, "\\Archive" },
	{ USE_DRAFTS, "\\Drafts" }, { USE_FLAGGED, "\\Flagged" },
	{ USE_IMPORTANT, "\\Important" }, { USE_JUNK, "\\Junk" },
	{ USE_MEMOS, "\\Memos" }, { USE_SCHEDULED, "\\Scheduled" },
	{ USE_SENT, "\\Sent" }, { USE_SNOOZED, "\\Snoozed" },
	{ USE_TRASH, "\\Trash" },
};

#define NAMES (sizeof names / sizeof names[0])

static unsigned
use_named(struct bytes name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (bytes_case_equal(name, bytes_of(names[i].name + 1)))
			return names[i].use;
	return USE_UNKNOWN;
}

int
uses_read(struct lex *x, unsigned *uses)
{
	struct bytes name;

	if (lex_char(x, '(') < 0)
		return -1;
	while (lex_peek(x) != ')') {
		if (lex_char(x, '\\') < 0 || lex_atom(x, &name) < 0)
			return -1;
		*uses |= use_named(name);
		if (lex_peek(x) != ')' && lex_space(x) < 0)
			return -1;
	}
	return lex_char(x, ')');
}

void
put_uses(struct response *r, unsigned uses)
{
	for (size_t i = 0; i < NAMES; i++)
		if ((uses & names[i].use) != 0)
			put_word(r, names[i].name);
}

void
uses_print(unsigned uses, struct buf *out)
{
	for (size_t i = 0; i < NAMES; i++) {
		if ((uses & names[i].use) == 0)
			continue;
		if (out->len > 0)
			buf_byte(out, ' ');
		buf_text(out, names[i].name);
	}
}
