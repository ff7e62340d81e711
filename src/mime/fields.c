/*
 * What a part's header says about the part.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "fields.h"
#include "header.h"
#include "param.h"

enum { FIRST_ONLY = 1, OF_MESSAGE = 2 };

#define NAME(text) { (const unsigned char *)(text), sizeof(text) - 1 }

static const struct kept_field {
	struct bytes name;
	int rule;
} kept_fields[] = {
	[FIELD_TYPE] = { NAME("Content-Type"), FIRST_ONLY },
	[FIELD_ENCODING] = { NAME("Content-Transfer-Encoding"), FIRST_ONLY },
	[FIELD_DISPOSITION] = { NAME("Content-Disposition"), FIRST_ONLY },
	[FIELD_ID] = { NAME("Content-ID"), FIRST_ONLY },
	[FIELD_DESCRIPTION] = { NAME("Content-Description"), FIRST_ONLY },
	[FIELD_MD5] = { NAME("Content-MD5"), FIRST_ONLY },
	[FIELD_LANGUAGE] = { NAME("Content-Language"), FIRST_ONLY },
	[FIELD_LOCATION] = { NAME("Content-Location"), FIRST_ONLY },
	[FIELD_DATE] = { NAME("Date"), FIRST_ONLY | OF_MESSAGE },
	[FIELD_SUBJECT] = { NAME("Subject"), FIRST_ONLY | OF_MESSAGE },
	[FIELD_IN_REPLY_TO] = { NAME("In-Reply-To"), FIRST_ONLY | OF_MESSAGE },
	[FIELD_MESSAGE_ID] = { NAME("Message-ID"), FIRST_ONLY | OF_MESSAGE },
	/* RFC 5322 section 4.5: further ones add to the list */
	[FIELD_FROM] = { NAME("From"), OF_MESSAGE },
	[FIELD_SENDER] = { NAME("Sender"), OF_MESSAGE },
	[FIELD_REPLY_TO] = { NAME("Reply-To"), OF_MESSAGE },
	[FIELD_TO] = { NAME("To"), OF_MESSAGE },
	[FIELD_CC] = { NAME("Cc"), OF_MESSAGE },
	[FIELD_BCC] = { NAME("Bcc"), OF_MESSAGE },
};

/* What their names begin with: all others are passed by. */
#define CONTENT_LETTERS HEADER_LETTER('c')
#define MESSAGE_LETTERS (CONTENT_LETTERS | HEADER_LETTER('b') | \
    HEADER_LETTER('d') | HEADER_LETTER('f') | HEADER_LETTER('i') | \
    HEADER_LETTER('m') | HEADER_LETTER('r') | HEADER_LETTER('s') | \
    HEADER_LETTER('t'))

static unsigned
kept_field(struct bytes name)
{
	unsigned i = 0;

	while (i < FIELD_END && (kept_fields[i].name.n != name.n ||
	    !bytes_case_equal(name, kept_fields[i].name)))
		i++;
	return i;
}

/* 1, or 0: fields past the tree's limit are left out. */
static int
keep(struct mime_tree *t, struct bytes whole)
{
	bool ended = whole.p[whole.n - 1] == '\n';

	if (t->kept.len + whole.n + 1 > t->kept.max)
		return 0;
	if (buf_bytes(&t->kept, whole) < 0 ||
	    (!ended && buf_byte(&t->kept, '\n') < 0))
		return -1;
	return 1;
}

static bool
wanted(unsigned i, bool in_message, uint32_t seen)
{
	int rule = i == FIELD_END ? 0 : kept_fields[i].rule;

	if (i == FIELD_END || ((rule & FIRST_ONLY) && (seen >> i & 1)))
		return false;
	return in_message || !(rule & OF_MESSAGE);
}

static int
keep_fields(struct bytes block, bool in_message, struct mime_tree *t,
    struct mime_part *part)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field field;
	uint32_t seen = 0;

	while (header_next_lettered(&c, in_message ? MESSAGE_LETTERS :
	    CONTENT_LETTERS, &field)) {
		unsigned i = kept_field(field.name);
		int rc;

		if (!wanted(i, in_message, seen))
			continue;
		seen |= (uint32_t)1 << i;
		rc = keep(t, field.whole);
		if (rc < 0)
			return -1;
		part->fields |= (uint32_t)rc << i;
	}
	return 0;
}

bool
fields_find(const struct mime_tree *t, const struct mime_part *part,
    enum mime_field which, struct bytes *value)
{
	struct header_cursor c = HEADER_CURSOR(mime_fields(t, part));
	struct header_field field;

	if (!(part->fields >> which & 1) ||
	    !header_next_named(&c, kept_fields[which].name, &field))
		return false;
	*value = field.value;
	return true;
}

static bool
is(struct bytes word, const char *name)
{
	return bytes_case_equal(word, bytes_of(name));
}

static void
set_text(struct mime_part *part, const struct content *c)
{
	const struct param *charset = content_param(c, "charset");

	part->kind = MIME_TEXT;
	if (is(c->subtype, "html"))
		part->flags |= MIME_HTML;
	if (is(c->subtype, "plain"))
		part->flags |= MIME_PLAIN;
	if (charset == NULL || charset->value.n > MIME_CHARSET_MAX)
		return;
	part->charset_n = (uint8_t)charset->value.n;
	memcpy(part->charset, charset->value.p, charset->value.n);
}

/* RFC 2046 section 5.1.1: a boundary does not end in white space. */
static void
set_multipart(struct mime_part *part, const struct content *c,
    struct part_type *type)
{
	const struct param *p = content_param(c, "boundary");
	struct bytes boundary = { NULL, 0 };

	if (p != NULL)
		boundary = p->value;
	while (boundary.n > 0 && boundary.p[boundary.n - 1] <= ' ')
		boundary.n--;
	if (boundary.n == 0 || boundary.n > MIME_BOUNDARY_MAX) {
		fields_cut(part);
		return;
	}
	part->kind = MIME_MULTIPART;
	if (is(c->subtype, "digest"))
		part->flags |= MIME_DIGEST;
	type->multipart = true;
	type->boundary_n = boundary.n;
	memcpy(type->boundary, boundary.p, boundary.n);
}

static void
set_message(struct mime_part *part, bool global, struct part_type *type)
{
	part->kind = MIME_MESSAGE;
	part->flags |= global ? MIME_GLOBAL : 0;
	type->message = true;
}

/* RFC 2045 section 5.2: what has no type, or a broken one, is plain text. */
static void
set_type(struct mime_part *part, const struct content *c, bool has_field,
    bool in_digest, struct part_type *type)
{
	bool global = is(c->type, "message") && is(c->subtype, "global");

	if (!has_field && in_digest) {
		set_message(part, false, type);
	} else if (c->type.n == 0 || c->subtype.n == 0) {
		set_text(part, c);
		part->flags |= MIME_PLAIN;
	} else if (is(c->type, "multipart")) {
		set_multipart(part, c, type);
	} else if (global ||
	    (is(c->type, "message") && is(c->subtype, "rfc822"))) {
		set_message(part, global, type);
	} else if (is(c->type, "text")) {
		set_text(part, c);
	} else {
		part->kind = MIME_LEAF;
		part->flags |= is(c->type, "message") ? MIME_REPORT : 0;
	}
}

void
fields_cut(struct mime_part *part)
{
	part->kind = MIME_TEXT;
	part->flags &= (uint8_t)~(MIME_HTML | MIME_DIGEST | MIME_GLOBAL | MIME_REPORT);
	part->flags |= MIME_CUT | MIME_PLAIN;
	part->charset_n = 0;
}

int
fields_read(struct bytes block, bool in_message, bool in_digest,
    struct mime_tree *t, struct mime_part *part, struct part_type *type)
{
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct bytes value;
	struct content c = { 0 };
	bool has_type;
	int rc;

	type->multipart = type->message = false;
	part->kept = (uint32_t)t->kept.len;
	if (keep_fields(block, in_message, t, part) < 0)
		return -1;
	part->kept_n = (uint32_t)t->kept.len - part->kept;
	if (fields_find(t, part, FIELD_ENCODING, &value))
		part->encoding = (uint8_t)encoding_named(content_token(value));
	if (fields_find(t, part, FIELD_DISPOSITION, &value) &&
	    is(content_token(value), "attachment"))
		part->flags |= MIME_ATTACHMENT;
	has_type = fields_find(t, part, FIELD_TYPE, &value);
	rc = has_type ? content_parse(value, &a, &c) : 0;
	if (rc < 0 && errno == E2BIG)
		rc = 0;
	if (rc == 0)
		set_type(part, &c, has_type, in_digest, type);
	arena_free(&a);
	return rc;
}
