/*
 * What is known of a message: taken from its columns, or found by reading the
 * message and remembered in them.
 *
 * Columns are read as hostile input: what is not as it would have been written
 * is found anew. Results stay valid until the next call with the same facts.
 * Functions answer 0, or -1 with errno (ENOENT: the message is gone).
 */
#ifndef FACTS_H
#define FACTS_H

#include "header.h"
#include "mime.h"
#include "sortkey.h"
#include "source.h"

struct facts {
	struct mailbox *box;
	uint32_t uid;
	bool rev2;			/* IMAP4rev2 is enabled: a message/global is looked into */
	struct source source;
	struct mime_tree tree;		/* of the message, when has_tree */
	bool has_tree;
	bool parsed;			/* by reading: with its fields */
	struct buf header;		/* its header as stored, when has_header */
	bool has_header;
	struct buf text;		/* what was just made */
	struct buf column;
	struct buf part;		/* of the texts */
};

void facts_begin(struct facts *f, struct mailbox *b);
void facts_take(struct facts *f, uint32_t uid);		/* another message */
void facts_end(struct facts *f);

/* ENVELOPE, BODY and BODYSTRUCTURE as IMAP text that is right in every mode. */
int facts_envelope(struct facts *f, struct bytes *out);
int facts_body(struct facts *f, struct bytes *out);
int facts_bodystructure(struct facts *f, struct bytes *out);

/* Where the parts are. */
int facts_tree(struct facts *f, const struct mime_tree **out);

/* The header as stored, with its empty line, of at most HEADER_MAX octets. */
int facts_header(struct facts *f, struct bytes *out);

/* The exact size where the row does not know it: one reading serves both. */
int facts_size(struct facts *f, const struct mail_row *row, uint64_t *size);

/*
 * True when COLUMN_HEADER keeps all fields of these names: facts_fields() then
 * answers a part of the header, as stored, that has all of them and perhaps
 * others, with the empty line if there is one.
 */
bool facts_keeps(const struct bytes *names, size_t n);
int facts_fields(struct facts *f, struct bytes *out);

int facts_sortkey(struct facts *f, struct sortkey *out);
/* The texts that are searched, and those that are sorted by; perhaps others too. */
int facts_texts(struct facts *f, struct sorttexts *out);
int facts_orders(struct facts *f, struct sorttexts *out);

/* PREVIEW. When lazy, 1 means that it would take long. */
int facts_preview(struct facts *f, bool lazy, struct bytes *out);

#endif
