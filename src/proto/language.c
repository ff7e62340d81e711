/*
 * Languages of the texts for people.
 * Runs as: _mailreeve, and the mailbox owner.
 */
#include "language.h"

/* The preferred one first. i-default is for anybody (RFC 2277 section 4.5). */
const struct language languages[] = {
	{ "en", "English", "Texts are in English" },
	{ "i-default", "Default", "Texts are in English for everybody" },
	{ .tag = NULL },
};

static const struct language *
find(struct bytes tag)
{
	for (const struct language *l = languages; l->tag != NULL; l++)
		if (bytes_case_equal(tag, bytes_of(l->tag)))
			return l;
	return NULL;
}

/* Lookup by RFC 4647 section 3.4: en-GB finds en. */
const struct language *
language_find(struct bytes range)
{
	const struct language *l = NULL;

	if (bytes_equal(range, BYTES("*")))
		return &languages[0];
	while (range.n > 0 && (l = find(range)) == NULL) {
		while (range.n > 0 && range.p[range.n - 1] != '-')
			range.n--;
		range.n -= range.n > 0;
	}
	return l;
}
