/*
 * What a part's header says about the part.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "fields.h"
#include "header.h"
#include "param.h"

enum { FIRST_ONLY = 1, OF_MESSAGE = 2 };

static const struct kept_field {
	const char *name;
	int rule;
} kept_fields[] = {
	{ "Content-Type", FIRST_ONLY },
	{ "Content-Transfer-Encoding", FIRST_ONLY },
	{ "Content-Disposition", FIRST_ONLY },
	{ "Content-ID", FIRST_ONLY },
	{ "Content-Description", FIRST_ONLY },
	{ "Content-MD5", FIRST_ONLY },
	{ "Content-Language", FIRST_ONLY },
	{ "Content-Location", FIRST_ONLY },
	{ "Date", FIRST_ONLY | OF_MESSAGE },
	{ "Subject", FIRST_ONLY | OF_MESSAGE },
	{ "In-Reply-To", FIRST_ONLY | OF_MESSAGE },
	{ "Message-ID", FIRST_ONLY | OF_MESSAGE },
	/* RFC 5322 section 4.5: further ones add to the list */
	{ "From", OF_MESSAGE },
	{ "Sender", OF_MESSAGE },
	{ "Reply-To", OF_MESSAGE },
	{ "To", OF_MESSAGE },
	{ "Cc", OF_MESSAGE },
	{ "Bcc", OF_MESSAGE },
};

#define KEPT_FIELDS (sizeof kept_fields / sizeof kept_fields[0])

static size_t
kept_field(struct bytes name)
{
	size_t i = 0;

	while (i < KEPT_FIELDS &&
	    !bytes_case_equal(name, bytes_of(kept_fields[i].name)))
		i++;
	return i;
}

/* Fields past the tree's limit are left out. */
static int
keep(struct mime_tree *t, struct bytes whole)
{
	bool ended = whole.p[whole.n - 1] == '\n';

	if (t->kept.len + whole.n + 1 > t->kept.max)
		return 0;
	if (buf_bytes(&t->kept, whole) < 0)
		return -1;
	return ended ? 0 : buf_byte(&t->kept, '\n');
}

static int
keep_fields(struct bytes block, bool is_message, struct mime_tree *t)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field field;
	uint32_t seen = 0;

	while (header_next(&c, &field)) {
		size_t i = kept_field(field.name);
		int rule;

		if (i == KEPT_FIELDS)
			continue;
		rule = kept_fields[i].rule;
		if (((rule & FIRST_ONLY) && (seen >> i & 1)) ||
		    ((rule & OF_MESSAGE) && !is_message))
			continue;
		seen |= (uint32_t)1 << i;
		if (keep(t, field.whole) < 0)
			return -1;
	}
	return 0;
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
fields_read(struct bytes block, bool is_message, bool in_digest,
    struct mime_tree *t, struct mime_part *part, struct part_type *type)
{
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct bytes value, kept;
	struct content c = { 0 };
	bool has_type;
	int rc;

	*type = (struct part_type){ 0 };
	part->kept = (uint32_t)t->kept.len;
	if (keep_fields(block, is_message, t) < 0)
		return -1;
	part->kept_n = (uint32_t)t->kept.len - part->kept;
	kept = mime_fields(t, part);
	if (header_find(kept, "Content-Transfer-Encoding", &value))
		part->encoding = (uint8_t)encoding_named(content_token(value));
	if (header_find(kept, "Content-Disposition", &value) &&
	    is(content_token(value), "attachment"))
		part->flags |= MIME_ATTACHMENT;
	has_type = header_find(kept, "Content-Type", &value);
	rc = has_type ? content_parse(value, &a, &c) : 0;
	if (rc < 0 && errno == E2BIG)
		rc = 0;
	if (rc == 0)
		set_type(part, &c, has_type, in_digest, type);
	arena_free(&a);
	return rc;
}
