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

/* How many bytes before the first LF of sixteen; all of them when there is none. */
static unsigned
before_lf(lanes v)
{
	lanes hit = (lanes)(v == '\n');
	uint64_t half[2];

	memcpy(half, &hit, sizeof half);
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		half[0] = __builtin_bswap64(half[0]);
		half[1] = __builtin_bswap64(half[1]);
	}
	if (half[0] != 0)
		return (unsigned)__builtin_ctzll(half[0]) / 8;
	return half[1] != 0 ? 8 + (unsigned)__builtin_ctzll(half[1]) / 8 : LANES;
}

/*
 * Sixteen bytes are stored before it is known how many of them count: while as
 * many are left to read, there is room for more than these in out. stuffed is
 * known where this is put in.
 */
static inline __attribute__((always_inline)) size_t
convert(struct crlf *c, struct bytes piece, unsigned char *out, bool stuffed)
{
	const unsigned char *p = piece.p, *end = p + piece.n;
	unsigned char *to = out, last = c->cr ? '\r' : '\0';

	while (end - p >= LANES) {
		lanes v = lanes_load(p);
		unsigned n = before_lf(v);

		memcpy(to, &v, sizeof v);
		p += n;
		to += n;
		if (n == LANES)
			continue;
		*to = '\r';
		to += (p > piece.p ? p[-1] : last) != '\r';
		*to++ = *p++;
		if (stuffed && p < end && *p == '.')
			*to++ = '.';
	}
	for (; p < end; p++) {
		if (*p == '\n' && (p > piece.p ? p[-1] : last) != '\r')
			*to++ = '\r';
		*to++ = *p;
		if (stuffed && *p == '\n' && end - p > 1 && p[1] == '.')
			*to++ = '.';
	}
	if (piece.n > 0)
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
