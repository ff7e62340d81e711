/*
 * Character sets to UTF-8.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <strings.h>

#include "charset.h"
#include "crlf.h"

#define REPLACEMENT 0xfffd
#define PIECE 4096			/* converted at once by iconv */

/* Windows-1252 from 0x80 to 0x9f; the five holes are C1 controls. */
static const uint16_t cp1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

struct alias {
	const char *name;
	enum charset_kind kind;
	const char *iconv;		/* its superset in use, as the C library calls it */
};

static const struct alias aliases[] = {
	{ "", CHARSET_GUESS, NULL },
	{ "us-ascii", CHARSET_GUESS, NULL },
	{ "ascii", CHARSET_GUESS, NULL },
	{ "ansi_x3.4-1968", CHARSET_GUESS, NULL },
	{ "unknown-8bit", CHARSET_GUESS, NULL },
	{ "utf-8", CHARSET_UTF8, NULL },
	{ "utf8", CHARSET_UTF8, NULL },
	{ "iso-8859-1", CHARSET_CP1252, NULL },
	{ "iso8859-1", CHARSET_CP1252, NULL },
	{ "iso_8859-1", CHARSET_CP1252, NULL },
	{ "latin1", CHARSET_CP1252, NULL },
	{ "windows-1252", CHARSET_CP1252, NULL },
	{ "cp1252", CHARSET_CP1252, NULL },
	{ "gb2312", CHARSET_ICONV, "GB18030" },
	{ "gbk", CHARSET_ICONV, "GB18030" },
	{ "x-gbk", CHARSET_ICONV, "GB18030" },
	{ "iso-8859-8-i", CHARSET_ICONV, "ISO-8859-8" },
	{ "ks_c_5601-1987", CHARSET_ICONV, "CP949" },
	{ "euc-kr", CHARSET_ICONV, "CP949" },
	{ "shift_jis", CHARSET_ICONV, "CP932" },
	{ "x-sjis", CHARSET_ICONV, "CP932" },
	{ "windows-31j", CHARSET_ICONV, "CP932" },
	{ "windows-874", CHARSET_ICONV, "CP874" },
	{ "x-mac-roman", CHARSET_ICONV, "MACINTOSH" },
	{ "unicode-1-1-utf-7", CHARSET_ICONV, "UTF-7" },
};

static const struct alias *
alias_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (bytes_case_equal(name, bytes_of(aliases[i].name)))
			return &aliases[i];
	return NULL;
}

/* Names go to iconv_open() only when they are names: no "//TRANSLIT", no path. */
static bool
is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = name.p[i];

		if (!ascii_alpha(c) && !ascii_digit(c) &&
		    (c == '\0' || strchr("-_.:+()", c) == NULL))
			return false;
	}
	return name.n > 0 && name.n <= CHARSET_NAME_MAX;
}

/*
 * Conversions that wait for their next use: opening one loads a library, which
 * costs more than a message.
 */
static struct kept {
	char name[CHARSET_NAME_MAX + 1];	/* empty: a free place */
	iconv_t iconv;
} kept[CHARSET_KEPT];

static iconv_t
take_kept(const char *name)
{
	for (size_t i = 0; i < CHARSET_KEPT; i++)
		if (strcasecmp(kept[i].name, name) == 0) {
			kept[i].name[0] = '\0';
			return kept[i].iconv;
		}
	return (iconv_t)-1;
}

/* In place of the one that has been there longest, when all are taken. */
static void
keep(iconv_t ic, const char *name)
{
	static size_t next;
	struct kept *k = &kept[next++ % CHARSET_KEPT];

	for (size_t i = 0; k->name[0] != '\0' && i < CHARSET_KEPT; i++)
		if (kept[i].name[0] == '\0')
			k = &kept[i];
	if (k->name[0] != '\0')
		iconv_close(k->iconv);
	iconv(ic, NULL, NULL, NULL, NULL);
	strcpy(k->name, name);
	k->iconv = ic;
}

void
charset_shrink(void)
{
	for (size_t i = 0; i < CHARSET_KEPT; i++) {
		if (kept[i].name[0] != '\0')
			iconv_close(kept[i].iconv);
		kept[i].name[0] = '\0';
	}
}

/* Its name, as the C library knows it, goes into z. */
static iconv_t
open_iconv(struct bytes name, const struct alias *alias,
    char z[CHARSET_NAME_MAX + 1])
{
	iconv_t ic;

	z[0] = '\0';
	if (alias != NULL && alias->iconv != NULL)
		name = bytes_of(alias->iconv);
	if (!is_name(name)) {
		errno = EINVAL;
		return (iconv_t)-1;
	}
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	ic = take_kept(z);
	return ic != (iconv_t)-1 ? ic : iconv_open("UTF-8", z);
}

bool
charset_known(struct bytes name)
{
	const struct alias *alias = alias_of(name);
	char z[CHARSET_NAME_MAX + 1];
	iconv_t ic;

	if (name.n == 0 || (alias != NULL && alias->kind != CHARSET_ICONV))
		return name.n > 0;
	ic = open_iconv(name, alias, z);
	if (ic == (iconv_t)-1)
		return false;
	keep(ic, z);
	return true;
}

/*
 * Character sets where a byte below 0x80 that follows no byte above is ASCII.
 * The others shift (ISO-2022, UTF-7, HZ) or are wider than a byte.
 */
static bool
is_ascii_superset(struct bytes name)
{
	static const char *const families[] = {
		"iso-8859-", "windows-125", "cp125", "koi8-", "gb2312", "gbk",
		"gb18030", "big5", "euc-", "ks_c_5601",
	};

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (bytes_case_starts(name, bytes_of(families[i])))
			return true;
	return false;
}

void
charset_begin(struct charset *c, struct bytes name)
{
	const struct alias *alias;

	name = bytes_trim(name);
	alias = alias_of(name);
	*c = (struct charset){ .kind = CHARSET_GUESS, .ascii = true };
	if (alias != NULL && alias->kind != CHARSET_ICONV) {
		c->kind = alias->kind;
		return;
	}
	c->iconv = open_iconv(name, alias, c->name);
	if (c->iconv == (iconv_t)-1)
		return;
	c->kind = CHARSET_ICONV;
	c->ascii = is_ascii_superset(name);
}

static int
put_cp1252(struct buf *out, unsigned char c)
{
	return utf8_put(out, c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c);
}

/* Eight bytes at a time. */
static size_t
ascii_run(struct bytes in)
{
	uint64_t eight;
	size_t n = 0;

	while (in.n - n >= sizeof eight) {
		memcpy(&eight, in.p + n, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
		n += sizeof eight;
	}
	while (n < in.n && in.p[n] < 0x80)
		n++;
	return n;
}

/* A byte becomes three at most. */
static int
push_cp1252(struct bytes in, struct buf *out)
{
	unsigned char *to = buf_room(out, 3 * in.n);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < in.n; i++) {
		unsigned c = in.p[i];

		if (c < 0x80) {
			*to++ = (unsigned char)c;
			continue;
		}
		c = c < 0xa0 ? cp1252[c - 0x80] : c;
		if (c >= 0x800) {
			*to++ = (unsigned char)(0xe0 | c >> 12);
			*to++ = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		} else {
			*to++ = (unsigned char)(0xc0 | c >> 6);
		}
		*to++ = (unsigned char)(0x80 | (c & 0x3f));
	}
	out->len = (size_t)(to - out->data);
	return 0;
}

static int
put_invalid(struct charset *c, struct buf *out, unsigned char byte)
{
	return c->kind == CHARSET_GUESS ? put_cp1252(out, byte) :
	    utf8_put(out, REPLACEMENT);
}

static void
hold(struct charset *c, struct bytes in)
{
	memcpy(c->hold, in.p, in.n);
	c->held = in.n;
}

/* True when in is the beginning of a character and more bytes may complete it. */
static bool
utf8_cut(struct bytes in)
{
	unsigned char first = in.p[0];
	size_t n = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 :
	    first < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < in.n; i++)
		if ((in.p[i] & 0xc0) != 0x80)
			return false;
	return n > in.n;
}

/* How much of in, at its beginning, is UTF-8. */
static size_t
utf8_run(struct bytes in)
{
	size_t n = 0, step = 1;
	uint32_t code;

	while (step > 0) {
		n += ascii_run(bytes_from(in, n));
		step = utf8_char(bytes_from(in, n), &code);
		n += step;
	}
	return n;
}

/* UTF-8, and what pretends to be. last: nothing will complete a cut character. */
static int
push_utf8(struct charset *c, struct bytes in, struct buf *out, bool last)
{
	for (;;) {
		size_t n = utf8_run(in);

		if (buf_add(out, in.p, n) < 0)
			return -1;
		in = bytes_from(in, n);
		if (in.n == 0)
			return 0;
		if (!last && in.n < 4 && utf8_cut(in)) {
			hold(c, in);
			return 0;
		}
		if (put_invalid(c, out, in.p[0]) < 0)
			return -1;
		in = bytes_from(in, 1);
	}
}

/*
 * One round of iconv over *in. Bytes that mean nothing become U+FFFD; a
 * character that is cut is left over. 0, 1 when nothing can move, -1.
 */
static int
step_iconv(struct charset *c, struct bytes *in, struct buf *out)
{
	char piece[PIECE], *to = piece;
	char *from = (char *)(uintptr_t)in->p;
	size_t room = sizeof piece, left = in->n, n;
	int error;

	n = iconv(c->iconv, &from, &left, &to, &room);
	error = n == (size_t)-1 ? errno : 0;
	*in = bytes_from(*in, in->n - left);
	if (buf_add(out, piece, (size_t)(to - piece)) < 0)
		return -1;
	if (error == EILSEQ) {
		*in = bytes_from(*in, 1);
		return utf8_put(out, REPLACEMENT);
	}
	return error == EINVAL;
}

static int
push_iconv(struct charset *c, struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		int rc = step_iconv(c, &in, out);

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		if (in.n <= sizeof c->hold) {
			hold(c, in);
			return 0;
		}
		if (utf8_put(out, REPLACEMENT) < 0)
			return -1;
		in = bytes_from(in, 1);
	}
	return 0;
}

static int
push_plainly(struct charset *c, struct bytes in, struct buf *out)
{
	switch (c->kind) {
	case CHARSET_CP1252:
		return push_cp1252(in, out);
	case CHARSET_ICONV:
		return push_iconv(c, in, out);
	default:
		return push_utf8(c, in, out, false);
	}
}

/*
 * What was held is completed byte by byte: a character has few, and the rest
 * of the piece need not be moved.
 */
int
charset_push(struct charset *c, struct bytes in, struct buf *out)
{
	while (c->held > 0 && in.n > 0) {
		unsigned char joined[CHARSET_HOLD_MAX + 1];
		size_t n = c->held;

		memcpy(joined, c->hold, n);
		joined[n++] = in.p[0];
		in = bytes_from(in, 1);
		c->held = 0;
		if (push_plainly(c, bytes_make(joined, n), out) < 0)
			return -1;
	}
	return in.n == 0 ? 0 : push_plainly(c, in, out);
}

int
charset_end(struct charset *c, struct buf *out)
{
	struct bytes held = { c->hold, c->held };
	int rc = 0;

	if (c->kind == CHARSET_ICONV) {
		rc = held.n == 0 ? 0 : utf8_put(out, REPLACEMENT);
		keep(c->iconv, c->name);
		c->kind = CHARSET_GUESS;
	} else {
		rc = push_utf8(c, held, out, true);
	}
	c->held = 0;
	return rc;
}

int
charset_convert(struct bytes name, struct bytes in, struct buf *out)
{
	struct charset c;
	int rc, end;

	charset_begin(&c, name);
	rc = charset_push(&c, in, out);
	end = charset_end(&c, out);
	return rc < 0 ? -1 : end;
}
