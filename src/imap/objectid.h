/*
 * EMAILID and THREADID (RFC 8474 section 5), both found in the message itself:
 * they survive every loss of the index and are the same in every mailbox.
 *
 * EMAILID is "M" and 160 bits of the SHA-256 of the message as it is sent, with CRLF line
 * ends. THREADID is "T" and as many bits of that of the identifier that began
 * the thread: the first in References, else the first in In-Reply-To, else
 * Message-ID; a message without any is a thread of its own, by its content.
 *
 * COLUMN_ID: version, then the bits of THREADID, then those of EMAILID if they
 * were ever asked for.
 */
#ifndef OBJECTID_H
#define OBJECTID_H

#include "facts.h"

#define OBJECTID_BITS ((size_t)20)	/* octets of a digest that are kept */
#define OBJECTID_LENGTH (1 + 2 * OBJECTID_BITS)

struct objectid {
	unsigned char text[OBJECTID_LENGTH];
};

static inline struct bytes
objectid_bytes(const struct objectid *id)
{
	return bytes_make(id->text, sizeof id->text);
}

/* Of the message that f holds: 0, or -1 with errno. */
int objectid_email(struct facts *f, struct objectid *out);
int objectid_thread(struct facts *f, struct objectid *out);

#endif
