/*
 * BODY and BODYSTRUCTURE as IMAP text.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "fields.h"
#include "header.h"
#include "imaptext_private.h"
#include "param.h"

#define LANGUAGES_MAX 100
#define TOKEN_MAX 255			/* longer types and names are cut */

struct writer {
	const struct mime_tree *tree;
	struct buf *out;
	unsigned flags;
	bool extended;			/* BODYSTRUCTURE */
	struct arena arena;		/* of the part being written */
};

static int
put(struct writer *w, const char *text)
{
	return buf_text(w->out, text);
}

/* Types, names of parameters and the like, in upper case. */
static int
put_upper(struct writer *w, struct bytes s, const char *otherwise)
{
	unsigned char up[TOKEN_MAX];

	s = bytes_first(s.n == 0 ? bytes_of(otherwise) : s, TOKEN_MAX);
	for (size_t i = 0; i < s.n; i++)
		up[i] = ascii_upper(s.p[i]);
	return imaptext_string(bytes_make(up, s.n), w->flags, w->out);
}

static int
put_number(struct writer *w, uint64_t v)
{
	return buf_byte(w->out, ' ') < 0 ? -1 : buf_number(w->out, v);
}

static int
put_field(struct writer *w, const struct mime_part *p, enum mime_field which)
{
	struct bytes value;

	if (!fields_find(w->tree, p, which, &value))
		return put(w, " NIL");
	if (buf_byte(w->out, ' ') < 0)
		return -1;
	return imaptext_value(value, w->flags, w->out);
}

/* ---- parameters ---- */

/* RFC 9051 section 7.5.2 wants the text; before, clients decode it themselves. */
static int
put_value(struct writer *w, const struct param *p)
{
	struct buf text = BUF_INIT(HEADER_MAX);
	int rc;

	if (!p->extended || !(w->flags & IMAPTEXT_REV2))
		return imaptext_string(p->value, w->flags, w->out);
	rc = param_decode(p, &text);
	if (rc == 0 || text.error == E2BIG)
		rc = imaptext_string(buf_contents(&text), w->flags, w->out);
	buf_free(&text);
	return rc;
}

static int
put_param(struct writer *w, const struct param *p)
{
	unsigned char name[TOKEN_MAX];
	struct bytes s = bytes_first(p->name, TOKEN_MAX - 1);

	memcpy(name, s.p, s.n);
	name[s.n] = '*';
	if (put_upper(w, bytes_make(name, s.n + p->extended), "") < 0 ||
	    buf_byte(w->out, ' ') < 0)
		return -1;
	return put_value(w, p);
}

static int
put_params(struct writer *w, const struct content *c)
{
	if (c->n == 0)
		return put(w, "NIL");
	for (size_t i = 0; i < c->n; i++)
		if (buf_byte(w->out, i == 0 ? '(' : ' ') < 0 ||
		    put_param(w, &c->params[i]) < 0)
			return -1;
	return put(w, ")");
}

/* An unreadable field is an empty one. */
static int
parse_field(struct writer *w, const struct mime_part *p,
    enum mime_field which, struct content *c, bool *there)
{
	struct bytes value;

	*c = (struct content){ 0 };
	*there = fields_find(w->tree, p, which, &value);
	if (!*there || content_parse(value, &w->arena, c) == 0)
		return 0;
	*c = (struct content){ 0 };
	return errno == E2BIG ? 0 : -1;
}

/* ---- extension data ---- */

static int
put_disposition(struct writer *w, const struct mime_part *p)
{
	struct content c;
	bool there;

	if (parse_field(w, p, FIELD_DISPOSITION, &c, &there) < 0)
		return -1;
	if (c.type.n == 0 && c.n == 0)
		return put(w, " NIL");
	/* RFC 2183 section 2.8: an unknown one is an attachment */
	if (put(w, " (") < 0 || put_upper(w, c.type, "ATTACHMENT") < 0 ||
	    put(w, " ") < 0 || put_params(w, &c) < 0)
		return -1;
	return put(w, ")");
}

/* The tags of a list; one that is empty is left out. */
static size_t
read_languages(struct bytes value, struct bytes *tags)
{
	size_t n = 0;

	while (value.n > 0 && n < LANGUAGES_MAX) {
		tags[n] = content_token(bytes_split(&value, ','));
		n += tags[n].n > 0;
	}
	return n;
}

static int
put_languages(struct writer *w, const struct mime_part *p)
{
	struct bytes value, tags[LANGUAGES_MAX];
	size_t n = 0;

	if (fields_find(w->tree, p, FIELD_LANGUAGE, &value))
		n = read_languages(value, tags);
	if (n == 0)
		return put(w, " NIL");
	for (size_t i = 0; i < n; i++)
		if (put(w, i == 0 && n > 1 ? " (" : " ") < 0 ||
		    imaptext_string(tags[i], w->flags, w->out) < 0)
			return -1;
	return n > 1 ? put(w, ")") : 0;
}

/* A fold and the white space at it are no part of a URI (RFC 2017 section 3.1). */
static int
unfold_uri(struct bytes uri, struct buf *out)
{
	while (uri.n > 0)
		if (buf_bytes(out, bytes_trim(bytes_split(&uri, '\n'))) < 0)
			return -1;
	return 0;
}

/* RFC 2557 section 4.1: a URI, with comments before and behind it. */
static int
put_location(struct writer *w, const struct mime_part *p)
{
	struct buf text = BUF_INIT(HEADER_MAX);
	struct bytes value;
	int rc;

	if (!fields_find(w->tree, p, FIELD_LOCATION, &value))
		return put(w, " NIL");
	rc = unfold_uri(content_uri(bytes_first(value, HEADER_MAX)), &text);
	if (rc == 0)
		rc = put(w, " ");
	if (rc == 0)
		rc = imaptext_string(buf_contents(&text), w->flags, w->out);
	buf_free(&text);
	return rc;
}

static int
put_common_extension(struct writer *w, const struct mime_part *p)
{
	if (put_disposition(w, p) < 0 || put_languages(w, p) < 0)
		return -1;
	return put_location(w, p);
}

/* ---- parts ---- */

/* body-fields of the grammar, behind the type */
static int
put_fields(struct writer *w, const struct mime_part *p, const struct content *c)
{
	struct bytes encoding = { NULL, 0 };

	if (fields_find(w->tree, p, FIELD_ENCODING, &encoding))
		encoding = content_token(encoding);
	if (put(w, " ") < 0 || put_params(w, c) < 0 ||
	    put_field(w, p, FIELD_ID) < 0 ||
	    put_field(w, p, FIELD_DESCRIPTION) < 0 ||
	    put(w, " ") < 0 || put_upper(w, encoding, "7BIT") < 0)
		return -1;
	return put_number(w, p->body_octets);
}

static const struct param us_ascii = {
	.name = { (const unsigned char *)"CHARSET", 7 },
	.value = { (const unsigned char *)"US-ASCII", 8 },
};

/* RFC 2045 section 5.2: a text without a type is in US-ASCII, and is said to be. */
static int
open_text(struct writer *w, const struct mime_part *p, struct content *c,
    bool has_type)
{
	struct param one = us_ascii;
	bool cut = p->flags & MIME_CUT;

	if (!has_type || cut) {
		c->params = &one;
		c->n = 1;
	}
	if (put(w, "(\"TEXT\" ") < 0 || put_upper(w, cut ? BYTES("") :
	    c->subtype, p->flags & MIME_HTML ? "HTML" : "PLAIN") < 0 ||
	    put_fields(w, p, c) < 0)
		return -1;
	return put_number(w, p->body_lines);
}

static int
open_leaf(struct writer *w, const struct mime_part *p, const struct content *c)
{
	if (put(w, "(") < 0 || put_upper(w, c->type, "APPLICATION") < 0 ||
	    put(w, " ") < 0 || put_upper(w, c->subtype, "OCTET-STREAM") < 0)
		return -1;
	return put_fields(w, p, c);
}

/* As IMAP4rev1 must see a message/global: like any file. */
static bool
is_opaque(const struct writer *w, const struct mime_part *p)
{
	return (p->flags & MIME_GLOBAL) && !(w->flags & IMAPTEXT_REV2);
}

static int
open_message(struct writer *w, const struct mime_part *p,
    const struct content *c)
{
	const struct mime_part *message = &w->tree->v[p->child];

	if (put(w, p->flags & MIME_GLOBAL ? "(\"MESSAGE\" \"GLOBAL\"" :
	    "(\"MESSAGE\" \"RFC822\"") < 0 || put_fields(w, p, c) < 0)
		return -1;
	if (is_opaque(w, p))
		return 0;
	if (put(w, " ") < 0 || imaptext_envelope(mime_fields(w->tree, message),
	    w->flags, w->out) < 0)
		return -1;
	return put(w, " ");
}

/* What stands before the parts inside. */
static int
open_part(struct writer *w, const struct mime_part *p)
{
	struct content c;
	bool has_type;

	arena_reset(&w->arena);
	if (p->kind == MIME_MULTIPART)
		return put(w, "(");
	if (parse_field(w, p, FIELD_TYPE, &c, &has_type) < 0)
		return -1;
	if (p->kind == MIME_TEXT)
		return open_text(w, p, &c, has_type);
	return p->kind == MIME_MESSAGE ? open_message(w, p, &c) :
	    open_leaf(w, p, &c);
}

static int
close_multipart(struct writer *w, const struct mime_part *p)
{
	struct content c;
	bool has_type;

	if (parse_field(w, p, FIELD_TYPE, &c, &has_type) < 0 ||
	    put(w, " ") < 0 || put_upper(w, c.subtype, "MIXED") < 0)
		return -1;
	if (w->extended && (put(w, " ") < 0 || put_params(w, &c) < 0 ||
	    put_common_extension(w, p) < 0))
		return -1;
	return put(w, ")");
}

/* And what stands behind them. */
static int
close_part(struct writer *w, const struct mime_part *p)
{
	arena_reset(&w->arena);
	if (p->kind == MIME_MULTIPART)
		return close_multipart(w, p);
	if (p->kind == MIME_MESSAGE && !is_opaque(w, p) &&
	    put_number(w, p->body_lines) < 0)
		return -1;
	if (w->extended && (put_field(w, p, FIELD_MD5) < 0 ||
	    put_common_extension(w, p) < 0))
		return -1;
	return put(w, ")");
}

static bool
has_inside(const struct writer *w, const struct mime_part *p)
{
	return p->child != MIME_NONE && !is_opaque(w, p);
}

/* All parts in order, without recursion. */
static int
put_tree(struct writer *w)
{
	const struct mime_part *v = w->tree->v, *p = v;

	for (;;) {
		if (open_part(w, p) < 0)
			return -1;
		if (has_inside(w, p)) {
			p = &v[p->child];
			continue;
		}
		if (close_part(w, p) < 0)
			return -1;
		while (p != v && p->next == MIME_NONE) {
			p = &v[p->parent];
			if (close_part(w, p) < 0)
				return -1;
		}
		if (p == v)
			return 0;
		p = &v[p->next];
	}
}

/* When all of it is too long: one text, which is what BODY[TEXT] gives. */
static int
put_minimal(struct writer *w)
{
	const struct mime_part *p = w->tree->v;

	if (put(w, "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\"") < 0 ||
	    put_number(w, p->body_octets) < 0 ||
	    put_number(w, p->body_lines) < 0)
		return -1;
	return put(w, w->extended ? " NIL NIL NIL NIL)" : ")");
}

static int
write_tree(struct writer *w)
{
	size_t from = w->out->len;
	int rc;

	if (w->out->error != 0) {
		errno = w->out->error;
		return -1;
	}
	rc = put_tree(w);
	arena_free(&w->arena);
	if (rc == 0 || w->out->error != E2BIG)
		return rc;
	w->out->len = from;
	w->out->error = 0;
	return put_minimal(w);
}

int
imaptext_body(const struct mime_tree *t, unsigned flags, struct buf *out)
{
	struct writer w = { t, out, flags, false, ARENA_INIT(PARAM_ARENA_MAX) };

	return write_tree(&w);
}

int
imaptext_bodystructure(const struct mime_tree *t, unsigned flags,
    struct buf *out)
{
	struct writer w = { t, out, flags, true, ARENA_INIT(PARAM_ARENA_MAX) };

	return write_tree(&w);
}

bool
imaptext_depends(const struct mime_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].flags & MIME_GLOBAL)
			return true;
	return false;
}
