/*
 * Fuzz target: parts as they are kept in the index, which anybody could have
 * written. What is accepted is sound, and survives being written.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "imaptext.h"

#define SIZE 1000

static void
require(bool held)
{
	if (!held)
		abort();
}

static void
sound(const struct mime_tree *t)
{
	size_t children = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct mime_part *p = &t->v[i];
		uint32_t c;

		require(p->header <= p->body && p->body <= p->end &&
		    p->end <= SIZE && p->charset_n <= MIME_CHARSET_MAX);
		for (c = p->child; c != MIME_NONE; c = t->v[c].next) {
			require(c > i && c < t->n && t->v[c].parent == i);
			children++;
		}
	}
	require(children + 1 == t->n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint32_t numbers[] = { 1, 2, 1, 1 };
	struct buf out = BUF_INIT((size_t)1 << 20), text = BUF_INIT(IMAPTEXT_MAX);
	struct mime_tree t, back;

	if (mime_read(bytes_make(p, n), SIZE, &t) < 0)
		return 0;
	sound(&t);
	for (size_t k = 0; k <= 4; k++)
		mime_section(&t, numbers, k);
	require(mime_write(&t, &out) == 0);
	require(mime_read(buf_contents(&out), SIZE, &back) == 0 && back.n == t.n);
	mime_tree_free(&back);
	require(imaptext_bodystructure(&t, 0, &text) == 0);
	mime_tree_free(&t);
	buf_free(&out);
	buf_free(&text);
	return 0;
}
