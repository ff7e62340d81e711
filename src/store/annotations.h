/*
 * Annotations of mailboxes as a small text file beside each one's mail
 * (mailreeve-maildir(5)).
 */
#ifndef STORE_ANNOTATIONS_H
#define STORE_ANNOTATIONS_H

#include "store.h"

/* Those of one mailbox become those of another as well. */
int annotations_copy(struct store *s, struct bytes from, struct bytes to);

#endif
