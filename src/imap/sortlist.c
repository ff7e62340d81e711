/*
 * Sorting messages by criteria (RFC 5256 section 3, RFC 5957).
 *
 * Runs as: the mailbox owner (imap).
 */
#include <endian.h>
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

/*
 * A text that came before is looked for in a set of the last few with such a
 * hash. Where it is not found any more it is kept once again: that costs memory,
 * and the order is the same.
 */
#define WAYS 4
_Static_assert(SORT_TEXTS_MAX < UINT32_MAX, "a place is 32 bits");
#define MET_MAX ((size_t)65536)

static struct bytes
text_of(const struct sort_list *l, const struct sort_text *t)
{
	return bytes_make(l->texts.data + t->place, t->length);
}

static uint64_t
octets_at(struct bytes b, size_t at)
{
	uint64_t v;

	memcpy(&v, b.p + at, sizeof(v));
	return v;
}

/* The first octets, to compare first. */
static uint64_t
rank_of(struct bytes b)
{
	uint64_t rank = 0;
	size_t i;

	if (b.n >= sizeof(rank))
		return be64toh(octets_at(b, 0));
	for (i = 0; i < b.n; i++)
		rank |= (uint64_t)b.p[i] << (56 - 8 * i);
	return rank;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static size_t
met_slots(const struct sort_list *l)
{
	return l->texts_cap < MET_MAX / WAYS ? WAYS * l->texts_cap : MET_MAX;
}

static uint64_t
hash_of(struct bytes b)
{
	uint64_t h = mix(rank_of(b), b.n);

	for (size_t i = sizeof(h); i + sizeof(h) < b.n; i += sizeof(h))
		h = mix(h, octets_at(b, i));
	if (b.n > sizeof(h))
		h = mix(h, octets_at(b, b.n - sizeof(h)));
	return mix(h, 0);
}

static uint32_t *
met_like(const struct sort_list *l, uint64_t hash)
{
	return l->met + (hash & (met_slots(l) / WAYS - 1)) * WAYS;
}

static void
meet(uint32_t *set, size_t text)
{
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = (uint32_t)text + 1;
}

static int
grow_texts(struct sort_list *l)
{
	size_t cap = l->texts_cap == 0 ? 256 : 2 * l->texts_cap;
	struct sort_text *text = cap > UINT32_MAX ? NULL
	    : reallocarray(l->text, cap, sizeof(*text));

	if (text == NULL)
		return -1;
	l->text = text;
	l->texts_cap = cap;
	if (cap > MET_MAX / WAYS)
		return 0;
	free(l->met);
	l->met = calloc(met_slots(l), sizeof(*l->met));
	if (l->met == NULL)
		return -1;
	for (size_t i = 0; i < l->n_texts; i++)
		meet(met_like(l, hash_of(text_of(l, &l->text[i]))), i);
	return 0;
}

static int
grow(struct sort_list *l)
{
	size_t cap = l->cap == 0 ? 1024 : 2 * l->cap;
	struct sort_message *message;
	uint64_t *value;

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

uint64_t *
sort_add(struct sort_list *l, const struct sort_message *m)
{
	if (l->n == l->cap && grow(l) == -1)
		return NULL;
	l->message[l->n] = *m;
	return &l->value[l->n++ * l->program->n];
}

void
sort_number(uint64_t *v, int64_t number)
{
	*v = (uint64_t)number ^ (uint64_t)1 << 63;
}

int
sort_text(struct sort_list *l, uint64_t *v, struct bytes folded)
{
	struct bytes b = bytes_first(folded, SORT_TEXT_MAX);
	uint64_t hash = hash_of(b);
	uint16_t tag = (uint16_t)(hash >> 48);
	uint32_t *set;

	if (l->n_texts == l->texts_cap && grow_texts(l) == -1)
		return -1;
	set = met_like(l, hash);
	for (size_t i = 0; i < WAYS && set[i] != 0; i++) {
		const struct sort_text *t = &l->text[set[i] - 1];

		if (t->tag == tag && bytes_equal(text_of(l, t), b)) {
			*v = set[i] - 1;
			return 0;
		}
	}
	*v = l->n_texts++;
	l->text[*v] = (struct sort_text){ (uint32_t)l->texts.len, (uint16_t)b.n, tag };
	meet(set, *v);
	return buf_bytes(&l->texts, b);
}

/* ---- sorting ---- */

struct ordering {
	struct sort_list *list;
	uint32_t *number;		/* of each text, among those of one criterion */
	size_t numbers[SORT_CRITERIA_MAX];	/* of a criterion with texts: so many differ */
	uint32_t *order, *other;	/* the messages, and room for another order */
};

/* Of texts with the same rank. */
static int
compare_texts(const void *one, const void *other, void *list)
{
	const struct ranked *a = one, *b = other;
	const struct sort_list *l = list;

	return bytes_compare(text_of(l, &l->text[a->index]), text_of(l, &l->text[b->index]));
}

/* Sorts the texts and gives each its number, the same one to those that are equal. */
static size_t
number_sorted(struct ordering *o, struct ranked *v, size_t n)
{
	struct ranked *sorted = ranks_sort(v, v + n, n);
	size_t i, number = 0;

	ranks_ties(sorted, n, compare_texts, o->list);
	for (i = 0; i < n; i++) {
		if (i > 0 && (sorted[i].rank != sorted[i - 1].rank ||
		    compare_texts(&sorted[i], &sorted[i - 1], o->list) != 0))
			number++;
		o->number[sorted[i].index] = (uint32_t)number;
	}
	return n == 0 ? 0 : number + 1;
}

/* From now on the values of that criterion are numbers that grow as its texts do. */
static int
number_texts(struct ordering *o, size_t criterion)
{
	const struct sort_list *l = o->list;
	uint64_t *value = l->value + criterion, *end = value + l->n * l->program->n;
	size_t n = 0, most = l->n < l->n_texts ? l->n : l->n_texts, numbers;
	struct ranked *v = reallocarray(NULL, 2 * most + 1, sizeof(*v));

	if (v == NULL)
		return -1;
	memset(o->number, 0xff, l->n_texts * sizeof(*o->number));
	for (uint64_t *p = value; p < end; p += l->program->n)
		if (o->number[*p] == UINT32_MAX) {
			v[n++] = (struct ranked){ rank_of(text_of(l, &l->text[*p])), (uint32_t)*p };
			o->number[*p] = 0;
		}
	numbers = o->numbers[criterion] = number_sorted(o, v, n);
	for (uint64_t *p = value; p < end; p += l->program->n)
		*p = l->program->v[criterion].reverse ? numbers - 1 - o->number[*p]
		    : o->number[*p];
	free(v);
	return 0;
}

/* So many have it, so many places are theirs. */
static int
by_text(struct ordering *o, size_t criterion)
{
	const struct sort_list *l = o->list;
	size_t numbers = o->numbers[criterion], step = l->program->n, i;
	const uint64_t *value = l->value + criterion;
	uint32_t *at = calloc(numbers + 1, sizeof(*at)), *to = o->other;

	if (at == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		at[value[i * step] + 1]++;
	for (i = 0; i < numbers; i++)
		at[i + 1] += at[i];
	for (i = 0; i < l->n; i++)
		to[at[value[o->order[i] * step]]++] = o->order[i];
	free(at);
	o->other = o->order;
	o->order = to;
	return 0;
}

static int
by_number(struct ordering *o, size_t criterion)
{
	const struct sort_list *l = o->list;
	struct ranked *v = reallocarray(NULL, 2 * l->n + 1, sizeof(*v)), *sorted;
	uint64_t turned = l->program->v[criterion].reverse ? UINT64_MAX : 0;
	size_t i;

	if (v == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		v[i] = (struct ranked){ turned ^
		    l->value[o->order[i] * l->program->n + criterion], o->order[i] };
	sorted = ranks_sort(v, v + l->n, l->n);
	for (i = 0; i < l->n; i++)
		o->order[i] = sorted[i].index;
	free(v);
	return 0;
}

/* So many criteria count: behind texts of which all differ there is nothing to say. */
static int
number_criteria(struct ordering *o, size_t *n)
{
	const struct sort_program *p = o->list->program;

	o->number = reallocarray(NULL, o->list->n_texts + 1, sizeof(*o->number));
	if (o->number == NULL)
		return -1;
	for (*n = 0; *n < p->n; (*n)++) {
		if (p->v[*n].key < SORT_CC)
			continue;
		if (number_texts(o, *n) == -1)
			return -1;
		if (o->numbers[*n] == o->list->n) {
			(*n)++;
			break;
		}
	}
	free(o->number);
	o->number = NULL;
	return 0;
}

static int
order(struct ordering *o)
{
	const struct sort_list *l = o->list;
	size_t i, n;
	int r = 0;

	if (number_criteria(o, &n) == -1)
		return -1;
	o->order = reallocarray(NULL, l->n + 1, sizeof(*o->order));
	o->other = reallocarray(NULL, l->n + 1, sizeof(*o->other));
	if (o->order == NULL || o->other == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		o->order[i] = (uint32_t)i;
	/* The last one first: who is equal in another one stays as it was put. */
	while (r == 0 && n-- > 0)
		r = l->program->v[n].key < SORT_CC ? by_number(o, n) : by_text(o, n);
	return r;
}

uint32_t *
sort_order(struct sort_list *l)
{
	struct ordering o = { .list = l };

	if (order(&o) == -1) {
		free(o.order);
		o.order = NULL;
	}
	free(o.number);
	free(o.other);
	return o.order;
}

void
sort_free(struct sort_list *l)
{
	free(l->message);
	free(l->value);
	free(l->text);
	free(l->met);
	buf_free(&l->texts);
	buf_free(&l->scores);
}
