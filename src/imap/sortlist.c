/*
 * Sorting messages by criteria (RFC 5256 section 3, RFC 5957).
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "ranks.h"
#include "sortlist.h"

static const struct {
	const char *name;
	enum sort_key key;
} names[] = {
	{ "ARRIVAL", SORT_ARRIVAL }, { "CC", SORT_CC }, { "DATE", SORT_DATE },
	{ "DISPLAYFROM", SORT_DISPLAYFROM }, { "DISPLAYTO", SORT_DISPLAYTO },
	{ "FROM", SORT_FROM }, { "RELEVANCY", SORT_RELEVANCY }, { "SIZE", SORT_SIZE }, { "SUBJECT", SORT_SUBJECT },
	{ "TO", SORT_TO },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static int
parse_criterion(struct lex *x, struct sort_program *p)
{
	struct sort_criterion *c = &p->v[p->n];
	size_t i;

	if (p->n == SORT_CRITERIA_MAX)
		return lex_fail(x, E2BIG, "Too many sort criteria");
	if (lex_word(x, "REVERSE")) {
		c->reverse = true;
		if (lex_space(x) == -1)
			return -1;
	}
	for (i = 0; i < NAMES && !lex_word(x, names[i].name); i++)
		;
	if (i == NAMES)
		return lex_fail(x, EINVAL, "Unknown sort criterion");
	c->key = names[i].key;
	p->size |= c->key == SORT_SIZE;
	p->relevancy |= c->key == SORT_RELEVANCY;
	p->dates |= c->key < SORT_RELEVANCY;
	p->sent |= c->key == SORT_DATE;
	p->texts |= c->key >= SORT_CC;
	p->n++;
	return 0;
}

int
sort_parse(struct lex *x, struct sort_program *out)
{
	*out = (struct sort_program){ 0 };
	out->v = arena_array(x->arena, SORT_CRITERIA_MAX + 1, sizeof(*out->v));
	if (out->v == NULL)
		return lex_fail(x, errno, "Command too large");
	if (lex_char(x, '(') == -1)
		return -1;
	for (;;) {
		if (parse_criterion(x, out) == -1)
			return -1;
		if (lex_peek(x) != ' ')
			return lex_char(x, ')');
		x->rest = bytes_from(x->rest, 1);
	}
}

/* ---- collecting ---- */

static int
grow(struct sort_list *l)
{
	size_t cap = l->cap == 0 ? 1024 : 2 * l->cap;
	struct sort_message *message;
	struct sort_value *value;

	message = reallocarray(l->message, cap, sizeof(*message));
	if (message == NULL)
		return -1;
	l->message = message;
	value = reallocarray(l->value, cap, l->program->n * sizeof(*value));
	if (value == NULL)
		return -1;
	l->value = value;
	l->cap = cap;
	return 0;
}

struct sort_value *
sort_add(struct sort_list *l, const struct sort_message *m)
{
	if (l->n == l->cap && grow(l) == -1)
		return NULL;
	l->message[l->n] = *m;
	return &l->value[l->n++ * l->program->n];
}

void
sort_number(struct sort_value *v, int64_t number)
{
	v->rank = (uint64_t)number ^ (uint64_t)1 << 63;
	v->place = 0;
}

int
sort_text(struct sort_list *l, struct sort_value *v, struct bytes folded)
{
	size_t i;

	folded = bytes_first(folded, SORT_TEXT_MAX);
	v->rank = 0;
	for (i = 0; i < sizeof(v->rank); i++)
		v->rank = v->rank << 8 | (i < folded.n ? folded.p[i] : 0);
	v->place = (uint64_t)l->texts.len << 16 | folded.n;
	return buf_bytes(&l->texts, folded);
}

/* ---- sorting ---- */

static struct bytes
text_of(const struct sort_list *l, const struct sort_value *v)
{
	return bytes_make(l->texts.data + (v->place >> 16), v->place & 0xffff);
}

static int
compare_values(const struct sort_list *l, enum sort_key key,
    const struct sort_value *a, const struct sort_value *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return key < SORT_CC ? 0 : bytes_compare(text_of(l, a), text_of(l, b));
}

/* By all criteria, for those of the same rank in the first. */
static int
compare_entries(const void *one, const void *other, void *list)
{
	const struct ranked *a = one, *b = other;
	const struct sort_list *l = list;
	size_t n = l->program->n, i;
	int r;

	for (i = 0; i < n; i++) {
		const struct sort_criterion *c = &l->program->v[i];

		r = compare_values(l, c->key, &l->value[a->index * n + i],
		    &l->value[b->index * n + i]);
		if (r != 0)
			return c->reverse ? -r : r;
	}
	return a->index < b->index ? -1 : 1;
}

uint32_t *
sort_order(const struct sort_list *l)
{
	struct ranked *v = reallocarray(NULL, 2 * l->n + 1, sizeof(*v)), *sorted;
	uint32_t *order = reallocarray(NULL, l->n + 1, sizeof(*order));
	bool reverse = l->program->v[0].reverse;
	struct sort_list list = *l;
	size_t i;

	if (v == NULL || order == NULL) {
		free(v);
		free(order);
		return NULL;
	}
	for (i = 0; i < l->n; i++) {
		uint64_t rank = l->value[i * l->program->n].rank;

		v[i] = (struct ranked){ reverse ? ~rank : rank, (uint32_t)i };
	}
	sorted = ranks_sort(v, v + l->n, l->n);
	/* Where the first criterion is a number and the only one, all is said. */
	if (l->program->n > 1 || l->program->v[0].key >= SORT_CC)
		ranks_ties(sorted, l->n, compare_entries, &list);
	for (i = 0; i < l->n; i++)
		order[i] = sorted[i].index;
	free(v);
	return order;
}

void
sort_free(struct sort_list *l)
{
	free(l->message);
	free(l->value);
	buf_free(&l->texts);
}
