/*
 * LIST responses that nobody asked for: IMAP4rev2's word on which mailbox a
 * command was about (RFC 9051 section 6.3.9.7).
 */
#ifndef OLDNAME_H
#define OLDNAME_H

#include "session.h"

/*
 * "* LIST (attribute) "/" name", with OLDNAME when given is another name;
 * attribute may be NULL.
 */
void tell_list(struct session *s, const char *attribute, struct bytes name,
    struct bytes given);

/* The same, only with IMAP4rev2 and only when the names differ. */
void tell_oldname(struct session *s, const char *attribute, struct bytes name,
    struct bytes given);

#endif
