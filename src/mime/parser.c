/*
 * Finds the parts of a message while its bytes pass by.
 * Runs as: the mailbox owner.
 */
#include <stddef.h>
#include <stdlib.h>

#include "boundary.h"
#include "crlf.h"
#include "fields.h"
#include "header.h"
#include "lanes.h"

#define HEADER_FIRST ((size_t)4096)	/* most headers fit */
#define PARTS_FIRST 4
#define BLOCK ((size_t)4 * LANES)	/* bytes of a body looked at at once */

/* A place in the message: offset as stored, octets and LFs before it. */
struct mark {
	uint64_t pos, octets, lines;
};

struct mime_parser {
	struct mime_tree tree;
	struct mark at;			/* what has been passed */
	struct crlf crlf;
	unsigned char last[2];		/* bytes before at, newest last */
	uint32_t current;		/* innermost open part */
	bool in_header;			/* of it */
	bool line_start;
	bool skipping;			/* the rest of a boundary's line ... */
	bool part_follows;		/* ... behind which a part begins */
	size_t held;			/* beginning of a line not decided yet */
	unsigned char hold[BOUNDARY_NEED(MIME_BOUNDARY_MAX)];
	struct buf header;		/* of the current part, up to its limit */
	struct frames frames;		/* the last, see mime_begin() */
};

static struct mime_part *
current_part(struct mime_parser *p)
{
	return &p->tree.v[p->current];
}

static void
pass(struct mime_parser *p, struct bytes b)
{
	size_t n = b.n < sizeof p->last ? b.n : sizeof p->last;
	uint64_t lines;

	if (n == 0)
		return;
	p->at.octets += crlf_count(&p->crlf, b, &lines);
	p->at.lines += lines;
	p->at.pos += b.n;
	memmove(p->last, p->last + n, sizeof p->last - n);
	memcpy(p->last + sizeof p->last - n, b.p + b.n - n, n);
}

/* ---- a part begins ---- */

/* Behind the last child of the innermost multipart; a message has one child. */
static void
link_child(struct mime_parser *p, uint32_t parent, uint32_t i)
{
	struct mime_part *v = p->tree.v;
	struct frame *top = frames_top(&p->frames);

	if (v[parent].kind == MIME_MESSAGE) {
		v[parent].child = i;
		return;
	}
	if (top->last == MIME_NONE)
		v[parent].child = i;
	else
		v[top->last].next = i;
	top->last = i;
}

/* Until their ends are known, sizes hold the octets and lines before the part. */
static int
begin_part(struct mime_parser *p, uint32_t parent, const struct mark *at)
{
	struct mime_tree *t = &p->tree;
	uint32_t i = (uint32_t)t->n;

	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? PARTS_FIRST : t->cap * 2;
		struct mime_part *v = reallocarray(t->v, cap, sizeof *v);

		if (v == NULL)
			return -1;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = (struct mime_part){
		.header = at->pos, .header_octets = at->octets,
		.parent = parent, .child = MIME_NONE, .next = MIME_NONE,
	};
	if (parent != MIME_NONE)
		link_child(p, parent, i);
	p->current = i;
	p->in_header = true;
	buf_clear(&p->header);
	return 0;
}

static int
gather_header(struct mime_parser *p, struct bytes b)
{
	size_t max = p->current == 0 ? HEADER_MAX : MIME_PART_HEADER_MAX;

	return buf_bytes(&p->header, bytes_first(b, max - p->header.len));
}

static size_t
depth(const struct mime_parser *p, uint32_t i)
{
	size_t n = 0;

	for (; p->tree.v[i].parent != MIME_NONE; i = p->tree.v[i].parent)
		n++;
	return n;
}

/* The header of the current part ends at a place: now it is known what it is. */
static int
end_header(struct mime_parser *p, const struct mark *at)
{
	struct mime_part *part = current_part(p);
	const struct mime_part *up = p->current == 0 ? NULL :
	    &p->tree.v[part->parent];
	struct part_type type;

	part->body = at->pos;
	part->header_octets = at->octets - part->header_octets;
	part->body_octets = at->octets;
	part->body_lines = at->lines;
	p->in_header = false;
	if (fields_read(buf_contents(&p->header),
	    up != NULL && up->kind == MIME_MESSAGE,
	    up != NULL && up->flags & MIME_DIGEST, &p->tree, part, &type) < 0)
		return -1;
	if ((type.multipart || type.message) &&
	    (depth(p, p->current) == MIME_DEPTH_MAX ||
	    p->tree.n == MIME_PARTS_MAX))
		fields_cut(part);
	else if (type.multipart)
		frames_push(&p->frames, p->current,
		    bytes_make(type.boundary, type.boundary_n));
	else if (type.message)
		return begin_part(p, p->current, at);
	return 0;
}

/* ---- parts end ---- */

static void
end_part(struct mime_parser *p, struct mark *end)
{
	struct mime_part *part = current_part(p);
	struct frame *top = frames_top(&p->frames);

	if (end->pos < part->body)
		*end = (struct mark){ .pos = part->body,
		    .octets = part->body_octets, .lines = part->body_lines };
	part->end = end->pos;
	part->body_octets = end->octets - part->body_octets;
	part->body_lines = end->lines - part->body_lines;
	if (top != NULL && top->part == p->current)
		p->frames.n--;
	if (part->kind == MIME_MULTIPART && part->child == MIME_NONE)
		fields_cut(part);
	p->current = part->parent;
	p->in_header = false;
}

/*
 * Ends the open parts inside stop (MIME_NONE: all). A header that was being
 * read ends at line; bodies end at end, which moves on when a part ends later.
 */
static int
end_parts(struct mime_parser *p, uint32_t stop, const struct mark *line,
    struct mark end)
{
	while (p->current != stop) {
		if (p->in_header && end_header(p, line) < 0)
			return -1;
		if (!p->in_header)
			end_part(p, &end);
	}
	return 0;
}

/*
 * Where the line before this one ends: its end belongs to the boundary (RFC
 * 2046 section 5.1.1).
 */
static struct mark
before_line_end(const struct mime_parser *p)
{
	struct mark m = p->at;

	if (m.pos == 0)
		return m;
	m.pos -= p->last[0] == '\r' ? 2 : 1;
	m.octets -= 2;
	m.lines--;
	return m;
}

/* ---- lines ---- */

static int
meet_boundary(struct mime_parser *p, struct frame *f, bool closing)
{
	uint32_t part = f->part;

	if (end_parts(p, part, &p->at, before_line_end(p)) < 0)
		return -1;
	if (closing) {
		p->tree.v[part].flags |= MIME_CLOSED;
		p->frames.n--;
	}
	p->skipping = true;
	p->part_follows = !closing;
	return 0;
}

static int
end_line(struct mime_parser *p)
{
	bool begin = p->skipping && p->part_follows &&
	    p->tree.n < MIME_PARTS_MAX;

	p->line_start = true;
	p->skipping = false;
	return begin ? begin_part(p, p->current, &p->at) : 0;
}

static bool
is_empty_line(struct bytes line)
{
	return bytes_equal(line, BYTES("\n")) ||
	    bytes_equal(line, BYTES("\r\n"));
}

static int
pass_line(struct mime_parser *p, struct bytes b)
{
	if (p->in_header && !p->skipping && gather_header(p, b) < 0)
		return -1;
	pass(p, b);
	return b.n > 0 && b.p[b.n - 1] == '\n' ? end_line(p) : 0;
}

/* Enough of a line is held to know what it is. */
static int
decide(struct mime_parser *p)
{
	struct bytes line = { p->hold, p->held };
	bool closing = false;
	struct frame *f = frames_find(&p->frames, line, &closing);

	p->held = 0;
	p->line_start = false;
	if (f != NULL && meet_boundary(p, f, closing) < 0)
		return -1;
	if (f == NULL && p->in_header && is_empty_line(line)) {
		pass(p, line);
		p->line_start = true;
		return end_header(p, &p->at);
	}
	return pass_line(p, line);
}

static bool
is_plain_start(const struct mime_parser *p, unsigned char c)
{
	return !(p->frames.n > 0 && c == '-') &&
	    !(p->in_header && (c == '\r' || c == '\n'));
}

/* Each of these uses up some of the piece, or changes what it is: -1 or how much. */
static ssize_t
take_start(struct mime_parser *p, struct bytes piece)
{
	size_t need = frames_need(&p->frames), n = 0;

	if (p->held == 0 && is_plain_start(p, piece.p[0])) {
		p->line_start = false;
		return 0;
	}
	while (n < piece.n && p->held < need &&
	    (p->held == 0 || p->hold[p->held - 1] != '\n'))
		p->hold[p->held++] = piece.p[n++];
	if (p->held < need && p->hold[p->held - 1] != '\n')
		return (ssize_t)n;
	return decide(p) < 0 ? -1 : (ssize_t)n;
}

/* Where an LF is with a byte behind it that take_start() has to look at. */
static inline lanes
line_starts(const unsigned char *p)
{
	lanes next = lanes_load(p + 1);

	return (lanes)((lanes_load(p) == '\n') &
	    ((next == '\n') | (next == '\r') | (next == '-')));
}

/* Up to and with the LF before the first such line, or all. */
static size_t
before_line_start(struct bytes b)
{
	size_t i = 0;

	for (; b.n - i > LANES; i += LANES) {
		unsigned hits = lanes_bits(line_starts(b.p + i));

		if (hits != 0)
			return i + (size_t)__builtin_ctz(hits) + 1;
	}
	for (; i + 1 < b.n; i++)
		if (b.p[i] == '\n' && (b.p[i + 1] == '\n' ||
		    b.p[i + 1] == '\r' || b.p[i + 1] == '-'))
			return i + 1;
	return b.n;
}

/* Header up to a line that could end it. */
static ssize_t
take_header(struct mime_parser *p, struct bytes piece)
{
	struct bytes lines = bytes_first(piece, before_line_start(piece));

	if (gather_header(p, lines) < 0)
		return -1;
	pass(p, lines);
	p->line_start = lines.p[lines.n - 1] == '\n';
	return (ssize_t)lines.n;
}

/* What is left of a boundary's line. */
static ssize_t
take_line(struct mime_parser *p, struct bytes piece)
{
	ssize_t lf = bytes_find(piece, '\n');
	size_t n = lf < 0 ? piece.n : (size_t)lf + 1;

	return pass_line(p, bytes_first(piece, n)) < 0 ? -1 : (ssize_t)n;
}

/* Where an LF is with a hyphen behind it. */
static inline lanes
hyphens(const unsigned char *p)
{
	return (lanes)((lanes_load(p) == '\n') & (lanes_load(p + 1) == '-'));
}

/*
 * Up to and with the LF before the first line that begins with two hyphens, or
 * all: most of a body is no such line.
 */
static size_t
before_hyphens(struct bytes b)
{
	for (size_t i = 0; i < b.n; i += BLOCK) {
		const unsigned char *p = b.p + i;

		if (b.n - i > BLOCK && !lanes_any(hyphens(p) | hyphens(p + LANES)
		    | hyphens(p + 2 * LANES) | hyphens(p + 3 * LANES)))
			continue;
		for (size_t k = i; k < i + BLOCK && k + 2 < b.n; k++)
			if (b.p[k] == '\n' && b.p[k + 1] == '-' && b.p[k + 2] == '-')
				return k + 1;
	}
	return b.n;
}

/* Body up to a line that could be a boundary. */
static ssize_t
take_body(struct mime_parser *p, struct bytes piece)
{
	size_t n = piece.n;

	if (p->frames.n > 0) {
		n = before_hyphens(piece);
		if (n == piece.n && n >= 2 && memcmp(piece.p + n - 2, "\n-", 2) == 0)
			n--;
		p->line_start = piece.p[n - 1] == '\n';
	}
	pass(p, bytes_first(piece, n));
	return (ssize_t)n;
}

/* ---- the interface ---- */

struct mime_parser *
mime_begin(void)
{
	struct mime_parser *p = malloc(sizeof *p);
	const struct mark start = { 0 };

	if (p == NULL)
		return NULL;
	/* The frames are large, and few are ever used. */
	memset(p, 0, offsetof(struct mime_parser, frames));
	p->frames.n = 0;
	p->header = BUF_INIT(HEADER_MAX);
	p->tree.kept = BUF_INIT(MIME_KEPT_MAX);
	p->line_start = true;
	if (buf_room(&p->header, HEADER_FIRST) == NULL ||
	    begin_part(p, MIME_NONE, &start) < 0) {
		mime_abort(p);
		return NULL;
	}
	return p;
}

int
mime_push(struct mime_parser *p, struct bytes piece)
{
	while (piece.n > 0) {
		ssize_t n = p->line_start ? take_start(p, piece) :
		    p->skipping ? take_line(p, piece) :
		    p->in_header ? take_header(p, piece) : take_body(p, piece);

		if (n < 0)
			return -1;
		piece = bytes_from(piece, (size_t)n);
	}
	return 0;
}

int
mime_end(struct mime_parser *p, struct mime_tree *out)
{
	int rc = 0;

	if (p->held > 0)
		rc = decide(p);
	if (rc == 0 && p->skipping)
		rc = end_line(p);
	if (rc == 0)
		rc = end_parts(p, MIME_NONE, &p->at, p->at);
	if (rc == 0) {
		*out = p->tree;
		p->tree = (struct mime_tree){ 0 };
	}
	mime_abort(p);
	return rc;
}

void
mime_abort(struct mime_parser *p)
{
	mime_tree_free(&p->tree);
	buf_free(&p->header);
	free(p);
}
