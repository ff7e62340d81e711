/*
 * Reading one IMAP command.
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "imap_read.h"
#include "lex.h"

struct bytes
imap_command(const struct login *l)
{
	struct bytes all = buf_contents(&l->command);

	if (all.n > 0 && all.p[all.n - 1] == '\n')
		all.n--;
	if (all.n > 0 && all.p[all.n - 1] == '\r')
		all.n--;
	return all;
}

static void
split(const struct login *l, struct bytes *tag, struct bytes *name)
{
	struct lex x = { .rest = imap_command(l) };

	*tag = *name = (struct bytes){ 0 };
	if (lex_tag(&x, tag) < 0)
		*tag = (struct bytes){ 0 };
	else if (lex_space(&x) < 0 || lex_atom(&x, name) < 0)
		*name = (struct bytes){ 0 };
}

/* How much more than a line may be a command of that name; 0: nothing. */
static size_t
more_than_line(struct bytes name)
{
	/* RFC 4959 section 3: an initial response may be as long as any other. */
	if (bytes_case_equal(name, BYTES("AUTHENTICATE")))
		return SASL_LINE_MAX;
	return bytes_case_equal(name, BYTES("ID")) ? ID_MORE_MAX : 0;
}

int
imap_read_line(struct login *l, struct bytes *tag, struct bytes *name)
{
	int r = wire_line(&l->wire, &l->command, IMAP_LINE_MAX);

	if (r < 0 && errno != E2BIG)
		return -1;
	split(l, tag, name);
	if (r < 0 && more_than_line(*name) > 0) {
		r = wire_line(&l->wire, &l->command, more_than_line(*name));
		split(l, tag, name);
	}
	return r;
}

/* The literal that the command, as far as it was read, ends in. */
static bool
announced(const struct login *l, struct literal_mark *mark)
{
	size_t head;

	return lex_literal_mark(imap_command(l), mark, &head);
}

static int
take_literal(struct login *l, const struct literal_mark *mark)
{
	if (mark->size + l->command.len > COMMAND_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (mark->sync && wire_text(&l->wire, "+ Go ahead\r\n") < 0)
		return -1;
	if (wire_exact(&l->wire, &l->command, mark->size) < 0)
		return -1;
	return wire_line(&l->wire, &l->command, IMAP_LINE_MAX < COMMAND_MAX
	    - l->command.len ? IMAP_LINE_MAX : COMMAND_MAX - l->command.len);
}

enum imap_rest
imap_read_rest(struct login *l, bool wanted)
{
	struct literal_mark mark;

	while (announced(l, &mark)) {
		if (mark.sync && (!wanted || mark.size > LITERAL_MAX))
			return wanted ? REST_LITERAL : REST_READ;
		if (mark.size > LITERAL_MAX) {
			/* RFC 7888 section 4: too much to read and forget. */
			errno = E2BIG;
			return REST_FAILED;
		}
		if (take_literal(l, &mark) < 0)
			return REST_FAILED;
	}
	return REST_READ;
}
