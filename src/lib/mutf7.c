/*
 * Modified UTF-7 to UTF-8 and back.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "mutf7.h"
#include "utf8.h"

/* Base64 with `,` instead of `/`. */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int
not_valid(void)
{
	errno = EILSEQ;
	return -1;
}

static bool
direct(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static int
sextet(unsigned char c)
{
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* UTF-16 code units joined to characters and appended as UTF-8. */
struct joiner {
	uint32_t high;			/* a surrogate that waits for its pair */
	struct buf *out;
};

static int
join_unit(struct joiner *j, uint32_t unit)
{
	bool low = unit >= 0xdc00 && unit <= 0xdfff;

	if (low != (j->high != 0))
		return not_valid();
	if (unit >= 0xd800 && unit <= 0xdbff) {
		j->high = unit;
		return 0;
	}
	if (low)
		unit = 0x10000 + ((j->high - 0xd800) << 10) + (unit - 0xdc00);
	j->high = 0;
	return utf8_put(j->out, unit);
}

/* What stands between `&` and `-`. */
static int
decode_shifted(struct bytes b64, struct buf *out)
{
	struct joiner j = { .out = out };
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < b64.n; i++) {
		int v = sextet(b64.p[i]);

		if (v < 0)
			return not_valid();
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		if (join_unit(&j, bits >> have & 0xffff) < 0)
			return -1;
	}
	return j.high != 0 ? not_valid() : 0;
}

static int
decode_any_form(struct bytes name, struct buf *out)
{
	while (name.n > 0) {
		ssize_t amp = bytes_find(name, '&'), end;
		struct bytes plain = bytes_first(name,
		    amp < 0 ? name.n : (size_t)amp);

		if (buf_bytes(out, plain) < 0)
			return -1;
		if (amp < 0)
			return 0;
		name = bytes_from(name, plain.n + 1);
		end = bytes_find(name, '-');
		if (end < 0)
			return not_valid();
		if (end == 0 ? buf_byte(out, '&') < 0
		    : decode_shifted(bytes_first(name, (size_t)end), out) < 0)
			return -1;
		name = bytes_from(name, (size_t)end + 1);
	}
	return 0;
}

/*
 * A name has one form only (RFC 3501 section 5.1.3: no printable US-ASCII in
 * base64, no superfluous shifts): what does not come out again as it went in
 * is refused, so that two spellings never mean one mailbox.
 */
int
mutf7_decode(struct bytes name, struct buf *utf8)
{
	size_t before = utf8->len;
	struct buf again = BUF_INIT(name.n + 1);
	int r = decode_any_form(name, utf8);

	if (r == 0) {
		r = mutf7_encode(bytes_from(buf_contents(utf8), before), &again);
		if (r < 0 || !bytes_equal(buf_contents(&again), name))
			r = not_valid();
	}
	if (r < 0)
		utf8->len = before;
	buf_free(&again);
	return r;
}

/* Bits on their way into base64. */
struct packer {
	uint32_t bits;
	unsigned have;
	struct buf *out;
};

static int
pack_unit(struct packer *k, uint32_t unit)
{
	k->bits = (k->bits << 16 | unit) & 0x3fffff;
	k->have += 16;
	while (k->have >= 6) {
		k->have -= 6;
		if (buf_byte(k->out, alphabet[k->bits >> k->have & 63]) < 0)
			return -1;
	}
	return 0;
}

static int
pack_character(struct packer *k, uint32_t c)
{
	if (c < 0x10000)
		return pack_unit(k, c);
	c -= 0x10000;
	if (pack_unit(k, 0xd800 + (c >> 10)) < 0)
		return -1;
	return pack_unit(k, 0xdc00 + (c & 0x3ff));
}

/* The longest run of characters that base64 must carry, with its `&` and `-`. */
static int
encode_shifted(struct bytes *utf8, struct buf *out)
{
	struct packer k = { .out = out };

	if (buf_byte(out, '&') < 0)
		return -1;
	while (utf8->n > 0) {
		uint32_t c;
		size_t n = utf8_char(*utf8, &c);

		if (n == 0)
			return not_valid();
		if (direct(c))
			break;
		if (pack_character(&k, c) < 0)
			return -1;
		*utf8 = bytes_from(*utf8, n);
	}
	if (k.have > 0
	    && buf_byte(out, alphabet[k.bits << (6 - k.have) & 63]) < 0)
		return -1;
	return buf_byte(out, '-');
}

int
mutf7_encode(struct bytes utf8, struct buf *name)
{
	while (utf8.n > 0) {
		unsigned char c = utf8.p[0];

		if (!direct(c)) {
			if (encode_shifted(&utf8, name) < 0)
				return -1;
			continue;
		}
		if (buf_byte(name, c) < 0 || (c == '&' && buf_byte(name, '-') < 0))
			return -1;
		utf8 = bytes_from(utf8, 1);
	}
	return 0;
}
