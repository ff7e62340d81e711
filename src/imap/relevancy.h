/*
 * How relevant a message is to the fuzzy keys of a search (RFC 6203 section 4).
 */
#ifndef RELEVANCY_H
#define RELEVANCY_H

#include "facts.h"
#include "search_program.h"

/*
 * 1 to 100 for a message that the program found: more where the strings stand
 * in the subject than among addresses, than anywhere else; and the more of
 * the field they are.
 */
unsigned relevancy(const struct search_program *p, struct facts *f);

#endif
