/*
 * Arguments of LIST (RFC 9051 section 6.3.9, RFC 5258, 5819, 6154).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "limits.h"
#include "list.h"
#include "status.h"

static const struct {
	const char *word;
	unsigned option;
} select_options[] = {
	{ "SUBSCRIBED", LIST_SUBSCRIBED }, { "REMOTE", LIST_REMOTE },
	{ "RECURSIVEMATCH", LIST_RECURSIVE }, { "SPECIAL-USE", LIST_SPECIAL },
}, return_options[] = {
	{ "SUBSCRIBED", LIST_RETURN_SUBSCRIBED }, { "CHILDREN", LIST_RETURN_CHILDREN },
	{ "SPECIAL-USE", LIST_RETURN_SPECIAL }, { "STATUS", LIST_RETURN_STATUS },
	{ "METADATA", LIST_RETURN_METADATA },
};

#define SELECT_OPTIONS (sizeof select_options / sizeof select_options[0])
#define RETURN_OPTIONS (sizeof return_options / sizeof return_options[0])

static int
select_option(struct lex *x, struct list_args *a)
{
	for (size_t i = 0; i < SELECT_OPTIONS; i++) {
		if (!lex_word(x, select_options[i].word))
			continue;
		a->options |= select_options[i].option;
		return 0;
	}
	return lex_fail(x, EINVAL, "Unknown selection option");
}

/* What stands behind an option (RFC 5819, RFC 9590). */
static int
return_value(struct lex *x, struct list_args *a, unsigned option)
{
	switch (option) {
	case LIST_RETURN_STATUS:
		return lex_space(x) < 0 ? -1 : status_items(x, &a->status);
	case LIST_RETURN_METADATA:
		a->metadata = METADATA_REQUEST;
		return lex_space(x) < 0 ? -1 : metadata_entries(x, &a->metadata);
	default:
		return 0;
	}
}

static int
return_option(struct lex *x, struct list_args *a)
{
	for (size_t i = 0; i < RETURN_OPTIONS; i++) {
		if (!lex_word(x, return_options[i].word))
			continue;
		a->options |= return_options[i].option;
		return return_value(x, a, return_options[i].option);
	}
	return lex_fail(x, EINVAL, "Unknown return option");
}

/* "(" [option *(SP option)] ")" */
static int
options(struct lex *x, struct list_args *a,
    int (*option)(struct lex *, struct list_args *))
{
	if (lex_char(x, '(') < 0)
		return -1;
	while (lex_peek(x) != ')') {
		if (option(x, a) < 0)
			return -1;
		if (lex_peek(x) != ')' && lex_space(x) < 0)
			return -1;
	}
	return lex_char(x, ')');
}

/* One pattern, behind the reference and decoded. */
static int
pattern(struct lex *x, struct bytes reference, struct list_args *a)
{
	struct bytes raw, *out = &a->patterns[a->n_patterns];
	unsigned char *joined;

	if (lex_list_mailbox(x, &raw) < 0)
		return -1;
	if (raw.n + reference.n > LIST_PATTERN_MAX)
		return lex_fail(x, E2BIG, "Pattern too long");
	/* An empty one asks for the separator only if it is alone. */
	if (raw.n == 0)
		a->asks_separator = true;
	joined = arena_alloc(x->arena, raw.n + reference.n);
	if (joined == NULL)
		return lex_fail(x, errno, "Command too large");
	if (reference.n > 0)
		memcpy(joined, reference.p, reference.n);
	if (raw.n > 0)
		memcpy(joined + reference.n, raw.p, raw.n);
	if (lex_decode_name(x, bytes_make(joined, raw.n + reference.n), out) == 0)
		a->n_patterns++;
	else if (x->why != EILSEQ)
		return -1;
	/* What no name can match is silently ignored (RFC 9051 section 6.3.9). */
	return 0;
}

static int
patterns(struct lex *x, struct bytes reference, struct list_args *a)
{
	bool list = lex_peek(x) == '(' && lex_char(x, '(') == 0;

	a->extended = a->extended || list;
	a->patterns = arena_array(x->arena, list ? LIST_PATTERNS_MAX : 1,
	    sizeof *a->patterns);
	if (a->patterns == NULL)
		return lex_fail(x, errno, "Command too large");
	if (!list)
		return pattern(x, reference, a);
	do {
		if (a->n_patterns == LIST_PATTERNS_MAX)
			return lex_fail(x, E2BIG, "Too many patterns");
		if (pattern(x, reference, a) < 0)
			return -1;
	} while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')');
}

/*
 * RECURSIVEMATCH says how to use another option and is nothing without; REMOTE
 * and SPECIAL-USE are "independent" options (RFC 5258 section 6, RFC 6154 section 6).
 */
static int
check_options(struct lex *x, const struct list_args *a)
{
	if ((a->options & LIST_RECURSIVE) != 0
	    && (a->options & LIST_SUBSCRIBED) == 0)
		return lex_fail(x, EINVAL, "RECURSIVEMATCH wants SUBSCRIBED");
	return 0;
}

int
list_args(struct lex *x, struct list_args *a)
{
	struct bytes reference;

	if (lex_peek(x) == '(') {
		a->extended = true;
		if (options(x, a, select_option) < 0 || lex_space(x) < 0
		    || check_options(x, a) < 0)
			return -1;
	}
	if (lex_astring(x, &reference) < 0 || lex_space(x) < 0
	    || patterns(x, reference, a) < 0)
		return -1;
	if (lex_peek(x) != ' ')
		return lex_end(x);
	a->extended = true;
	if (lex_space(x) < 0 || !lex_word(x, "RETURN"))
		return lex_fail(x, EINVAL, "RETURN was expected");
	if (lex_space(x) < 0 || options(x, a, return_option) < 0)
		return -1;
	return lex_end(x);
}
