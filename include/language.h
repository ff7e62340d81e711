/*
 * Languages of the texts for people: what POP3's LANG chooses from (RFC 6856
 * section 3).
 */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "bytes.h"

struct language {
	const char *tag;
	const char *name;		/* in the language itself */
	const char *chosen;		/* what is said when it was chosen */
};

/* Ends with a row without a tag. */
extern const struct language languages[];

/* The one that a language range asks for ("*": the preferred one), or NULL. */
const struct language *language_find(struct bytes range);

#endif
