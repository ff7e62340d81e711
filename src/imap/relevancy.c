/*
 * How relevant a message is to the fuzzy keys of a search (RFC 6203 section 4).
 *
 * FUZZY finds what the same key finds without it: substrings, whatever their
 * case and marks. Only the score tells that it was asked for.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "fold.h"
#include "relevancy.h"

/* What a hit is worth that is all of the field, and one that is next to nothing. */
static const struct worth {
	unsigned most, least;
} worths[] = {
	[KEY_SUBJECT] = { 100, 60 },
	[KEY_FROM] = { 80, 40 }, [KEY_TO] = { 70, 30 }, [KEY_CC] = { 60, 20 },
	[KEY_BCC] = { 60, 20 },
};

#define FIELDS (sizeof(worths) / sizeof(worths[0]))
#define ELSEWHERE 10

struct scoring {
	bool readable;			/* texts are there */
	struct sorttexts texts;
	uint64_t sum;
	unsigned keys;
};

static unsigned
score_of_needle(const struct scoring *s, struct bytes needle)
{
	for (size_t i = 0; s->readable && i < FIELDS; i++) {
		struct bytes text = s->texts.text[i];

		if (needle.n > 0 && fold_contains(text, needle))
			return worths[i].least + (unsigned)((worths[i].most -
			    worths[i].least) * needle.n / text.n);
	}
	return ELSEWHERE;
}

/* Keys without a string match exactly, or not at all: they tell nothing. */
static void
add_node(struct scoring *s, const struct search_node *n)
{
	if (n->fuzzy && n->needle.n > 0) {
		s->sum += score_of_needle(s, n->needle);
		s->keys++;
	}
	for (const struct search_node *c = n->child; c != NULL; c = c->next)
		add_node(s, c);
}

unsigned
relevancy(const struct search_program *p, struct facts *f)
{
	struct scoring s = { .readable = false };

	s.readable = facts_texts(f, &s.texts) == 0;
	add_node(&s, p->root);
	return s.keys == 0 ? 100 : (unsigned)(s.sum / s.keys);
}
