/*
 * Sending sections: stored bytes become octets piece by piece, no message is
 * held in memory.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "section_walk.h"

static bool
has_nul(struct bytes b)
{
	return b.n > 0 && memchr(b.p, 0, b.n) != NULL;
}

/* ---- marks ---- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Range of the file: parts of several messages may lie in one (mbox). */
static uint64_t
file_offset(const struct facts *f, uint64_t offset)
{
	return f->source.msg.extents > 0 ? f->source.msg.extent[0].offset + offset : offset;
}

/* Makes mark one of this section; what it knows stays when it was that before. */
static void
mark_take(const struct facts *f, const struct section *s, struct section_mark *mark)
{
	struct section_mark now = { .begin = file_offset(f, s->begin),
	    .end = file_offset(f, s->end), .binary = s->binary };

	if (fstat(f->source.msg.fd, &now.file) == 0 &&
	    same_file(&now.file, &mark->file) && now.begin == mark->begin &&
	    now.end == mark->end && now.binary == mark->binary)
		return;
	now.place.stored = s->begin;
	decoder_begin(&now.place.decoder, s->encoding, false);
	*mark = now;
}

static struct section_place
place_begin(const struct section *s)
{
	struct section_place p = { .stored = s->begin };

	decoder_begin(&p.decoder, s->encoding, false);
	return p;
}

/* ---- walking ---- */

static int
convert(struct facts *f, struct crlf *state, struct bytes *piece)
{
	unsigned char *room;

	buf_clear(&f->text);
	room = buf_room(&f->text, 2 * piece->n + 1);
	if (room == NULL)
		return -1;
	*piece = bytes_make(room, crlf_convert(state, *piece, room));
	return 0;
}

static int
decode(struct facts *f, const struct section *s, struct section_place *p,
    struct bytes *piece)
{
	buf_clear(&f->column);
	if (piece->n == 0)
		p->ended = true;
	if ((p->ended ? decoder_end(&p->decoder, &f->column)
	    : decoder_push(&p->decoder, *piece, &f->column)) == -1)
		return -1;
	*piece = buf_contents(&f->column);
	return s->lines ? convert(f, &p->crlf, piece) : 0;
}

/*
 * The next octets to be sent: 1, perhaps with none, 0 at the end, or -1. The
 * stored bytes of a section that has as many octets already have CRLF.
 */
static int
walk(struct facts *f, const struct section *s, struct section_place *p,
    struct bytes *piece)
{
	if (p->ended)
		return 0;
	if (source_at(&f->source, p->stored, s->end - p->stored, piece) == -1)
		return -1;
	p->stored += piece->n;
	if (s->binary) {
		if (decode(f, s, p, piece) == -1)
			return -1;
	} else {
		p->ended = piece->n == 0;
		if (s->end - s->begin != s->octets && convert(f, &p->crlf, piece) == -1)
			return -1;
	}
	p->octets += piece->n;
	return 1;
}

/* Moves to the last piece that begins at or before from, cheaply. */
static int
skip(struct facts *f, const struct section *s, uint64_t from, struct section_place *p)
{
	struct bytes piece;

	if (s->end - s->begin == s->octets && !s->binary) {
		p->stored = s->begin + from;
		p->octets = from;
		return 0;
	}
	while (!s->binary && p->octets < from) {
		struct crlf state = p->crlf;
		uint64_t octets;

		if (source_at(&f->source, p->stored, s->end - p->stored, &piece) == -1)
			return -1;
		octets = crlf_size(&state, piece);
		if (piece.n == 0 || p->octets + octets > from)
			break;
		p->stored += piece.n;
		p->octets += octets;
		p->crlf = state;
	}
	return 0;
}

int
section_measure(struct facts *f, struct section *s, struct section_mark *mark)
{
	struct section_place p = place_begin(s);
	struct bytes piece;
	int r;

	/* What is not of its encoding cannot be decoded (RFC 9051 section 6.4.5). */
	decoder_begin(&p.decoder, s->encoding, true);
	mark_take(f, s, mark);
	if (mark->octets == 0) {
		while ((r = walk(f, s, &p, &piece)) == 1)
			mark->nul |= has_nul(piece);
		if (r == -1) {
			if (errno == EILSEQ)
				errno = ENOTSUP;
			return -1;
		}
		mark->octets = p.octets;
	}
	s->octets = mark->octets;
	s->nul = mark->nul;
	return 0;
}

/* ---- sending ---- */

/* A NUL may stand in no literal (RFC 9051 section 4.3.1): 0x80 takes its place. */
static void
put_clean(struct response *out, struct bytes b)
{
	unsigned char safe[256];
	size_t i, n;

	for (; b.n > 0; b = bytes_from(b, n)) {
		n = b.n < sizeof(safe) ? b.n : sizeof(safe);
		for (i = 0; i < n; i++)
			safe[i] = b.p[i] != 0 ? b.p[i] : 0x80;
		put_octets(out, safe, n);
	}
}

static void
put_piece(struct response *out, struct bytes b, bool literal8)
{
	if (!literal8 && has_nul(b))
		put_clean(out, b);
	else
		put_octets(out, b.p, b.n);
}

/* All of a range that is not decoded, made where it is sent from. */
static void
send_whole(struct facts *f, const struct section *s, struct response *out)
{
	bool as_stored = s->end - s->begin == s->octets;
	struct crlf state = { 0 };
	uint64_t at = s->begin;
	struct bytes piece;

	while (source_at(&f->source, at, s->end - at, &piece) == 0 && piece.n > 0) {
		piece = bytes_first(piece, LINES_MAX);
		at += piece.n;
		if (!as_stored && !has_nul(piece)) {
			put_lines(out, piece, &state);
			continue;
		}
		if (!as_stored && convert(f, &state, &piece) == -1)
			return;
		put_piece(out, bytes_first(piece, (size_t)out->literal), false);
	}
}

/* The octets from ... from + n of a range. */
static void
send_range(struct facts *f, const struct section *s, uint64_t from, uint64_t n,
    struct section_mark *mark, struct response *out)
{
	struct section_place p, before;
	struct bytes piece;
	uint64_t begin;

	mark_take(f, s, mark);
	p = mark->place.octets <= from ? mark->place : place_begin(s);
	if (skip(f, s, from, &p) == -1)
		return;
	before = p;
	while (n > 0 && walk(f, s, &p, &piece) == 1) {
		begin = p.octets - piece.n;
		if (p.octets > from) {
			piece = bytes_from(piece, from > begin ? (size_t)(from - begin) : 0);
			piece = bytes_first(piece, n < SIZE_MAX ? (size_t)n : SIZE_MAX);
			put_piece(out, piece, s->nul);
			n -= piece.n;
		}
		if (n > 0)
			before = p;
	}
	mark->place = before;
}

static void
wanted(const struct fetch_item *item, uint64_t octets, uint64_t *from, uint64_t *n)
{
	*from = 0;
	*n = octets;
	if (!item->partial)
		return;
	*from = item->first < octets ? item->first : octets;
	*n = item->count < octets - *from ? item->count : octets - *from;
}

bool
section_send(struct facts *f, const struct fetch_item *item,
    const struct section *s, struct section_mark *mark, struct response *out)
{
	uint64_t from, n;

	wanted(item, s->octets, &from, &n);
	if (s->nul)
		put_literal8_begin(out, n);
	else
		put_literal_begin(out, n);
	if (s->memory)
		put_piece(out, bytes_first(bytes_from(s->text, (size_t)from), (size_t)n), false);
	else if (n == s->octets && !s->binary)
		send_whole(f, s, out);
	else
		send_range(f, s, from, n, mark, out);
	return put_literal_end(out);
}
