/*
 * Matching mailbox names with patterns of LIST.
 * Runs as: the mailbox owner.
 */
#include "lex.h"
#include "pattern.h"

/* In how many bytes at its beginning a name's case does not matter. */
static size_t
folded_part(struct bytes name)
{
	struct bytes inbox = BYTES("INBOX");

	return bytes_starts(name, inbox)
	    && (name.n == inbox.n || name.p[inbox.n] == '/') ? inbox.n : 0;
}

/*
 * reached[i]: the pattern so far can end in front of the name's byte i. A byte of
 * the pattern moves that one place on, a wildcard spreads it.
 */
static void
step_byte(bool *reached, struct bytes name, size_t folded, unsigned char c)
{
	for (size_t i = name.n; i > 0; i--) {
		unsigned char have = name.p[i - 1];
		bool same = i <= folded ? ascii_lower(have) == ascii_lower(c)
		    : have == c;

		reached[i] = reached[i - 1] && same;
	}
	reached[0] = false;
}

static void
step_wildcard(bool *reached, struct bytes name, bool over_separator)
{
	for (size_t i = 1; i <= name.n; i++)
		if (reached[i - 1] && (over_separator || name.p[i - 1] != '/'))
			reached[i] = true;
}

bool
pattern_matches(struct bytes pattern, struct bytes name)
{
	bool reached[LEX_MAILBOX_MAX + 1] = { true };
	size_t folded = folded_part(name);

	if (name.n > LEX_MAILBOX_MAX)
		return false;
	for (size_t k = 0; k < pattern.n; k++) {
		unsigned char c = pattern.p[k];

		if (c == '*' || c == '%')
			step_wildcard(reached, name, c == '*');
		else
			step_byte(reached, name, folded, c);
	}
	return reached[name.n];
}
