/*
 * What the two halves of the IMAP texts share: private to src/mime.
 */
#ifndef IMAPTEXT_PRIVATE_H
#define IMAPTEXT_PRIVATE_H

#include "imaptext.h"

/* The first field of this name, unfolded, as nstring. */
int imaptext_field(struct bytes header, const char *name, unsigned flags,
    struct buf *out);

#endif
