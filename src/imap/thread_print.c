/*
 * Printing a forest as thread-list (RFC 5256 section 5).
 *
 * Runs as: the mailbox owner (imap).
 */
#include "thread_tree.h"

#define NUMBER_MAX 10

static size_t
print_number(unsigned char *to, uint32_t v)
{
	unsigned char tmp[NUMBER_MAX];
	size_t n = 0, i;

	do
		tmp[n++] = (unsigned char)('0' + v % 10);
	while ((v /= 10) > 0);
	for (i = 0; i < n; i++)
		to[i] = tmp[n - 1 - i];
	return n;
}

static bool
has_sibling(const struct thread_node *x)
{
	return x->prev != THREAD_NONE || x->next != THREAD_NONE;
}

/*
 * An only child stands behind its parent; siblings, and the threads at the
 * top, each have parentheses of their own.
 */
static bool
has_parentheses(const struct thread_node *x)
{
	return x->parent == THREAD_ROOT || has_sibling(x);
}

static size_t
print_opening(const struct thread_tree *t, const struct thread_input *in,
    uint32_t i, unsigned char *to)
{
	const struct thread_node *x = &t->node[i];
	size_t n = 0;

	/* A space behind the parent's number, in front of its first child. */
	if (x->parent != THREAD_ROOT && x->prev == THREAD_NONE &&
	    t->node[x->parent].message != THREAD_NONE)
		to[n++] = ' ';
	if (has_parentheses(x))
		to[n++] = '(';
	if (x->message != THREAD_NONE)
		n += print_number(to + n, in->v[x->message].number);
	return n;
}

int
thread_print(const struct thread_tree *t, const struct thread_input *in,
    int (*write)(void *arg, const void *p, size_t n), void *arg)
{
	unsigned char token[NUMBER_MAX + 2];
	uint32_t i = t->node[THREAD_ROOT].child;

	while (i != THREAD_NONE) {
		if (write(arg, token, print_opening(t, in, i, token)) == -1)
			return -1;
		if (t->node[i].child != THREAD_NONE) {
			i = t->node[i].child;
			continue;
		}
		for (;;) {	/* up, closing, until there is a next one */
			if (has_parentheses(&t->node[i]) && write(arg, ")", 1) == -1)
				return -1;
			if (t->node[i].next != THREAD_NONE || t->node[i].parent == THREAD_ROOT)
				break;
			i = t->node[i].parent;
		}
		i = t->node[i].next;
	}
	return 0;
}
