/*
 * Reading flags.
 * Runs as: the mailbox owner.
 */
#include "lex.h"
#include "mail.h"

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
	{ "Answered", FLAG_ANSWERED }, { "Flagged", FLAG_FLAGGED },
	{ "Deleted", FLAG_DELETED }, { "Seen", FLAG_SEEN },
	{ "Draft", FLAG_DRAFT },
};

#define SYSTEM_FLAGS (sizeof system_flags / sizeof system_flags[0])

static int
system_flag(struct lex *x, struct flag_list *out)
{
	struct bytes name;

	if (lex_char(x, '\\') < 0 || lex_atom(x, &name) < 0)
		return -1;
	if (bytes_case_equal(name, BYTES("Recent")))
		out->recent = true;
	for (size_t i = 0; i < SYSTEM_FLAGS; i++)
		if (bytes_case_equal(name, bytes_of(system_flags[i].name)))
			out->flags |= system_flags[i].flag;
	return 0;
}

static int
flag(struct lex *x, struct flag_list *out)
{
	if (lex_peek(x) == '\\')
		return system_flag(x, out);
	if (out->n == LEX_FLAGS_MAX)
		return lex_fail(x, E2BIG, "Too many flags");
	return lex_atom(x, &out->keywords[out->n]) < 0 ? -1 : (out->n++, 0);
}

int
lex_flags(struct lex *x, struct flag_list *out)
{
	bool list = lex_peek(x) == '(' && lex_char(x, '(') == 0;

	*out = (struct flag_list){ 0 };
	if (list && lex_peek(x) == ')')
		return lex_char(x, ')');
	out->keywords = arena_array(x->arena, LEX_FLAGS_MAX, sizeof *out->keywords);
	if (out->keywords == NULL)
		return lex_fail(x, errno, "Command too large");
	for (;;) {
		if (flag(x, out) < 0)
			return -1;
		if (lex_peek(x) != ' ')
			break;
		if (lex_space(x) < 0)
			return -1;
	}
	return list ? lex_char(x, ')') : 0;
}
