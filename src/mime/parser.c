/*
 * Finds the parts of a message while its bytes pass by.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include "crlf.h"
#include "fields.h"
#include "header.h"

/* "--", the boundary, "--" and the byte behind them decide about a line. */
#define LINE_NEED(boundary_n) ((boundary_n) + 5)
#define HOLD_MAX LINE_NEED(MIME_BOUNDARY_MAX)
#define HEADER_FIRST ((size_t)4096)	/* most headers fit, none needs growing for less */
#define PARTS_FIRST 4

/* A place in the message: offset as stored, octets and LFs before it. */
struct mark {
	uint64_t pos, octets, lines;
};

/* A multipart whose boundary is looked for. */
struct frame {
	uint32_t part;
	uint32_t last;			/* its last child so far */
	size_t need;			/* bytes of a line that decide, for it and those around it */
	size_t boundary_n;
	unsigned char boundary[MIME_BOUNDARY_MAX];
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
	unsigned char hold[HOLD_MAX];
	struct buf header;		/* of the current part, up to its limit */
	size_t n_frames;
	struct frame frames[MIME_DEPTH_MAX];
};

static struct mime_part *
current_part(struct mime_parser *p)
{
	return &p->tree.v[p->current];
}

static struct frame *
top_frame(struct mime_parser *p)
{
	return &p->frames[p->n_frames - 1];
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

static void
link_child(struct mime_parser *p, uint32_t parent, uint32_t i)
{
	struct mime_part *v = p->tree.v;
	bool in_frame = p->n_frames > 0 && top_frame(p)->part == parent;

	if (v[parent].child == MIME_NONE)
		v[parent].child = i;
	else
		v[top_frame(p)->last].next = i;
	if (in_frame)
		top_frame(p)->last = i;
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

static void
push_frame(struct mime_parser *p, const struct part_type *type)
{
	struct frame *f = &p->frames[p->n_frames];
	size_t below = p->n_frames == 0 ? 0 : top_frame(p)->need;

	f->part = p->current;
	f->last = MIME_NONE;
	f->need = LINE_NEED(type->boundary_n);
	f->need = f->need > below ? f->need : below;
	f->boundary_n = type->boundary_n;
	memcpy(f->boundary, type->boundary, type->boundary_n);
	p->n_frames++;
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
	    up == NULL || up->kind == MIME_MESSAGE,
	    up != NULL && up->flags & MIME_DIGEST, &p->tree, part, &type) < 0)
		return -1;
	if ((type.multipart || type.message) &&
	    (depth(p, p->current) == MIME_DEPTH_MAX ||
	    p->tree.n == MIME_PARTS_MAX))
		fields_cut(part);
	else if (type.multipart)
		push_frame(p, &type);
	else if (type.message)
		return begin_part(p, p->current, at);
	return 0;
}

/* ---- parts end ---- */

static void
end_part(struct mime_parser *p, struct mark *end)
{
	struct mime_part *part = current_part(p);

	if (end->pos < part->body)
		*end = (struct mark){ .pos = part->body,
		    .octets = part->body_octets, .lines = part->body_lines };
	part->end = end->pos;
	part->body_octets = end->octets - part->body_octets;
	part->body_lines = end->lines - part->body_lines;
	if (p->n_frames > 0 && top_frame(p)->part == p->current)
		p->n_frames--;
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

/* ---- boundaries ---- */

/* bcharsnospace of RFC 2046 section 5.1.1: such a byte makes another boundary. */
static bool
continues_boundary(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    (c != '\0' && strchr("'()+_,-./:=?", c) != NULL);
}

static bool
ends_there(struct bytes rest)
{
	return rest.n == 0 || !continues_boundary(rest.p[0]);
}

static bool
is_boundary(const struct frame *f, struct bytes line, bool *closing)
{
	struct bytes rest;

	if (line.n < f->boundary_n + 2 ||
	    memcmp(line.p, "--", 2) != 0 ||
	    memcmp(line.p + 2, f->boundary, f->boundary_n) != 0)
		return false;
	rest = bytes_from(line, f->boundary_n + 2);
	*closing = bytes_starts(rest, BYTES("--")) &&
	    ends_there(bytes_from(rest, 2));
	return *closing || ends_there(rest);
}

/* The frame whose boundary the line is, the innermost of the longest, or NULL. */
static struct frame *
find_boundary(struct mime_parser *p, struct bytes line, bool *closing)
{
	struct frame *best = NULL;
	bool closes;

	for (size_t i = p->n_frames; i-- > 0;) {
		struct frame *f = &p->frames[i];

		if ((best == NULL || f->boundary_n > best->boundary_n) &&
		    is_boundary(f, line, &closes)) {
			best = f;
			*closing = closes;
		}
	}
	return best;
}

static int
meet_boundary(struct mime_parser *p, struct frame *f, bool closing)
{
	uint32_t part = f->part;

	if (end_parts(p, part, &p->at, before_line_end(p)) < 0)
		return -1;
	if (closing) {
		p->tree.v[part].flags |= MIME_CLOSED;
		p->n_frames--;
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

/* ---- lines ---- */

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
	struct frame *f = find_boundary(p, line, &closing);

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
	return !(p->n_frames > 0 && c == '-') &&
	    !(p->in_header && (c == '\r' || c == '\n'));
}

/* Each of these uses up some of the piece, or changes what it is: -1 or how much. */
static ssize_t
take_start(struct mime_parser *p, struct bytes piece)
{
	size_t need = p->n_frames == 0 ? 2 : top_frame(p)->need, n = 0;

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

static ssize_t
take_line(struct mime_parser *p, struct bytes piece)
{
	ssize_t lf = bytes_find(piece, '\n');
	size_t n = lf < 0 ? piece.n : (size_t)lf + 1;

	return pass_line(p, bytes_first(piece, n)) < 0 ? -1 : (ssize_t)n;
}

/* Body up to a line that could be a boundary. */
static ssize_t
take_body(struct mime_parser *p, struct bytes piece)
{
	const unsigned char *hit = NULL;
	size_t n = piece.n;

	if (p->n_frames > 0) {
		hit = memmem(piece.p, piece.n, "\n--", 3);
		if (hit != NULL)
			n = (size_t)(hit - piece.p) + 1;
		else if (n >= 2 && memcmp(piece.p + n - 2, "\n-", 2) == 0)
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
	struct mime_parser *p = calloc(1, sizeof *p);
	const struct mark start = { 0 };

	if (p == NULL)
		return NULL;
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
		    p->in_header || p->skipping ? take_line(p, piece) :
		    take_body(p, piece);

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
