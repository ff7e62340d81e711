/*
 * The forest that threading works on.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "ranks.h"
#include "thread_tree.h"

#define MANY 256		/* siblings, for whom counting octets pays */

uint32_t
tree_add(struct thread_tree *t, uint32_t message)
{
	struct thread_node *grown;
	size_t cap;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 256 : t->cap * 2;
		if (cap >= THREAD_NONE) {
			errno = E2BIG;
			return THREAD_NONE;
		}
		grown = reallocarray(t->node, cap, sizeof(*grown));
		if (grown == NULL)
			return THREAD_NONE;
		t->node = grown;
		t->cap = cap;
	}
	t->node[t->n] = (struct thread_node){ THREAD_NONE, THREAD_NONE,
	    THREAD_NONE, THREAD_NONE, message };
	return (uint32_t)t->n++;
}

void
tree_link(struct thread_tree *t, uint32_t parent, uint32_t after, uint32_t child)
{
	struct thread_node *c = &t->node[child];
	uint32_t *from = after == THREAD_NONE ? &t->node[parent].child
	    : &t->node[after].next;

	c->parent = parent;
	c->prev = after;
	c->next = *from;
	*from = child;
	if (c->next != THREAD_NONE)
		t->node[c->next].prev = child;
}

void
tree_unlink(struct thread_tree *t, uint32_t child)
{
	struct thread_node *c = &t->node[child];

	if (c->parent == THREAD_NONE)
		return;
	if (c->prev != THREAD_NONE)
		t->node[c->prev].next = c->next;
	else
		t->node[c->parent].child = c->next;
	if (c->next != THREAD_NONE)
		t->node[c->next].prev = c->prev;
	c->parent = c->next = c->prev = THREAD_NONE;
}

void
tree_adopt(struct thread_tree *t, uint32_t from, uint32_t to)
{
	uint32_t child;

	while ((child = t->node[from].child) != THREAD_NONE) {
		tree_unlink(t, child);
		tree_join(t, to, child);
	}
}

bool
tree_above(const struct thread_tree *t, uint32_t a, uint32_t b)
{
	unsigned steps;

	for (steps = 0; b != THREAD_NONE; b = t->node[b].parent)
		if (b == a || ++steps > THREAD_WALK_MAX)
			return true;
	return false;
}

/* The node that follows i in a walk that visits parents first. */
static uint32_t
tree_next(const struct thread_tree *t, uint32_t i)
{
	if (t->node[i].child != THREAD_NONE)
		return t->node[i].child;
	while (i != THREAD_ROOT && t->node[i].next == THREAD_NONE)
		i = t->node[i].parent;
	return i == THREAD_ROOT ? THREAD_NONE : t->node[i].next;
}

uint32_t *
tree_order(const struct thread_tree *t, size_t *n)
{
	uint32_t *order = reallocarray(NULL, t->n, sizeof(*order));
	uint32_t i;

	*n = 0;
	if (order == NULL)
		return NULL;
	for (i = tree_next(t, THREAD_ROOT); i != THREAD_NONE; i = tree_next(t, i))
		order[(*n)++] = i;
	return order;
}

/* By when they were sent, then in mailbox order (RFC 5256 section 2.2). */
static int
compare_siblings(const void *a, const void *b, void *tree)
{
	const struct ranked *x = a, *y = b;
	uint32_t one, other;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	one = tree_message(tree, x->index);
	other = tree_message(tree, y->index);
	return (one > other) - (one < other);
}

static struct ranked
sibling(const struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	uint32_t m = tree_message(t, node);
	int64_t sent = m == THREAD_NONE ? 0 : in->v[m].sent;

	return (struct ranked){ (uint64_t)sent ^ (uint64_t)1 << 63, node };
}

/* Links the children of node anew, in the order of v. */
static void
line_up(struct thread_tree *t, uint32_t node, const struct ranked *v, size_t n)
{
	uint32_t *from = &t->node[node].child, before = THREAD_NONE;

	for (size_t i = 0; i < n; i++) {
		*from = v[i].index;
		t->node[v[i].index].prev = before;
		before = v[i].index;
		from = &t->node[before].next;
	}
	*from = THREAD_NONE;
}

int
tree_sort(struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	struct ranked *v, *sorted;
	uint32_t i;
	size_t n = 0;

	for (i = t->node[node].child; i != THREAD_NONE; i = t->node[i].next)
		n++;
	if (n < 2)
		return 0;
	sorted = v = reallocarray(NULL, 2 * n, sizeof(*v));
	if (v == NULL)
		return -1;
	for (n = 0, i = t->node[node].child; i != THREAD_NONE; i = t->node[i].next)
		v[n++] = sibling(t, in, i);
	if (n < MANY)
		qsort_r(v, n, sizeof(*v), compare_siblings, t);
	else {
		sorted = ranks_sort(v, v + n, n);
		ranks_ties(sorted, n, compare_siblings, t);
	}
	line_up(t, node, sorted, n);
	free(v);
	return 0;
}
