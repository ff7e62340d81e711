/*
 * Threading by RFC 5256 section 3 (BASE.6.4.THREAD), and THREAD=REFS.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "hashes.h"
#include "thread_tree.h"

/* ---- ORDEREDSUBJECT ---- */

struct ordered {
	uint64_t subject;
	int64_t first;		/* when the thread's first message was sent */
	int64_t sent;
	uint32_t head;		/* the thread's first message */
	uint32_t message;
};

static int
by_subject(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	if (x->sent != y->sent)
		return x->sent < y->sent ? -1 : 1;
	return x->message < y->message ? -1 : 1;
}

static int
by_thread(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	if (x->sent != y->sent)
		return x->sent < y->sent ? -1 : 1;
	return x->message < y->message ? -1 : 1;
}

/* Makes the forest of v, which is in its final order. */
static int
link_ordered(struct thread_tree *t, const struct ordered *v, size_t n)
{
	uint32_t head = THREAD_NONE, last = THREAD_NONE, node;
	size_t i;

	for (i = 0; i < n; i++) {
		node = tree_add(t, v[i].message);
		if (node == THREAD_NONE)
			return -1;
		if (v[i].message == v[i].head) {
			tree_link(t, THREAD_ROOT, head, node);
			head = node;
			last = THREAD_NONE;
		} else {
			tree_link(t, head, last, node);
			last = node;
		}
	}
	return 0;
}

static int
thread_ordered(const struct thread_input *in, struct thread_tree *t)
{
	struct ordered *v = reallocarray(NULL, in->n + 1, sizeof(*v));
	size_t i;
	int r;

	if (v == NULL)
		return -1;
	for (i = 0; i < in->n; i++)
		v[i] = (struct ordered){ .subject = in->v[i].subject,
		    .sent = in->v[i].sent, .message = (uint32_t)i };
	qsort(v, in->n, sizeof(*v), by_subject);
	for (i = 0; i < in->n; i++) {
		bool same = i > 0 && v[i].subject == v[i - 1].subject;

		v[i].head = same ? v[i - 1].head : v[i].message;
		v[i].first = same ? v[i - 1].first : v[i].sent;
	}
	qsort(v, in->n, sizeof(*v), by_thread);
	r = link_ordered(t, v, in->n);
	free(v);
	return r;
}

/* ---- REFERENCES, steps 1 to 3 ---- */

/* The node with this message id, a dummy when it is new; THREAD_NONE with errno. */
static uint32_t
node_of_id(struct thread_tree *t, struct hashes *ids, uint64_t id)
{
	uint32_t *at = hashes_at(ids, id);

	if (at != NULL && *at == HASHES_NONE)
		*at = tree_add(t, THREAD_NONE);
	return at == NULL ? THREAD_NONE : *at;
}

/*
 * The node of message i. Only the first message with an id has it (step 1.A);
 * another one, or one without, stands alone.
 */
static uint32_t
node_of_message(struct thread_tree *t, struct hashes *ids, uint64_t id, uint32_t i)
{
	uint32_t node;

	if (id == 0)
		return tree_add(t, i);
	node = node_of_id(t, ids, id);
	if (node == THREAD_NONE || t->node[node].message == THREAD_NONE) {
		if (node != THREAD_NONE)
			t->node[node].message = i;
		return node;
	}
	return tree_add(t, i);
}

/* A link from parent to child would close no loop. */
static bool
may_link(const struct thread_tree *t, uint32_t parent, uint32_t child)
{
	if (t->node[child].child == THREAD_NONE)
		return parent != child;
	return !tree_above(t, child, parent);
}

/* Step 1 for one message. */
static int
add_message(struct thread_tree *t, struct hashes *ids,
    const struct thread_input *in, uint32_t i)
{
	const struct thread_message *m = &in->v[i];
	uint32_t node, ref, prev = THREAD_NONE;
	size_t k;

	node = node_of_message(t, ids, m->id, i);
	if (node == THREAD_NONE)
		return -1;
	for (k = 0; k < m->n_refs; k++, prev = ref) {
		ref = node_of_id(t, ids, in->refs[m->refs + k]);
		if (ref == THREAD_NONE)
			return -1;
		if (prev != THREAD_NONE && t->node[ref].parent == THREAD_NONE &&
		    may_link(t, prev, ref))
			tree_join(t, prev, ref);
	}
	tree_unlink(t, node);		/* step 1.B: its own references count */
	if (prev != THREAD_NONE && may_link(t, prev, node))
		tree_join(t, prev, node);
	return 0;
}

/* Step 2: what has no parent becomes a child of the root. */
static void
gather_roots(struct thread_tree *t)
{
	size_t i;

	for (i = THREAD_ROOT + 1; i < t->n; i++)
		if (t->node[i].parent == THREAD_NONE)
			tree_join(t, THREAD_ROOT, (uint32_t)i);
}

/* Step 3 for one dummy whose descendants were pruned before. */
static void
prune_dummy(struct thread_tree *t, uint32_t i)
{
	uint32_t parent = t->node[i].parent, child = t->node[i].child;

	if (parent == THREAD_ROOT && child != THREAD_NONE &&
	    t->node[child].next != THREAD_NONE)
		return;
	tree_adopt(t, i, parent);
	tree_unlink(t, i);
}

static int
prune(struct thread_tree *t)
{
	size_t n;
	uint32_t *order = tree_order(t, &n);

	if (order == NULL)
		return -1;
	while (n-- > 0)
		if (t->node[order[n]].message == THREAD_NONE)
			prune_dummy(t, order[n]);
	free(order);
	return 0;
}

/* Steps 4 and 6: siblings everywhere, the youngest generation first. */
static int
sort_all(struct thread_tree *t, const struct thread_input *in)
{
	size_t n;
	uint32_t *order = tree_order(t, &n);
	int r = order == NULL ? -1 : 0;

	while (r == 0 && n-- > 0)
		r = tree_sort(t, in, order[n]);
	free(order);
	return r == 0 ? tree_sort(t, in, THREAD_ROOT) : -1;
}

/* ---- REFERENCES, step 5: threads with the same base subject ---- */

static uint64_t
thread_subject(const struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	uint32_t m = tree_message(t, node);

	return m == THREAD_NONE ? 0 : in->v[m].subject;
}

static bool
is_dummy(const struct thread_tree *t, uint32_t node)
{
	return t->node[node].message == THREAD_NONE;
}

static bool
is_reply(const struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	return !is_dummy(t, node) && in->v[t->node[node].message].reply;
}

/* Step 5.B: one thread for each subject, better a dummy or an original. */
static int
fill_subjects(const struct thread_tree *t, const struct thread_input *in,
    struct hashes *subjects)
{
	uint32_t i, *at;
	uint64_t subject;

	for (i = t->node[THREAD_ROOT].child; i != THREAD_NONE; i = t->node[i].next) {
		subject = thread_subject(t, in, i);
		if (subject == 0)
			continue;
		at = hashes_at(subjects, subject);
		if (at == NULL)
			return -1;
		if (*at == HASHES_NONE || (!is_dummy(t, *at) && (is_dummy(t, i) ||
		    (is_reply(t, in, *at) && !is_reply(t, in, i)))))
			*at = i;
	}
	return 0;
}

/* Step 5.C for the thread at i and the one of the same subject at *at. */
static int
merge(struct thread_tree *t, const struct thread_input *in, uint32_t i, uint32_t *at)
{
	uint32_t other = *at, dummy;

	if (is_dummy(t, i) && is_dummy(t, other)) {
		tree_adopt(t, i, other);
		tree_unlink(t, i);
		return 0;
	}
	if (!is_dummy(t, other) && !(is_reply(t, in, i) && !is_reply(t, in, other))) {
		dummy = tree_add(t, THREAD_NONE);
		if (dummy == THREAD_NONE)
			return -1;
		tree_link(t, THREAD_ROOT, THREAD_NONE, dummy);
		tree_unlink(t, other);
		tree_join(t, dummy, other);
		*at = other = dummy;
	}
	tree_unlink(t, i);
	tree_join(t, other, i);
	return 0;
}

static int
merge_subjects(struct thread_tree *t, const struct thread_input *in,
    struct hashes *subjects)
{
	uint32_t i, next, *at;
	uint64_t subject;

	/* New dummies are put in front and need no visit. */
	for (i = t->node[THREAD_ROOT].child; i != THREAD_NONE; i = next) {
		next = t->node[i].next;
		subject = thread_subject(t, in, i);
		if (subject == 0)
			continue;
		at = hashes_at(subjects, subject);
		if (at == NULL)
			return -1;
		if (next == *at)	/* it may go below a dummy now */
			next = t->node[next].next;
		if (*at != i && merge(t, in, i, at) == -1)
			return -1;
	}
	return 0;
}

static int
gather_subjects(struct thread_tree *t, const struct thread_input *in)
{
	struct hashes subjects;
	int r;

	if (hashes_init(&subjects, in->n) == -1)
		return -1;
	r = fill_subjects(t, in, &subjects);
	if (r == 0)
		r = merge_subjects(t, in, &subjects);
	hashes_free(&subjects);
	return r;
}

/* ---- REFS ---- */

struct latest {
	int64_t arrival;
	uint32_t message;
	uint32_t node;
};

static int
by_arrival(const void *a, const void *b)
{
	const struct latest *x = a, *y = b;

	if (x->arrival != y->arrival)
		return x->arrival < y->arrival ? -1 : 1;
	return x->message < y->message ? -1 : x->message > y->message;
}

/* Tells each thread of its newest message. order has parents first. */
static size_t
find_latest(const struct thread_tree *t, const struct thread_input *in,
    const uint32_t *order, size_t n, struct latest *v)
{
	size_t i, threads = 0;
	uint32_t m;

	for (i = 0; i < n; i++) {
		if (t->node[order[i]].parent == THREAD_ROOT)
			v[threads++] = (struct latest){ INT64_MIN, 0, order[i] };
		m = t->node[order[i]].message;
		if (m != THREAD_NONE && in->v[m].arrival >= v[threads - 1].arrival) {
			v[threads - 1].arrival = in->v[m].arrival;
			v[threads - 1].message = m;
		}
	}
	return threads;
}

/* Threads by the most recent INTERNALDATE in each, in place of step 4. */
static int
sort_by_arrival(struct thread_tree *t, const struct thread_input *in)
{
	size_t n, threads;
	uint32_t *order = tree_order(t, &n);
	struct latest *v = order == NULL ? NULL : reallocarray(NULL, n + 1, sizeof(*v));

	if (v == NULL) {
		free(order);
		return -1;
	}
	threads = find_latest(t, in, order, n, v);
	free(order);
	qsort(v, threads, sizeof(*v), by_arrival);
	while (threads-- > 0) {
		tree_unlink(t, v[threads].node);
		tree_link(t, THREAD_ROOT, THREAD_NONE, v[threads].node);
	}
	free(v);
	return 0;
}

/* ---- all of it ---- */

static int
add_messages(struct thread_tree *t, const struct thread_input *in)
{
	struct hashes ids;
	uint32_t i;
	int r = 0;

	if (hashes_init(&ids, in->n) == -1)
		return -1;
	for (i = 0; r == 0 && i < in->n; i++)
		r = add_message(t, &ids, in, i);
	hashes_free(&ids);
	return r;
}

static int
thread_references(enum thread_algorithm how, const struct thread_input *in,
    struct thread_tree *t)
{
	if (add_messages(t, in) == -1)
		return -1;
	gather_roots(t);
	if (prune(t) == -1 || sort_all(t, in) == -1)
		return -1;
	if (how == THREAD_REFS)
		return sort_by_arrival(t, in);
	return gather_subjects(t, in) == -1 ? -1 : sort_all(t, in);
}

int
thread_build(enum thread_algorithm how, const struct thread_input *in,
    struct thread_tree *out)
{
	int r;

	*out = (struct thread_tree){ 0 };
	if (in->n >= THREAD_NONE / 2) {
		errno = E2BIG;
		return -1;
	}
	if (tree_add(out, THREAD_NONE) == THREAD_NONE)
		return -1;
	r = how == THREAD_ORDEREDSUBJECT ? thread_ordered(in, out)
	    : thread_references(how, in, out);
	if (r == -1)
		thread_free(out);
	return r;
}

void
thread_free(struct thread_tree *t)
{
	free(t->node);
	*t = (struct thread_tree){ 0 };
}
