/*
 * SORT and UID SORT (RFC 5256), with SORT=DISPLAY (RFC 5957) and ESORT (RFC 5267).
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "context.h"
#include "messagelimit.h"
#include "relevancy.h"
#include "search.h"
#include "search_answer.h"
#include "sort.h"

/* Which text of the sort column a criterion is. */
static const enum sortkey_text texts[] = {
	[SORT_CC] = KEY_CC_MAILBOX,
	[SORT_FROM] = KEY_FROM_MAILBOX,
	[SORT_SUBJECT] = KEY_BASE,
	[SORT_TO] = KEY_TO_MAILBOX,
	[SORT_DISPLAYFROM] = KEY_FROM_DISPLAY,
	[SORT_DISPLAYTO] = KEY_TO_DISPLAY,
};

/* ---- collecting ---- */

/* What is known of the message at hand. */
struct known {
	const struct mail_row *row;
	uint64_t size;
	unsigned score;
	struct sortkey key;
	struct sorttexts texts;
};

/*
 * Numbers, and texts only when texts are asked for: these are valid as long as
 * nothing else is looked up. What cannot be read of a message counts as empty.
 * -1 when the message went.
 */
static int
look_up(const struct sort_program *p, struct facts *facts, struct known *k)
{
	if (p->size && !k->row->size_known &&
	    mailbox_row_size(facts->box, k->row->uid, &k->size) == -1 && errno == ENOENT)
		return -1;
	if (p->sent && facts_sortkey(facts, &k->key) == -1) {
		if (errno == ENOENT)
			return -1;
		k->key.flags = 0;
	}
	if (p->texts && facts_orders(facts, &k->texts) == -1) {
		if (errno == ENOENT)
			return -1;
		k->texts = (struct sorttexts){ 0 };
	}
	return 0;
}

static int
set_value(struct sort_list *l, uint64_t *v, enum sort_key key,
    const struct known *k)
{
	switch (key) {
	case SORT_ARRIVAL:
		sort_number(v, k->row->internaldate);
		return 0;
	case SORT_DATE:		/* RFC 5256 section 2.2: else the internal date */
		sort_number(v, k->key.flags & SORTKEY_DATE ? k->key.sent
		    : k->row->internaldate);
		return 0;
	case SORT_RELEVANCY:	/* the highest first */
		sort_number(v, -(int64_t)k->score);
		return 0;
	case SORT_SIZE:
		sort_number(v, k->size < INT64_MAX ? (int64_t)k->size : INT64_MAX);
		return 0;
	default:
		return sort_text(l, v, k->texts.text[texts[key]]);
	}
}

struct collecting {
	struct sort_list *list;
	const struct search_program *search;
	bool relevancy;
};

static int
collect(void *arg, const struct mail_row *row, uint64_t sequence, struct facts *facts)
{
	const struct collecting *to = arg;
	struct sort_list *l = to->list;
	struct sort_message m = { row->uid, (uint32_t)sequence, row->modseq };
	struct known known;
	uint64_t *v;
	size_t i;

	/* Keys and texts are a lot to clear, and set where they are wanted. */
	known.row = row;
	known.size = row->size;
	known.score = to->relevancy ? relevancy(to->search, facts) : 0;
	if (look_up(l->program, facts, &known) == -1)
		return 0;
	v = sort_add(l, &m);
	if (v == NULL || (to->relevancy &&
	    buf_byte(&l->scores, (unsigned char)known.score) == -1))
		return -1;
	for (i = 0; i < l->program->n; i++)
		if (set_value(l, &v[i], l->program->v[i].key, &known) == -1)
			return -1;
	return 0;
}

/* 1 when there are more messages to look at than one command may: none was. */
static int
find(struct session *s, const struct call *c, struct search_program *search,
    struct sort_list *l, bool relevancy_wanted)
{
	struct collecting to = { l, search, relevancy_wanted };
	const struct search_sink sink = { collect, &to, l->program->dates, false };
	struct search_run run;
	int r = search_begin(&run, s, c->tag, search);

	if (r == 0)
		r = limit_exceeded(s, run.candidates.count) ? 1 : search_all(&run, &sink);
	search_end(&run);
	return r;
}

/* Finds all messages: what was found before is only sorted. */
static struct search_program
everything(void)
{
	static struct search_node all = { .op = SEARCH_AND };

	return (struct search_program){ .root = &all };
}

int
sort_messages(struct session *s, const struct sort_program *sort,
    struct search_program *found, const struct runs *uids, uint32_t **out, size_t *n)
{
	struct search_program all = everything();
	struct sort_list l = SORT_LIST(sort);
	struct collecting to = { &l, found, sort->relevancy };
	const struct search_sink sink = { collect, &to, sort->dates, false };
	struct search_run run;
	int r = search_among(&run, s, &all, uids);

	if (r == 0)
		r = search_all(&run, &sink);
	search_end(&run);
	*n = l.n;
	*out = r == 0 ? sort_order(&l) : NULL;
	for (size_t i = 0; *out != NULL && i < l.n; i++)
		(*out)[i] = l.message[(*out)[i]].uid;
	sort_free(&l);
	return *out == NULL ? -1 : 0;
}

/* ---- answering ---- */

/* The result in its order, as the client calls the messages. */
struct sorted {
	const struct sort_list *list;
	const uint32_t *order;
	uint32_t *number;
	unsigned char *score;		/* their relevancy */
	size_t n;
};

static const struct sort_message *
message(const struct sorted *t, size_t i)
{
	return &t->list->message[t->order[i]];
}

static void
put_part(struct response *r, const struct search_return *ret, const struct sorted *t)
{
	uint64_t first, last;

	put_partial_open(r, &ret->range);
	if (partial_range_cut(&ret->range, t->n, &first, &last))
		put_numbers(r, t->number + first - 1, (size_t)(last - first + 1));
	else
		put_nil(r);
	put_close(r);
}

static void
put_extended(struct session *s, const struct call *c, const struct search_return *ret,
    const struct sorted *t, uint64_t modseq)
{
	struct response *r = &s->out;

	put_esearch(s, c, ret);
	if ((ret->options & RETURN_MIN) && t->n > 0) {
		put_word(r, "MIN");
		put_number(r, t->number[0]);
	}
	if ((ret->options & RETURN_MAX) && t->n > 0) {
		put_word(r, "MAX");
		put_number(r, t->number[t->n - 1]);
	}
	if (ret->options & RETURN_COUNT) {
		put_word(r, "COUNT");
		put_number(r, t->n);
	}
	if ((ret->options & RETURN_ALL) && t->n > 0) {
		put_word(r, "ALL");
		put_numbers(r, t->number, t->n);
	}
	if (ret->options & RETURN_PARTIAL)
		put_part(r, ret, t);
	if (ret->options & RETURN_RELEVANCY)
		put_relevancy(r, ret, t->score, t->n);
	if (modseq != 0) {
		put_word(r, "MODSEQ");
		put_number(r, modseq);
	}
	put_end(r);
}

static void
put_plain(struct session *s, const struct sorted *t, uint64_t modseq)
{
	struct response *r = &s->out;
	size_t i;

	put_untagged(r, "SORT");
	for (i = 0; i < t->n; i++)
		put_number(r, t->number[i]);
	if (modseq != 0)
		put_modseq_list(r, modseq);
	put_end(r);
}

static uint64_t
highest_modseq(const struct search_return *ret, const struct sorted *t)
{
	struct search_found found = { 0 };
	size_t i;

	if (t->n == 0)
		return 0;
	found.modseq_first = message(t, 0)->modseq;
	found.modseq_last = message(t, t->n - 1)->modseq;
	for (i = 0; i < t->n; i++)
		if (t->list->message[i].modseq > found.modseq)
			found.modseq = t->list->message[i].modseq;
	return search_modseq(ret, &found);
}

/* ---- `$` ---- */

static int
save_range(struct runs *out, const struct sorted *t, uint64_t first, uint64_t last)
{
	uint64_t i;
	uint32_t uid;

	for (i = first; i <= last; i++) {
		uid = message(t, (size_t)(i - 1))->uid;
		if (runs_add(out, uid, uid) == -1)
			return -1;
	}
	return 0;
}

static int
save_part(struct runs *out, const struct search_return *ret, const struct sorted *t)
{
	uint64_t first, last;

	if ((ret->options & RETURN_MIN) && save_range(out, t, 1, 1) == -1)
		return -1;
	if ((ret->options & RETURN_MAX) && save_range(out, t, t->n, t->n) == -1)
		return -1;
	if (!(ret->options & RETURN_PARTIAL) ||
	    !partial_range_cut(&ret->range, t->n, &first, &last))
		return 0;
	return save_range(out, t, first, last);
}

static int
save_all(struct runs *out, const struct sorted *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)	/* in mailbox order: each goes to the end */
		if (runs_add(out, t->list->message[i].uid, t->list->message[i].uid) == -1)
			return -1;
	return 0;
}

static int
save(struct session *s, const struct search_return *ret, const struct sorted *t)
{
	const unsigned part = RETURN_MIN | RETURN_MAX | RETURN_PARTIAL;
	struct runs set = RUNS_INIT;
	int r = 0;

	if (!(ret->options & RETURN_SAVE))
		return 0;
	if ((ret->options & (RETURN_ALL | RETURN_COUNT)) || !(ret->options & part))
		r = save_all(&set, t);
	else if (t->n > 0)
		r = save_part(&set, ret, t);
	if (r == -1) {
		runs_free(&set);
		return -1;
	}
	runs_free(&s->saved);
	s->saved = set;
	return 0;
}

/* ---- the command ---- */

static int
answer(struct session *s, const struct call *c, const struct search_return *ret,
    const struct sort_list *l, const uint32_t *order, bool with_modseq)
{
	struct sorted t = { l, order, NULL, NULL, l->n };
	uint64_t modseq = with_modseq ? highest_modseq(ret, &t) : 0;
	size_t i;

	if (save(s, ret, &t) == -1)
		return -1;
	if (returns_nothing(ret))
		return 0;
	t.number = reallocarray(NULL, t.n + 1, sizeof(*t.number));
	t.score = malloc(t.n + 1);
	if (t.number == NULL || t.score == NULL) {
		free(t.number);
		free(t.score);
		return -1;
	}
	for (i = 0; i < l->scores.len; i++)
		t.score[i] = l->scores.data[order[i]];
	for (i = 0; i < t.n; i++)
		t.number[i] = call_uid(c) ? message(&t, i)->uid : message(&t, i)->sequence;
	if (ret->extended)
		put_extended(s, c, ret, &t, modseq);
	else
		put_plain(s, &t, modseq);
	free(t.number);
	free(t.score);
	return 0;
}

/* The context begins with what was found, in mailbox order and as it is sorted. */
static void
keep_context(struct session *s, struct context *x, const struct sort_list *l,
    const uint32_t *order)
{
	uint32_t *uids = x == NULL ? NULL : reallocarray(NULL, l->n + 1, sizeof *uids);
	struct runs found = RUNS_INIT;
	int r = uids == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		uids[i] = l->message[order[i]].uid;
		r = runs_add(&found, l->message[i].uid, l->message[i].uid);
	}
	if (r == 0)
		context_keep(s, x, &found, uids);
	else
		context_free(x);
	runs_free(&found);
	free(uids);
}

static struct outcome
run(struct session *s, struct call *c, const struct search_return *ret,
    const struct sort_program *sort, struct search_program *search,
    struct context *context)
{
	struct sort_list l = SORT_LIST(sort);
	uint32_t *order = NULL;
	struct outcome o = ok("SORT completed");
	int r;

	if (search->modseq)
		session_enable_condstore(s);
	r = find(s, c, search, &l, sort->relevancy || (ret->options & RETURN_RELEVANCY));
	if (r == 0 && ((order = sort_order(&l)) == NULL ||
	    answer(s, c, ret, &l, order, search->modseq) == -1))
		r = -1;
	if (r != 0) {
		o = search_failed(s, ret, r == 1 ? E2BIG : errno);
		/* RFC 9738 section 3.3: half an order is none. */
		if (r == 1)
			o = limit_refused(s->conf->message_limit, 0);
		context_free(context);
	} else
		keep_context(s, context, &l, order);
	free(order);
	sort_free(&l);
	return o;
}

static struct outcome
parse_search(struct session *s, struct lex *x, struct bytes *charset,
    struct lex *keys, struct search_program *out)
{
	if (lex_space(x) == -1 || lex_astring(x, charset) == -1 || lex_space(x) == -1)
		return bad_syntax(x);
	*keys = *x;
	return search_parse(s, x, charset, out);
}

static const char *
wrong(const struct session *s, const struct call *c, const struct search_return *ret,
    const struct sort_program *sort, const struct search_program *search)
{
	if ((sort->relevancy || (ret->options & RETURN_RELEVANCY)) && !search->fuzzy)
		return "RELEVANCY needs FUZZY";
	return context_wrong(s, c, ret);
}

struct outcome
cmd_sort(struct session *s, struct call *c)
{
	struct search_return ret;
	struct sort_program sort;
	struct search_program search;
	struct bytes charset;
	struct context_wish wish = { .ret = &ret, .sort = &sort, .charset = &charset };
	const char *why;
	struct outcome o;

	if (search_return_parse(s, &c->args, &ret) == -1 || sort_parse(&c->args, &sort) == -1)
		return bad_syntax(&c->args);
	o = parse_search(s, &c->args, &charset, &wish.keys, &search);
	if (o.result == RESULT_NO && (ret.options & RETURN_SAVE))
		runs_clear(&s->saved);
	if (o.result != RESULT_OK)
		return o;
	why = wrong(s, c, &ret, &sort, &search);
	o = why != NULL ? bad(why)
	    : run(s, c, &ret, &sort, &search, context_new(s, c, &wish));
	search_free(&search);
	return o;
}
