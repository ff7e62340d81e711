/*
 * Annotations of mailboxes: what GETMETADATA and LIST share.
 */
#ifndef METADATA_H
#define METADATA_H

#include "session.h"

struct metadata_request {
	struct bytes *entries;		/* in the arena */
	size_t n;
	uint64_t max;			/* octets of a value */
	unsigned depth;			/* levels below an entry */
	uint64_t longest;		/* out: of the values over max */
};

#define METADATA_REQUEST ((struct metadata_request){ .max = UINT64_MAX })
#define METADATA_INFINITY UINT32_MAX

/* entry / "(" entry *(SP entry) ")" */
int metadata_entries(struct lex *x, struct metadata_request *r);

/*
 * METADATA for one mailbox, or for the server when name is empty. uses are the
 * mailbox's. 0, or -1 with errno.
 */
int tell_metadata(struct session *s, struct bytes name, unsigned uses,
    struct metadata_request *r);

#endif
