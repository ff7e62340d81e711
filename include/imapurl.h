/*
 * IMAP URLs to a message or a part of one, as CATENATE has them: absolute-path
 * references (RFC 5092 section 7.1), nothing that names a server or a user.
 */
#ifndef IMAPURL_H
#define IMAPURL_H

#include "arena.h"

struct imapurl {
	struct bytes mailbox;		/* UTF-8 as given, INBOX in its own spelling */
	uint32_t uidvalidity;		/* 0: any */
	uint32_t uid;
	struct bytes section;		/* text of a section-spec; empty: all */
	bool partial;
	uint64_t first;
	uint64_t count;			/* 0: to the end */
};

/*
 * "/" mailbox [";UIDVALIDITY=" n] "/;UID=" n ["/;SECTION=" text]
 * ["/;PARTIAL=" n ["." n]]. Decoded texts are in the arena. 0, or -1 with
 * errno: EINVAL, or the arena's.
 */
int imapurl_parse(struct bytes url, struct arena *a, struct imapurl *out);

#endif
