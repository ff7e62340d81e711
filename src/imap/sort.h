/*
 * Sorting messages of the selected mailbox that were found before.
 */
#ifndef SORT_H
#define SORT_H

#include "search_program.h"
#include "sortlist.h"

/*
 * The UIDs of those that are still there, in their order, on the heap; found is
 * what found them, for their relevancy. 0, or -1 with errno.
 */
int sort_messages(struct session *s, const struct sort_program *sort,
    struct search_program *found, const struct runs *uids, uint32_t **out, size_t *n);

#endif
