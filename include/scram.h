/*
 * The client's two messages of SCRAM (RFC 5802 section 7).
 */
#ifndef SCRAM_H
#define SCRAM_H

#include "bytes.h"

/* client-first-message; everything but the two names points into it. */
struct scram_first {
	struct bytes header;		/* gs2-header, with its last comma */
	unsigned char flag;		/* 'n': no channel binding, 'y': none offered, 'p': this one */
	struct bytes binding;		/* name of the channel binding, with 'p' */
	struct bytes authzid;		/* empty: the same as user */
	struct bytes bare;		/* client-first-message-bare */
	struct bytes user;
	struct bytes nonce;
};

/*
 * room has message.n bytes for the names, which are unescaped there. 0, or -1
 * with errno EINVAL (what it says is none), ENOTSUP (an extension that must be
 * understood).
 */
int scram_first(struct bytes message, unsigned char *room,
    struct scram_first *out);

/* client-final-message */
struct scram_final {
	struct bytes binding;		/* in base64 */
	struct bytes behind;		/* what was signed behind it, with the comma */
	struct bytes nonce;
	struct bytes proof;		/* in base64 */
};

/* 0, or -1 with errno EINVAL. */
int scram_final(struct bytes message, struct scram_final *out);

#endif
