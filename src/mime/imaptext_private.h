/*
 * What the two halves of the IMAP texts share: private to src/mime.
 */
#ifndef IMAPTEXT_PRIVATE_H
#define IMAPTEXT_PRIVATE_H

#include "imaptext.h"

/* A field's value, unfolded, as string. */
int imaptext_value(struct bytes value, unsigned flags, struct buf *out);

#endif
