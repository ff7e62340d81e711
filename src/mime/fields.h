/*
 * What a part's header says about the part: private to src/mime.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "mime.h"

/* How a part is to be read on. */
struct part_type {
	bool multipart;			/* with a boundary that can be looked for */
	bool message;
	size_t boundary_n;
	unsigned char boundary[MIME_BOUNDARY_MAX];
};

/*
 * Keeps the fields of the block that the tree must remember for part, and
 * says in part and type what it is. in_digest: a type that is missing means
 * message/rfc822 (RFC 2046 section 5.1.5). 0, or -1 with errno ENOMEM.
 */
int fields_read(struct bytes block, bool is_message, bool in_digest,
    struct mime_tree *t, struct mime_part *part, struct part_type *type);

/* The part is shown as plain text, whatever it wanted to be. */
void fields_cut(struct mime_part *part);

#endif
