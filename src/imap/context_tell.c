/*
 * ADDTO and REMOVEFROM (RFC 5267 sections 4.3.2 to 4.3.4).
 *
 * A result in mailbox order needs no positions. A sorted one is told by
 * positions: what leaves from the last to the first, what joins from the first
 * to the last, so that each position is right when the client gets to it.
 *
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "context_result.h"
#include "sort.h"

static int
begin(struct session *s, const struct context *x)
{
	struct response *r = &s->out;
	struct mailbox_status st;

	if (x->named && mailbox_status_now(s->box, STATUS_COUNTS, &st) < 0)
		return -1;
	put_untagged(r, "ESEARCH");
	put_open(r);
	put_word(r, "TAG");
	put_string(r, x->tag);
	if (x->named) {
		put_word(r, "MAILBOX");
		put_mailbox(r, mailbox_name_of(s->box));
		put_word(r, "UIDVALIDITY");
		put_number(r, st.uidvalidity);
	}
	put_close(r);
	if (x->by_uid)
		put_word(r, "UID");
	return 0;
}

/* The members of found that stay, and those that join. */
static int
change_found(const struct context *x, const struct context_change *ch,
    struct runs *out)
{
	int r = runs_subtract(out, &x->found, &ch->removed);

	for (size_t i = 0; r == 0 && i < ch->added.n; i++)
		r = runs_add(out, ch->added.v[i].first, ch->added.v[i].last);
	return r;
}

/* ---- in mailbox order ---- */

static int
put_change(struct session *s, const struct context *x, const char *item,
    const struct runs *uids)
{
	struct response *r = &s->out;
	struct runs numbers = RUNS_INIT;

	if (uids->n == 0)
		return 0;
	if (!x->by_uid && session_sequence(s, uids, &numbers) < 0)
		return -1;
	put_word(r, item);
	put_open(r);
	put_number(r, 0);
	put_set(r, x->by_uid ? uids : &numbers);
	put_close(r);
	runs_free(&numbers);
	return 0;
}

static int
tell_plain(struct session *s, struct context *x, const struct context_change *ch)
{
	struct runs found = RUNS_INIT;
	int r;

	if (change_found(x, ch, &found) < 0 || begin(s, x) < 0) {
		runs_free(&found);
		return -1;
	}
	r = put_change(s, x, "REMOVEFROM", &ch->removed);
	if (r == 0)
		r = put_change(s, x, "ADDTO", &ch->added);
	put_end(&s->out);
	runs_free(&x->found);
	x->found = found;
	return r;
}

/* ---- sorted ---- */

/* A result as it was or will be. */
struct sorted {
	struct runs set;
	uint32_t *uid;			/* in their order */
	uint32_t *number;		/* as the client calls them */
	size_t n;
};

static void
sorted_free(struct sorted *o)
{
	runs_free(&o->set);
	free(o->uid);
	free(o->number);
}

static int
stay(const struct sorted *old, const struct runs *found, struct sorted *out)
{
	out->uid = reallocarray(NULL, found->count + 1, sizeof *out->uid);
	if (out->uid == NULL)
		return -1;
	for (size_t i = 0; i < old->n; i++)
		if (runs_contains(found, old->uid[i]))
			out->uid[out->n++] = old->uid[i];
	return 0;
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The set of the UIDs, each added at its end; number lends the room. */
static int
gather(struct sorted *o)
{
	memcpy(o->number, o->uid, o->n * sizeof *o->uid);
	qsort(o->number, o->n, sizeof *o->number, compare_uids);
	for (size_t i = 0; i < o->n; i++)
		if (runs_add(&o->set, o->number[i], o->number[i]) < 0)
			return -1;
	return 0;
}

static void
number_all(struct session *s, const struct context *x, struct sorted *o)
{
	const struct runs *view = mailbox_view(s->box);

	for (size_t i = 0; i < o->n; i++)
		o->number[i] = x->by_uid ? o->uid[i]
		    : (uint32_t)runs_rank(view, o->uid[i]);
}

static int
number_them(struct session *s, const struct context *x, struct sorted *o)
{
	o->number = reallocarray(NULL, o->n + 1, sizeof *o->number);
	if (o->number == NULL || gather(o) < 0)
		return -1;
	number_all(s, x, o);
	return 0;
}

/* A message that goes while it is sorted is left out, as if removed. */
static int
next_order(struct session *s, struct context *x, const struct context_change *ch,
    const struct sorted *old, struct sorted *new)
{
	struct runs found = RUNS_INIT;
	int r = change_found(x, ch, &found);

	if (r == 0 && ch->added.n > 0)
		r = sort_messages(s, &x->sort, &x->program, &found, &new->uid, &new->n);
	else if (r == 0)
		r = stay(old, &found, new);
	runs_free(&found);
	return r == 0 ? number_them(s, x, new) : -1;
}

/* Members of o that are not in other stand side by side: from one to the end. */
static size_t
group_end(const struct sorted *o, const struct runs *other, size_t i)
{
	while (i < o->n && !runs_contains(other, o->uid[i]))
		i++;
	return i;
}

static void
put_group(struct response *r, const char *item, bool *begun, const struct sorted *o,
    size_t first, size_t end)
{
	if (!*begun) {
		put_word(r, item);
		put_open(r);
	}
	*begun = true;
	put_number(r, first + 1);
	put_numbers(r, o->number + first, end - first);
}

static void
put_removed(struct response *r, const struct sorted *old, const struct runs *new)
{
	bool begun = false;
	size_t first, end = old->n;

	while (end > 0) {
		first = end;
		while (first > 0 && !runs_contains(new, old->uid[first - 1]))
			first--;
		if (first < end)
			put_group(r, "REMOVEFROM", &begun, old, first, end);
		end = first > 0 ? first - 1 : 0;
	}
	if (begun)
		put_close(r);
}

static void
put_added(struct response *r, const struct sorted *new, const struct runs *old)
{
	bool begun = false;
	size_t end;

	for (size_t i = 0; i < new->n; i = end + 1) {
		end = group_end(new, old, i);
		if (end > i)
			put_group(r, "ADDTO", &begun, new, i, end);
	}
	if (begun)
		put_close(r);
}

static int
tell_sorted(struct session *s, struct context *x, const struct context_change *ch)
{
	struct sorted old = { .uid = x->order, .n = x->found.count };
	struct sorted new = { .set = RUNS_INIT };

	x->order = NULL;
	if (next_order(s, x, ch, &old, &new) < 0 || number_them(s, x, &old) < 0
	    || begin(s, x) < 0) {
		sorted_free(&old);
		sorted_free(&new);
		return -1;
	}
	put_removed(&s->out, &old, &new.set);
	put_added(&s->out, &new, &old.set);
	put_end(&s->out);
	runs_free(&x->found);
	x->found = new.set;
	x->order = new.uid;
	new.set = RUNS_INIT;
	new.uid = NULL;
	sorted_free(&old);
	sorted_free(&new);
	return 0;
}

int
context_tell(struct session *s, struct context *x, const struct context_change *ch)
{
	return x->sorted ? tell_sorted(s, x, ch) : tell_plain(s, x, ch);
}
