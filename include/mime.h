/*
 * The structure of a message (RFC 2045, 2046), found while its bytes pass by.
 *
 * A parser is pushed the message as stored in any pieces and keeps only the
 * header fields that IMAP's texts need. The result is an array of parts in the
 * order of their first bytes; part 0 is the message. A message/rfc822 or
 * message/global part has exactly one child: the message in it. A multipart in
 * which no part was found is shown as the text it is.
 */
#ifndef MIME_H
#define MIME_H

#include "buf.h"
#include "decode.h"

#define MIME_DEPTH_MAX 100		/* deeper ones are leaves */
#define MIME_PARTS_MAX 10000		/* further ones belong to no part */
#define MIME_PART_HEADER_MAX ((size_t)65536)	/* parsed of a part's; of the message's HEADER_MAX */
#define MIME_KEPT_MAX ((size_t)4 << 20)	/* header fields kept of all parts */
#define MIME_BOUNDARY_MAX 256		/* RFC 2046 has 70 */
#define MIME_CHARSET_MAX 40

enum mime_kind {
	MIME_LEAF = 0,			/* neither of these */
	MIME_TEXT,			/* text, any subtype */
	MIME_MULTIPART,			/* has at least one child */
	MIME_MESSAGE,			/* message/rfc822 or message/global: has one child */
	MIME_KIND_END
};

enum mime_part_flags {
	MIME_HTML = 1,			/* text/html */
	MIME_PLAIN = 2,			/* text/plain */
	MIME_ATTACHMENT = 4,		/* Content-Disposition: attachment */
	MIME_DIGEST = 8,		/* multipart/digest: parts default to message/rfc822 */
	MIME_CUT = 16,			/* multipart or message not looked into, or without parts */
	MIME_GLOBAL = 32,		/* message/global */
	MIME_CLOSED = 64,		/* its last boundary was met */
	MIME_REPORT = 128,		/* message/delivery-status and the like: a leaf, text to read */
	MIME_FLAGS_ALL = 255,
};

#define MIME_NONE UINT32_MAX

struct mime_part {
	uint64_t header;		/* offsets as stored: first byte of the header, */
	uint64_t body;			/* behind its empty line, */
	uint64_t end;			/* behind the body, before a boundary's line end */
	uint64_t header_octets;		/* with CRLF line ends and the empty line */
	uint64_t body_octets;
	uint64_t body_lines;		/* line ends in the body */
	uint32_t parent, child, next;	/* numbers of parts, or MIME_NONE */
	uint32_t kept, kept_n;		/* its fields in the tree's kept, */
	uint32_t fields;		/* and which these are, src/mime/fields.h */
	uint8_t kind;			/* enum mime_kind */
	uint8_t encoding;		/* enum mime_encoding */
	uint8_t flags;			/* enum mime_part_flags */
	uint8_t charset_n;
	char charset[MIME_CHARSET_MAX];	/* of text, as written; not NUL-terminated */
};

struct mime_tree {
	struct mime_part *v;
	size_t n;
	size_t cap;
	struct buf kept;		/* empty when it came from mime_read() */
};

void mime_tree_free(struct mime_tree *t);

struct mime_parser;

/* NULL with errno ENOMEM. */
struct mime_parser *mime_begin(void);

/* 0, or -1 with errno ENOMEM. */
int mime_push(struct mime_parser *p, struct bytes piece);

/* The message has ended. Frees the parser, also when it answers -1. */
int mime_end(struct mime_parser *p, struct mime_tree *out);
void mime_abort(struct mime_parser *p);

/*
 * The fields of a part that were kept, as a header block for header_find():
 * Content-*, and of a message that a part holds also those of the envelope.
 */
struct bytes mime_fields(const struct mime_tree *t, const struct mime_part *part);

/*
 * The part that the numbers of an IMAP section name (RFC 9051 section 6.4.5),
 * or NULL. No numbers name the message itself, whose body is TEXT.
 */
const struct mime_part *mime_section(const struct mime_tree *t,
    const uint32_t *numbers, size_t n);

/*
 * For section HEADER, HEADER.FIELDS and TEXT behind numbers: the message that
 * this part holds, the message itself where part 0 holds none, or NULL.
 */
const struct mime_part *mime_message(const struct mime_tree *t,
    const struct mime_part *part);

/*
 * Parts without the kept fields as bytes, for COLUMN_PARTS; and back. Reading
 * checks everything: -1 with errno EINVAL when it is not what mime_write()
 * makes of a message of that size (as stored).
 */
int mime_write(const struct mime_tree *t, struct buf *out);
int mime_read(struct bytes in, uint64_t size, struct mime_tree *out);

#endif
