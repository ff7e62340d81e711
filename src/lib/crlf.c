/*
 * Line ends: counting and making CRLF.
 * Runs as: the mailbox owner.
 */
#include "crlf.h"
#include "lanes.h"

#define BLOCKS_MAX 255		/* additions before a lane could overflow */

static uint64_t
sum(lanes v)
{
	const uint64_t even = 0x00ff00ff00ff00ff;
	uint64_t half[2], pairs;

	memcpy(half, &v, sizeof half);
	pairs = (half[0] & even) + (half[0] >> 8 & even) + (half[1] & even) + (half[1] >> 8 & even);
	return (pairs * 0x0001000100010001) >> 48;
}

/* What is left behind the whole blocks of a piece, n bytes that end here. */
static uint64_t
count_rest(struct bytes piece, size_t n, bool *cr)
{
	const unsigned char *end = piece.p + piece.n;
	uint64_t lines = 0;

	if (n > 0 && piece.n >= LANES) {
		lanes v = lanes_load(end - LANES);

		*cr |= lanes_any((lanes)(v == '\r'));
		return (unsigned)__builtin_popcount(lanes_bits((lanes)(v == '\n')) >> (LANES - n));
	}
	for (const unsigned char *p = end - n; p < end; p++) {
		lines += *p == '\n';
		*cr |= *p == '\r';
	}
	return lines;
}

/*
 * Adds the LFs of at most BLOCKS_MAX blocks of sixteen, four at a time while there
 * are so many; seen gathers where a CR is. Returns behind which block it is.
 */
static const unsigned char *
count_blocks(const unsigned char *p, size_t blocks, lanes *seen, uint64_t *n)
{
	const unsigned char *end = p + LANES * (blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX);
	lanes count = { 0 }, cr = *seen;

	for (; end - p >= 4 * LANES; p += 4 * LANES) {
		lanes a = lanes_load(p), b = lanes_load(p + LANES);
		lanes c = lanes_load(p + 2 * LANES), d = lanes_load(p + 3 * LANES);

		count -= (lanes)(a == '\n') + (lanes)(b == '\n') +
		    (lanes)(c == '\n') + (lanes)(d == '\n');
		cr |= (lanes)(a == '\r') | (lanes)(b == '\r') |
		    (lanes)(c == '\r') | (lanes)(d == '\r');
	}
	for (; p < end; p += LANES) {
		lanes v = lanes_load(p);

		count -= (lanes)(v == '\n');
		cr |= (lanes)(v == '\r');
	}
	*seen = cr;
	*n += sum(count);
	return p;
}

/* How many LF; cr becomes true when there is a CR too. */
static uint64_t
count_lines(struct bytes piece, bool *cr)
{
	const unsigned char *p = piece.p, *end = p + piece.n;
	lanes seen = { 0 };
	uint64_t n = 0;

	while (end - p >= LANES)
		p = count_blocks(p, (size_t)(end - p) / LANES, &seen, &n);
	*cr |= lanes_any(seen);
	return n + count_rest(piece, (size_t)(end - p), cr);
}

uint64_t
crlf_lines(struct bytes piece)
{
	bool cr = false;

	return count_lines(piece, &cr);
}

/* How many LF in p[1] ... p[n - 1] have no CR before them. */
static uint64_t
bare_behind_first(const unsigned char *p, size_t n)
{
	uint64_t bare = 0;
	size_t i = 1;

	while (n - i >= LANES) {
		lanes count = { 0 };

		for (int k = 0; k < BLOCKS_MAX && n - i >= LANES;
		    k++, i += LANES)
			count -= (lanes)((lanes_load(p + i) == '\n') &
			    (lanes_load(p + i - 1) != '\r'));
		bare += sum(count);
	}
	for (; i < n; i++)
		bare += p[i] == '\n' && p[i - 1] != '\r';
	return bare;
}

uint64_t
crlf_size(struct crlf *c, struct bytes piece)
{
	uint64_t bare;

	if (piece.n == 0)
		return 0;
	bare = piece.p[0] == '\n' && !c->cr;
	bare += bare_behind_first(piece.p, piece.n);
	c->cr = piece.p[piece.n - 1] == '\r';
	return piece.n + bare;
}

/* Without any CR each LF is a bare one. */
uint64_t
crlf_count(struct crlf *c, struct bytes piece, uint64_t *lines)
{
	bool cr = c->cr;

	*lines = count_lines(piece, &cr);
	return cr ? crlf_size(c, piece) : piece.n + *lines;
}

#define BLOCK (4 * LANES)		/* bytes that are looked at at once */
#define INLINED static inline __attribute__((always_inline))

/* A bit for each LF of the first size bytes, which are whole lanes. */
INLINED uint64_t
line_ends(const unsigned char *p, size_t size)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < size; i += LANES)
		bits |= (uint64_t)lanes_bits((lanes)(lanes_load(p + i) == '\n')) << i;
	return bits;
}

/* The LF at p, with what belongs before and behind it. */
INLINED unsigned char *
put_line_end(unsigned char *to, const unsigned char *p, const unsigned char *end,
    unsigned char before, bool stuffed)
{
	*to = '\r';
	to += before != '\r';
	*to++ = '\n';
	if (stuffed && end - p > 1 && p[1] == '.')
		*to++ = '.';
	return to;
}

/*
 * As many blocks of size bytes as there are but for the last one or two: how many
 * bytes that is. Each line takes a whole block with it to out, and the next one
 * overwrites what was too much: there is room for it while two are left to read.
 */
INLINED size_t
put_blocks(unsigned char **out, const unsigned char *p, const unsigned char *end,
    size_t size, bool stuffed)
{
	const unsigned char *begin = p;
	unsigned char *to = *out;

	for (; (size_t)(end - p) >= 2 * size; p += size) {
		const unsigned char *from = p;

		for (uint64_t bits = line_ends(p, size); bits != 0; bits &= bits - 1) {
			const unsigned char *lf = p + __builtin_ctzll(bits);

			memcpy(to, from, size);
			to = put_line_end(to + (lf - from), lf, end, lf[-1], stuffed);
			from = lf + 1;
		}
		memcpy(to, from, size);
		to += p + size - from;
	}
	*out = to;
	return (size_t)(p - begin);
}

/* What is left: at most two blocks. */
INLINED unsigned char *
put_rest(unsigned char *to, const unsigned char *p, const unsigned char *end, bool stuffed)
{
	while (p < end) {
		const unsigned char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf != NULL ? lf : end) - p);

		to = mempcpy(to, p, n);
		if (lf == NULL)
			break;
		to = put_line_end(to, lf, end, lf[-1], stuffed);
		p = lf + 1;
	}
	return to;
}

/* stuffed is known where this is put in. */
INLINED size_t
convert(struct crlf *c, struct bytes piece, unsigned char *out, bool stuffed)
{
	const unsigned char *p = piece.p, *end = p + piece.n;
	unsigned char *to = out;

	if (piece.n == 0)
		return 0;
	if (*p == '\n')
		to = put_line_end(to, p, end, c->cr ? '\r' : '\0', stuffed);
	else
		*to++ = *p;
	p++;
	p += put_blocks(&to, p, end, BLOCK, stuffed);
	p += put_blocks(&to, p, end, LANES, stuffed);
	to = put_rest(to, p, end, stuffed);
	c->cr = end[-1] == '\r';
	return (size_t)(to - out);
}

size_t
crlf_convert(struct crlf *c, struct bytes piece, unsigned char *out)
{
	return convert(c, piece, out, false);
}

size_t
crlf_stuff(struct crlf *c, bool *inside, struct bytes piece, unsigned char *out)
{
	unsigned char *to = out;

	if (piece.n == 0)
		return 0;
	if (!*inside && piece.p[0] == '.')
		*to++ = '.';
	to += convert(c, piece, to, true);
	*inside = piece.p[piece.n - 1] != '\n';
	return (size_t)(to - out);
}

bool
crlf_is_7bit(struct bytes piece)
{
	lanes all = { 0 };
	unsigned char rest = 0;
	size_t i = 0;

	for (; piece.n - i >= LANES; i += LANES)
		all |= lanes_load(piece.p + i);
	for (int k = 0; k < LANES; k++)
		rest |= all[k];
	for (; i < piece.n; i++)
		rest |= piece.p[i];
	return rest < 0x80;
}
