/*
 * What a part's header says about the part: private to src/mime.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "mime.h"

/* Bits of a part's fields. */
enum mime_field {
	FIELD_TYPE, FIELD_ENCODING, FIELD_DISPOSITION, FIELD_ID, FIELD_DESCRIPTION,
	FIELD_MD5, FIELD_LANGUAGE, FIELD_LOCATION,
	FIELD_DATE, FIELD_SUBJECT, FIELD_IN_REPLY_TO, FIELD_MESSAGE_ID,
	FIELD_FROM, FIELD_SENDER, FIELD_REPLY_TO, FIELD_TO, FIELD_CC, FIELD_BCC,
	FIELD_END
};

/* How a part is to be read on. */
struct part_type {
	bool multipart;			/* with a boundary that can be looked for */
	bool message;
	size_t boundary_n;
	unsigned char boundary[MIME_BOUNDARY_MAX];
};

/*
 * Keeps the fields of the block that the tree must remember for part, and
 * says in part and type what it is. in_message: part is the message that
 * another part holds, whose envelope is kept too. in_digest: a type that is
 * missing means message/rfc822 (RFC 2046 section 5.1.5). 0, or -1 with errno
 * ENOMEM.
 */
int fields_read(struct bytes block, bool in_message, bool in_digest,
    struct mime_tree *t, struct mime_part *part, struct part_type *type);

/* The value of the first such field that was kept of part, or false. */
bool fields_find(const struct mime_tree *t, const struct mime_part *part,
    enum mime_field which, struct bytes *value);

/* The part is shown as plain text, whatever it wanted to be. */
void fields_cut(struct mime_part *part);

#endif
