/*
 * New messages in a folder that is not the open one: what delivery and copy
 * share.
 */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "bound.h"

/* Numbers the drafts from to->rec.uid_next on; gives their mod-sequence. */
int transfer_reserve(struct bound *to, struct draft *v, size_t n,
    uint64_t *modseq);

/* Rows for drafts that became messages. */
int transfer_index(struct bound *to, const struct draft *v, size_t n,
    uint64_t modseq);

/* The keyword of that name in the folder's own numbers, made when missing. */
int transfer_keyword(struct folder *to, struct bytes name, struct keyword_set *set);

#endif
