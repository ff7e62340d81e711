/*
 * The forest that threading works on: nodes linked to parent, first child and
 * siblings. Private to thread_*.c.
 */
#ifndef THREAD_TREE_H
#define THREAD_TREE_H

#include "thread.h"

#define THREAD_ROOT 0

/* A new node without a parent; its index, or THREAD_NONE with errno. */
uint32_t tree_add(struct thread_tree *t, uint32_t message);

/* Links child behind its sibling after, or as the first child (THREAD_NONE). */
void tree_link(struct thread_tree *t, uint32_t parent, uint32_t after,
    uint32_t child);
void tree_unlink(struct thread_tree *t, uint32_t child);

/* Links child, but never as the first one of several: that one names a dummy. */
static inline void
tree_join(struct thread_tree *t, uint32_t parent, uint32_t child)
{
	tree_link(t, parent, t->node[parent].child, child);
}

/* All children of from join those of to. */
void tree_adopt(struct thread_tree *t, uint32_t from, uint32_t to);

/*
 * True when a is b or above it, and also when b lies deeper than THREAD_WALK_MAX:
 * made-up references shall not cost quadratic time, they only lose a link.
 */
#define THREAD_WALK_MAX 2000
bool tree_above(const struct thread_tree *t, uint32_t a, uint32_t b);

/*
 * All nodes below the root, parents before their children; NULL with errno.
 * To be freed by the caller.
 */
uint32_t *tree_order(const struct thread_tree *t, size_t *n);

/* Orders the children of node by when they were sent; a dummy counts as its first child. */
int tree_sort(struct thread_tree *t, const struct thread_input *in, uint32_t node);

/* The message of a node, of its first child when it is a dummy. */
static inline uint32_t
tree_message(const struct thread_tree *t, uint32_t node)
{
	const struct thread_node *x = &t->node[node];

	return x->message != THREAD_NONE || x->child == THREAD_NONE
	    ? x->message : t->node[x->child].message;
}

#endif
