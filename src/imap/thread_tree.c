/*
 * The forest that threading works on.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "thread_tree.h"

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

struct sibling {
	int64_t sent;
	uint32_t message;	/* mailbox order breaks ties (RFC 5256 section 2.2) */
	uint32_t node;
};

static int
compare_siblings(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->sent != y->sent)
		return x->sent < y->sent ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

static struct sibling
sibling_of(const struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	uint32_t m = tree_message(t, node);

	return (struct sibling){ m == THREAD_NONE ? 0 : in->v[m].sent, m, node };
}

int
tree_sort(struct thread_tree *t, const struct thread_input *in, uint32_t node)
{
	struct sibling *v;
	uint32_t i;
	size_t n = 0;

	for (i = t->node[node].child; i != THREAD_NONE; i = t->node[i].next)
		n++;
	if (n < 2)
		return 0;
	v = reallocarray(NULL, n, sizeof(*v));
	if (v == NULL)
		return -1;
	for (n = 0, i = t->node[node].child; i != THREAD_NONE; i = t->node[i].next)
		v[n++] = sibling_of(t, in, i);
	qsort(v, n, sizeof(*v), compare_siblings);
	while (n-- > 0) {	/* each to the front, the last one first */
		tree_unlink(t, v[n].node);
		tree_link(t, node, THREAD_NONE, v[n].node);
	}
	free(v);
	return 0;
}
