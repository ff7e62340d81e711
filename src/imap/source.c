/*
 * A message's stored bytes through one window.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "source.h"

static void
forget(struct source *s)
{
	if (s->open)
		message_close(&s->msg);
	s->open = false;
	s->at = 0;
	s->filled = 0;
}

void
source_take(struct source *s, uint32_t uid)
{
	forget(s);
	s->uid = uid;
}

int
source_open(struct source *s)
{
	if (s->open)
		return 0;
	if (s->window == NULL && (s->window = malloc(SOURCE_WINDOW)) == NULL)
		return -1;
	if (mailbox_message(s->box, s->uid, &s->msg) == -1)
		return -1;
	s->open = true;
	return 0;
}

/* Reads on behind the window's bytes: how many came, or -1. */
static ssize_t
extend(struct source *s, uint64_t max)
{
	/* Who wants the beginning often wants no more than that. */
	size_t want = s->at + s->filled == 0 && max <= SOURCE_FIRST ? SOURCE_FIRST
	    : SOURCE_WINDOW - s->filled;
	ssize_t n = message_read(&s->msg, s->at + s->filled, s->window + s->filled, want);

	if (n > 0)
		s->filled += (size_t)n;
	return n;
}

int
source_at(struct source *s, uint64_t offset, uint64_t max, struct bytes *out)
{
	size_t skip;

	if (source_open(s) == -1)
		return -1;
	if (offset < s->at || offset > s->at + s->filled ||
	    (offset == s->at + s->filled && s->filled == SOURCE_WINDOW)) {
		s->at = offset;
		s->filled = 0;
	}
	skip = (size_t)(offset - s->at);
	if (skip == s->filled && max > 0 && extend(s, max) == -1)
		return -1;
	*out = bytes_from(bytes_make(s->window, s->filled), skip);
	if (out->n > max)
		out->n = (size_t)max;
	return 0;
}

int
source_begin(struct source *s, size_t max, struct bytes *out)
{
	struct bytes any;
	ssize_t n;

	if (source_at(s, 0, max, &any) == -1)
		return -1;
	while (s->filled < max) {
		n = extend(s, max);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
	}
	*out = bytes_first(bytes_make(s->window, s->filled), max);
	return 0;
}

void
source_end(struct source *s)
{
	forget(s);
	free(s->window);
	s->window = NULL;
}
