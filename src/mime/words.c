/*
 * Encoded words (RFC 2047, with the language of RFC 2231 section 5).
 * Runs as: the mailbox owner.
 */
#include "charset.h"
#include "decode.h"
#include "header.h"
#include "words.h"

#define WORDS_MAX (4 * HEADER_MAX)

struct encoded_word {
	struct bytes charset;
	bool base64;
	struct bytes text;
	size_t length;			/* of all of it */
};

/* Neighbours of one character set are converted together: many split characters. */
struct pending {
	struct bytes charset;
	struct buf decoded;
};

static bool
is_token(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] >= 0x7f)
			return false;
	return b.n > 0;
}

/* Spaces are let through: many write them into the Q encoding. */
static bool
has_control(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ')
			return true;
	return false;
}

/* "=?" charset ["*" language] "?" encoding "?" text "?=" */
static bool
read_word(struct bytes in, struct encoded_word *w)
{
	struct bytes rest, encoding;

	if (in.n < 8 || in.p[0] != '=' || in.p[1] != '?')
		return false;
	rest = bytes_from(in, 2);
	w->charset = bytes_split(&rest, '?');
	encoding = bytes_split(&rest, '?');
	w->text = bytes_split(&rest, '?');
	if (!is_token(w->charset) || encoding.n != 1 ||
	    has_control(w->text) || rest.n == 0 || rest.p[0] != '=')
		return false;
	w->base64 = ascii_lower(encoding.p[0]) == 'b';
	w->length = in.n - rest.n + 1;
	w->charset = bytes_split(&w->charset, '*');
	return w->base64 || ascii_lower(encoding.p[0]) == 'q';
}

size_t
words_encoded(struct bytes text)
{
	struct encoded_word w;

	return read_word(text, &w) ? w.length : 0;
}

static int
flush(struct pending *p, struct buf *out)
{
	int rc = 0;

	if (p->decoded.len > 0)
		rc = charset_convert(p->charset, buf_contents(&p->decoded), out);
	buf_clear(&p->decoded);
	return rc;
}

static int
put_word(struct pending *p, const struct encoded_word *w, struct buf *out)
{
	if (!bytes_case_equal(p->charset, w->charset) && flush(p, out) < 0)
		return -1;
	p->charset = w->charset;
	return w->base64 ? decode_base64(w->text, &p->decoded) :
	    decode_q(w->text, &p->decoded);
}

/* Text between words; white space alone is nothing there (section 6.2). */
static int
put_plain(struct pending *p, struct bytes plain, bool between, struct buf *out)
{
	if (plain.n == 0 || (between && bytes_trim(plain).n == 0))
		return 0;
	if (flush(p, out) < 0)
		return -1;
	return charset_convert(BYTES(""), plain, out);
}

static int
decode_all(struct bytes text, struct pending *p, struct buf *out)
{
	size_t plain = 0, i = 0;
	bool behind = false;
	struct encoded_word w;

	while (i < text.n) {
		ssize_t equal = bytes_find(bytes_from(text, i), '=');

		if (equal < 0)
			break;
		i += (size_t)equal;
		if (!read_word(bytes_from(text, i), &w)) {
			i++;
			continue;
		}
		if (put_plain(p, bytes_make(text.p + plain, i - plain), behind,
		    out) < 0 || put_word(p, &w, out) < 0)
			return -1;
		plain = i += w.length;
		behind = true;
	}
	if (put_plain(p, bytes_from(text, plain), false, out) < 0)
		return -1;
	return flush(p, out);
}

static void
drop_nuls(struct buf *b, size_t from)
{
	size_t n = from;

	for (size_t i = from; i < b->len; i++)
		if (b->data[i] != '\0')
			b->data[n++] = b->data[i];
	b->len = n;
}

int
words_decode(struct bytes value, struct buf *out)
{
	struct buf text = BUF_INIT(HEADER_MAX);
	struct pending p = { .decoded = BUF_INIT(WORDS_MAX) };
	size_t from = out->len;
	int rc;

	rc = header_unfold(bytes_first(value, HEADER_MAX), &text);
	if (rc == 0)
		rc = decode_all(buf_contents(&text), &p, out);
	buf_free(&p.decoded);
	buf_free(&text);
	drop_nuls(out, from);
	return rc;
}
