/*
 * Which names a mailbox may be given (RFC 9051 section 5.1, RFC 9755 section 3).
 */
#ifndef NEWNAME_H
#define NEWNAME_H

#include "session.h"

/* Why no mailbox can be made with that name, or NULL when nothing speaks against it. */
const char *newname_wrong(const struct session *s, struct bytes name);

#endif
