/*
 * Fuzz target: a message. Its first byte says in what pieces the rest comes.
 * However it comes and whatever line ends it has, the tree is the same, sound,
 * and what IMAP says of it is grammatical.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "crlf.h"
#include "grammar.h"
#include "imaptext.h"
#include "text.h"

static void
require(bool held)
{
	if (!held)
		abort();
}

static struct mime_tree
parse(struct bytes message, size_t piece)
{
	struct mime_parser *p = mime_begin();
	struct mime_tree t;

	require(p != NULL);
	for (; message.n > 0; message = bytes_from(message, piece))
		require(mime_push(p, bytes_first(message, piece)) == 0);
	require(mime_end(p, &t) == 0);
	return t;
}

static struct buf
column(const struct mime_tree *t)
{
	struct buf b = BUF_INIT((size_t)4 << 20);

	require(mime_write(t, &b) == 0);
	return b;
}

/* Two trees with the same parts at the same places. */
static void
same(const struct mime_tree *a, const struct mime_tree *b)
{
	struct buf x = column(a), y = column(b);

	require(bytes_equal(buf_contents(&x), buf_contents(&y)));
	require(bytes_equal(buf_contents(&a->kept), buf_contents(&b->kept)));
	buf_free(&x);
	buf_free(&y);
}

static void
column_reads(const struct mime_tree *t)
{
	struct buf b = column(t);
	struct mime_tree back;

	require(mime_read(buf_contents(&b), t->v[0].end, &back) == 0);
	for (size_t i = 0; i < t->n; i++)
		require(back.v[i].parent == t->v[i].parent &&
		    back.v[i].child == t->v[i].child &&
		    back.v[i].next == t->v[i].next);
	mime_tree_free(&back);
	buf_free(&b);
}

/* Sizes of each part are those of its bytes. */
static void
sizes(const struct mime_tree *t, struct bytes message)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct mime_part *p = &t->v[i];
		struct crlf c = { 0 }, d = { 0 };
		struct bytes head = bytes_make(message.p + p->header,
		    p->body - p->header);
		struct bytes body = bytes_make(message.p + p->body,
		    p->end - p->body);

		require(crlf_size(&c, head) == p->header_octets);
		require(crlf_size(&d, body) == p->body_octets);
		require(crlf_lines(body) == p->body_lines);
	}
}

static void
texts(const struct mime_tree *t, struct bytes message, unsigned flags)
{
	struct buf out = BUF_INIT(IMAPTEXT_MAX);
	bool rev2 = flags != 0;

	require(imaptext_envelope(message, flags, &out) == 0);
	require(grammar_envelope(buf_contents(&out), rev2));
	buf_clear(&out);
	require(imaptext_body(t, flags, &out) == 0);
	require(grammar_body(buf_contents(&out), rev2, false));
	buf_clear(&out);
	require(imaptext_bodystructure(t, flags, &out) == 0);
	require(grammar_body(buf_contents(&out), rev2, true));
	buf_free(&out);
}

/* A buffer that is too small gets less, but nothing broken. */
static void
small_buffer(const struct mime_tree *t, size_t max)
{
	struct buf out = BUF_INIT(200 + max);

	if (imaptext_bodystructure(t, 0, &out) == 0)
		require(grammar_body(buf_contents(&out), false, true));
	else
		require(out.error != 0);
	buf_free(&out);
}

static void
with_crlf(struct bytes message, const struct mime_tree *t)
{
	unsigned char *sent = malloc(2 * message.n + 1);
	struct crlf c = { 0 };
	struct mime_tree other;

	require(sent != NULL);
	other = parse(bytes_make(sent, crlf_convert(&c, message, sent)), 4096);
	require(other.n == t->n);
	for (size_t i = 0; i < t->n; i++)
		require(other.v[i].header_octets == t->v[i].header_octets &&
		    other.v[i].body_octets == t->v[i].body_octets &&
		    other.v[i].body_lines == t->v[i].body_lines &&
		    other.v[i].kind == t->v[i].kind);
	mime_tree_free(&other);
	free(sent);
}

static void
preview(const struct mime_tree *t, struct bytes message)
{
	const struct mime_part *part = preview_part(t);
	struct preview v;
	struct bytes out;

	if (part == NULL)
		return;
	preview_begin(&v, part);
	require(preview_push(&v, bytes_make(message.p + part->body,
	    part->end - part->body)) == 0);
	require(preview_end(&v, &out) == 0);
	require(utf8_valid(out) && v.chars <= PREVIEW_CHARS_MAX);
	require(bytes_find(out, '\n') < 0 && bytes_find(out, '\r') < 0);
	preview_free(&v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes message = { p, n };
	struct mime_tree whole, pieces;

	if (n == 0)
		return 0;
	message = bytes_from(message, 1);
	whole = parse(message, n);
	pieces = parse(message, p[0] == 0 ? 1 : p[0]);
	same(&whole, &pieces);
	column_reads(&whole);
	sizes(&whole, message);
	texts(&whole, message, 0);
	texts(&whole, message, IMAPTEXT_UTF8 | IMAPTEXT_REV2);
	small_buffer(&whole, p[0]);
	with_crlf(message, &whole);
	preview(&whole, message);
	mime_tree_free(&whole);
	mime_tree_free(&pieces);
	return 0;
}
