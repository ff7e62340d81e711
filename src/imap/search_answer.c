/*
 * RETURN options of SEARCH and SORT, and the answers to them.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "search_answer.h"
#include "search_program.h"

static const struct {
	const char *name;
	unsigned option;
} options[] = {
	{ "MIN", RETURN_MIN }, { "MAX", RETURN_MAX }, { "ALL", RETURN_ALL },
	{ "COUNT", RETURN_COUNT }, { "SAVE", RETURN_SAVE },
	{ "PARTIAL", RETURN_PARTIAL }, { "RELEVANCY", RETURN_RELEVANCY },
	{ "CONTEXT", RETURN_CONTEXT }, { "UPDATE", RETURN_UPDATE },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* [SP "(" fetch-att ... ")"]: what is read here is read again when it is needed. */
static int
parse_update(struct lex *x, struct search_return *out)
{
	struct bytes items = bytes_from(x->rest, 1);
	struct fetch_program program;

	if (lex_peek(x) != ' ' || items.n == 0 || items.p[0] != '(')
		return 0;
	if (lex_space(x) == -1 || fetch_parse(x, &program) == -1)
		return -1;
	out->fetch = bytes_first(items, items.n - x->rest.n);
	return 0;
}

static int
parse_option(struct lex *x, struct search_return *out)
{
	bool twice;
	size_t i;

	for (i = 0; i < OPTIONS && !lex_word(x, options[i].name); i++)
		;
	if (i == OPTIONS)
		return lex_fail(x, EINVAL, "Unknown RETURN option");
	twice = (out->options & options[i].option) != 0;
	out->options |= options[i].option;
	if (options[i].option == RETURN_UPDATE)
		return parse_update(x, out);
	if (options[i].option != RETURN_PARTIAL)
		return 0;
	if (twice)
		return lex_fail(x, EINVAL, "PARTIAL is there twice");
	return lex_space(x) == -1 ? -1 : partial_range_parse(x, &out->range);
}

static int
parse_options(struct lex *x, struct search_return *out)
{
	if (lex_space(x) == -1 || lex_char(x, '(') == -1)
		return -1;
	while (lex_peek(x) != ')') {
		if (out->options != 0 && lex_space(x) == -1)
			return -1;
		if (parse_option(x, out) == -1)
			return -1;
	}
	if ((out->options & RETURN_ALL) && (out->options & RETURN_PARTIAL))
		return lex_fail(x, EINVAL, "ALL and PARTIAL exclude each other");
	return lex_char(x, ')') == -1 ? -1 : lex_space(x);
}

int
search_return_parse(struct session *s, struct lex *x, struct search_return *out)
{
	*out = (struct search_return){ .extended = (s->enabled & ENABLED_REV2) != 0 };
	if (lex_word(x, "RETURN")) {
		out->extended = true;
		if (parse_options(x, out) == -1)
			return -1;
	}
	if (out->options == 0)
		out->options = RETURN_ALL;
	return 0;
}

/* ---- tokens ---- */

void
put_esearch(struct session *s, const struct call *c, const struct search_return *ret)
{
	struct response *r = &s->out;

	put_untagged(r, "ESEARCH");
	put_open(r);
	put_word(r, "TAG");
	put_string(r, c->tag);
	if (ret->mailbox.n > 0) {
		put_word(r, "MAILBOX");
		put_mailbox(r, ret->mailbox);
		put_word(r, "UIDVALIDITY");
		put_number(r, ret->uidvalidity);
	}
	put_close(r);
	if (call_uid(c))
		put_word(r, "UID");
}

void
put_partial_open(struct response *r, const struct partial_range *range)
{
	struct buf b = BUF_INIT(64);
	const char *sign = range->from_end ? "-" : "";

	put_word(r, "PARTIAL");
	put_open(r);
	buf_printf(&b, "%s%u:%s%u", sign, range->first, sign, range->last);
	put_raw(r, buf_contents(&b));
	buf_free(&b);
}

/* One range or number of an unordered list; the first one is a token. */
static void
put_run(struct response *r, uint32_t first, uint32_t last, bool begins)
{
	struct buf b = BUF_INIT(64);

	if (!begins)
		buf_byte(&b, ',');
	buf_number(&b, first);
	if (last != first) {
		buf_byte(&b, ':');
		buf_number(&b, last);
	}
	if (begins)
		put_raw(r, buf_contents(&b));
	else
		put_glued(r, buf_contents(&b));
	buf_free(&b);
}

void
put_numbers(struct response *r, const uint32_t *v, size_t n)
{
	size_t i, first;

	for (i = 0; i < n; i++) {
		first = i;
		while (i + 1 < n && v[i + 1] == v[i] + 1)
			i++;
		put_run(r, v[first], v[i], first == 0);
	}
}

void
put_relevancy(struct response *r, const struct search_return *ret,
    const unsigned char *scores, uint64_t n)
{
	uint64_t first = 1, last = n;

	if (n == 0 || ((ret->options & RETURN_PARTIAL) &&
	    !partial_range_cut(&ret->range, n, &first, &last)))
		return;
	put_word(r, "RELEVANCY");
	put_open(r);
	for (uint64_t i = first; i <= last; i++)
		put_number(r, scores[i - 1]);
	put_close(r);
}

const char *
relevancy_wrong(const struct search_return *ret, const struct search_program *program)
{
	return (ret->options & RETURN_RELEVANCY) && !program->fuzzy
	    ? "RELEVANCY needs FUZZY" : NULL;
}

void
put_modseq_list(struct response *r, uint64_t modseq)
{
	put_open(r);
	put_word(r, "MODSEQ");
	put_number(r, modseq);
	put_close(r);
}

/* ---- SEARCH ---- */

uint64_t
search_modseq(const struct search_return *ret, const struct search_found *found)
{
	uint64_t first = found->modseq_first, last = found->modseq_last;

	if (!ret->extended || (ret->options & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL)))
		return found->modseq;
	switch (ret->options & (RETURN_MIN | RETURN_MAX)) {
	case RETURN_MIN:
		return first;
	case RETURN_MAX:
		return last;
	case RETURN_MIN | RETURN_MAX:
		return first > last ? first : last;
	default:
		return found->modseq;
	}
}

/* The part of a set that a range names; empty when none. */
static int
cut_partial(const struct partial_range *range, const struct runs *set, struct runs *out)
{
	struct runs span = RUNS_INIT;
	uint64_t first, last;
	int r;

	if (!partial_range_cut(range, set->count, &first, &last))
		return 0;
	r = runs_add(&span, runs_nth(set, first), runs_nth(set, last));
	if (r == 0)
		r = runs_intersect(out, set, &span);
	runs_free(&span);
	return r;
}

static int
put_partial(struct response *r, const struct partial_range *range,
    const struct runs *numbers)
{
	struct runs part = RUNS_INIT;

	if (cut_partial(range, numbers, &part) == -1)
		return -1;
	put_partial_open(r, range);
	if (part.n > 0)
		put_set(r, &part);
	else
		put_nil(r);
	put_close(r);
	runs_free(&part);
	return 0;
}

static void
put_item(struct response *r, const char *name, uint64_t v)
{
	put_word(r, name);
	put_number(r, v);
}

static int
answer_extended(struct session *s, const struct call *c,
    const struct search_return *ret, const struct runs *numbers,
    const struct search_found *found, uint64_t modseq)
{
	struct response *r = &s->out;
	int failure = 0;

	put_esearch(s, c, ret);
	if ((ret->options & RETURN_MIN) && numbers->n > 0)
		put_item(r, "MIN", runs_first(numbers));
	if ((ret->options & RETURN_MAX) && numbers->n > 0)
		put_item(r, "MAX", runs_last(numbers));
	if (ret->options & RETURN_COUNT)
		put_item(r, "COUNT", numbers->count);
	if ((ret->options & RETURN_ALL) && numbers->n > 0) {
		put_word(r, "ALL");
		put_set(r, numbers);
	}
	if (ret->options & RETURN_PARTIAL)
		failure = put_partial(r, &ret->range, numbers);
	if (found->relevancy)
		put_relevancy(r, ret, found->scores.data, found->scores.len);
	if (modseq != 0)
		put_item(r, "MODSEQ", modseq);
	put_end(r);
	return failure;
}

static void
answer_plain(struct session *s, const struct runs *numbers, uint64_t modseq)
{
	struct response *r = &s->out;
	struct runs_cursor c = RUNS_CURSOR(numbers);
	uint32_t v;

	put_untagged(r, "SEARCH");
	while ((v = runs_next(&c)) != 0)
		put_number(r, v);
	if (modseq != 0)
		put_modseq_list(r, modseq);
	put_end(r);
}

int
search_answer(struct session *s, const struct call *c,
    const struct search_return *ret, const struct search_found *found,
    bool with_modseq)
{
	struct runs sequence = RUNS_INIT;
	const struct runs *numbers = call_uid(c) ? &found->uids : &sequence;
	uint64_t modseq = with_modseq && found->uids.n > 0 ? search_modseq(ret, found) : 0;
	int r = 0;

	if (returns_nothing(ret))
		return 0;
	if (!call_uid(c) && session_sequence(s, &found->uids, &sequence) == -1)
		r = -1;
	else if (ret->extended)
		r = answer_extended(s, c, ret, numbers, found, modseq);
	else
		answer_plain(s, numbers, modseq);
	runs_free(&sequence);
	return r;
}

/* ---- `$` ---- */

/* RFC 9051 section 6.4.4.1 and RFC 9394 section 3.2, their tables. */
static int
saved_part(const struct search_return *ret, const struct runs *uids, struct runs *out)
{
	unsigned o = ret->options;
	uint32_t first = runs_first(uids), last = runs_last(uids);

	if (uids->n == 0)
		return 0;
	if ((o & (RETURN_ALL | RETURN_COUNT)) || !(o & (RETURN_MIN | RETURN_MAX | RETURN_PARTIAL)))
		return runs_copy(out, uids);
	if ((o & RETURN_PARTIAL) && cut_partial(&ret->range, uids, out) == -1)
		return -1;
	if ((o & RETURN_MIN) && runs_add(out, first, first) == -1)
		return -1;
	return (o & RETURN_MAX) ? runs_add(out, last, last) : 0;
}

int
search_save(struct session *s, const struct search_return *ret,
    const struct search_found *found)
{
	struct runs part = RUNS_INIT;

	if (!(ret->options & RETURN_SAVE))
		return 0;
	if (saved_part(ret, &found->uids, &part) == -1) {
		runs_free(&part);
		return -1;
	}
	runs_free(&s->saved);
	s->saved = part;
	return 0;
}

struct outcome
search_failed(struct session *s, const struct search_return *ret, int error)
{
	if (ret->options & RETURN_SAVE)
		runs_clear(&s->saved);
	if (error == ETIME)
		return no(CODE_LIMIT, "The search took too long");
	return failed(error);
}
