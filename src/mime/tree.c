/*
 * The tree of parts: finding one, and the form it is kept in.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mime.h"

#define FORMAT_VERSION 1

void
mime_tree_free(struct mime_tree *t)
{
	free(t->v);
	buf_free(&t->kept);
	*t = (struct mime_tree){ 0 };
}

struct bytes
mime_fields(const struct mime_tree *t, const struct mime_part *part)
{
	struct bytes all = buf_contents(&t->kept);

	return bytes_first(bytes_from(all, part->kept), part->kept_n);
}

static const struct mime_part *
part_number(const struct mime_tree *t, uint32_t i)
{
	return i < t->n ? &t->v[i] : NULL;
}

const struct mime_part *
mime_message(const struct mime_tree *t, const struct mime_part *part)
{
	if (part->kind == MIME_MESSAGE)
		return part_number(t, part->child);
	return part == t->v ? part : NULL;
}

/* The n-th part of a multipart; any other message is its own first. */
static const struct mime_part *
part_in(const struct mime_tree *t, const struct mime_part *of, uint32_t n)
{
	const struct mime_part *part;

	if (of->kind != MIME_MULTIPART)
		return n == 1 ? of : NULL;
	part = part_number(t, of->child);
	while (part != NULL && --n > 0)
		part = part_number(t, part->next);
	return part;
}

const struct mime_part *
mime_section(const struct mime_tree *t, const uint32_t *numbers, size_t n)
{
	const struct mime_part *part = part_number(t, 0);

	for (size_t i = 0; i < n && part != NULL; i++) {
		const struct mime_part *of = part;

		if (numbers[i] == 0)
			return NULL;
		if (i > 0 && of->kind != MIME_MULTIPART)
			of = of->kind == MIME_MESSAGE ?
			    part_number(t, of->child) : NULL;
		part = of == NULL ? NULL : part_in(t, of, numbers[i]);
	}
	return part;
}

/* ---- as bytes ---- */

static int
put_number(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		if (buf_byte(out, (unsigned char)(v | 0x80)) < 0)
			return -1;
	return buf_byte(out, (unsigned char)v);
}

static int
put_part(const struct mime_tree *t, uint32_t i, struct buf *out)
{
	const struct mime_part *p = &t->v[i];
	const unsigned char small[] = { p->kind, p->encoding, p->flags,
	    p->charset_n };
	const uint64_t numbers[] = {
		i == 0 ? 0 : i - p->parent,
		p->header - (i == 0 ? 0 : t->v[i - 1].header),
		p->body - p->header, p->end - p->body,
		p->header_octets, p->body_octets, p->body_lines,
	};

	if (buf_add(out, small, sizeof small) < 0 ||
	    buf_add(out, p->charset, p->charset_n) < 0)
		return -1;
	for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
		if (put_number(out, numbers[k]) < 0)
			return -1;
	return 0;
}

int
mime_write(const struct mime_tree *t, struct buf *out)
{
	if (buf_byte(out, FORMAT_VERSION) < 0 || put_number(out, t->n) < 0)
		return -1;
	for (uint32_t i = 0; i < t->n; i++)
		if (put_part(t, i, out) < 0)
			return -1;
	return 0;
}

static bool
get_byte(struct bytes *in, uint8_t *v)
{
	if (in->n == 0)
		return false;
	*v = in->p[0];
	*in = bytes_from(*in, 1);
	return true;
}

static bool
get_number(struct bytes *in, uint64_t max, uint64_t *v)
{
	uint8_t byte;

	*v = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		if (!get_byte(in, &byte))
			return false;
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return *v <= max;
	}
	return false;
}

/* What a part says of itself must fit, whatever its parent is. */
static bool
get_part(struct bytes *in, uint64_t size, uint64_t previous, uint32_t i,
    struct mime_part *p)
{
	uint64_t up, header, head, body;

	if (!get_byte(in, &p->kind) || !get_byte(in, &p->encoding) ||
	    !get_byte(in, &p->flags) || !get_byte(in, &p->charset_n))
		return false;
	if (p->kind >= MIME_KIND_END || p->encoding >= ENCODING_END ||
	    (p->flags & ~MIME_FLAGS_ALL) != 0 ||
	    p->charset_n > MIME_CHARSET_MAX || p->charset_n > in->n)
		return false;
	memcpy(p->charset, in->p, p->charset_n);
	*in = bytes_from(*in, p->charset_n);
	if (!get_number(in, i, &up) || (up == 0) != (i == 0) ||
	    !get_number(in, size - previous, &header) ||
	    !get_number(in, size - previous - header, &head) ||
	    !get_number(in, size - previous - header - head, &body) ||
	    !get_number(in, 2 * head, &p->header_octets) ||
	    !get_number(in, 2 * body, &p->body_octets) ||
	    !get_number(in, body, &p->body_lines))
		return false;
	p->parent = i == 0 ? MIME_NONE : i - (uint32_t)up;
	p->child = p->next = MIME_NONE;
	p->header = previous + header;
	p->body = p->header + head;
	p->end = p->body + body;
	return p->header_octets >= head && p->body_octets >= body;
}

/*
 * Puts part i behind its parent's last child (kept in last) and checks that it
 * lies in the parent's body behind that child.
 */
static bool
link_part(struct mime_tree *t, uint32_t i, uint32_t *last, uint8_t *depth)
{
	struct mime_part *p = &t->v[i], *up;
	uint32_t before;

	last[i] = MIME_NONE;
	depth[i] = 0;
	if (i == 0)
		return p->header == 0;
	up = &t->v[p->parent];
	before = last[p->parent];
	last[p->parent] = i;
	depth[i] = (uint8_t)(depth[p->parent] + 1);
	if (depth[i] > MIME_DEPTH_MAX || p->header < up->body ||
	    p->end > up->end)
		return false;
	if (before == MIME_NONE) {
		up->child = i;
		return up->kind == MIME_MULTIPART || up->kind == MIME_MESSAGE;
	}
	t->v[before].next = i;
	return up->kind == MIME_MULTIPART && t->v[before].end <= p->header;
}

static bool
has_child_as_it_must(const struct mime_part *p)
{
	return (p->kind == MIME_MULTIPART || p->kind == MIME_MESSAGE) ==
	    (p->child != MIME_NONE);
}

static bool
read_parts(struct bytes in, uint64_t size, struct mime_tree *t, uint32_t *last,
    uint8_t *depth)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (!get_part(&in, size, i == 0 ? 0 : t->v[i - 1].header, i,
		    &t->v[i]) || !link_part(t, i, last, depth))
			return false;
	for (uint32_t i = 0; i < t->n; i++)
		if (!has_child_as_it_must(&t->v[i]))
			return false;
	return in.n == 0 && t->v[0].end == size;
}

int
mime_read(struct bytes in, uint64_t size, struct mime_tree *out)
{
	uint8_t version, *depth;
	uint32_t *last;
	uint64_t n;
	bool good;

	*out = (struct mime_tree){ 0 };
	if (!get_byte(&in, &version) || version != FORMAT_VERSION ||
	    !get_number(&in, MIME_PARTS_MAX, &n) || n == 0 ||
	    size > INT64_MAX) {
		errno = EINVAL;
		return -1;
	}
	out->v = calloc(n, sizeof *out->v);
	last = calloc(n, sizeof *last);
	depth = calloc(n, 1);
	out->n = out->cap = n;
	good = out->v != NULL && last != NULL && depth != NULL;
	errno = good ? EINVAL : ENOMEM;
	good = good && read_parts(in, size, out, last, depth);
	free(last);
	free(depth);
	if (good)
		return 0;
	mime_tree_free(out);
	return -1;
}
