/*
 * SASLprep (RFC 4013), as a profile of stringprep (RFC 3454).
 * Runs as: login; the administrator.
 */
#include <errno.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "prep.h"
#include "saslprep.h"
#include "utf8.h"

/* Table B.1: mapped to nothing. */
static bool
is_nothing(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x1806
	    || (c >= 0x180b && c <= 0x180d) || (c >= 0x200b && c <= 0x200d)
	    || c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/* Table C.1.2: mapped to SPACE; U+200B is in both, and B.1's. */
static bool
is_space(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
	    || c == 0x202f || c == 0x205f || c == 0x3000;
}

static int
map(struct bytes text, struct buf *out)
{
	uint32_t c = 0;
	size_t n;

	while ((n = utf8_char(text, &c)) > 0) {
		if (!is_nothing(c))
			(void)utf8_put(out, is_space(c) ? ' ' : c);
		text = bytes_from(text, n);
	}
	return text.n == 0 && out->error == 0 ? 0 : -1;
}

/*
 * RFC 3454 section 6: with a right-to-left letter there is no left-to-right one,
 * and it begins and ends with one. Code points of nobody are refused with it.
 */
static bool
is_fit(struct bytes text)
{
	bool right = false, left = false, first = false, last = false, begun = false;
	uint32_t c = 0;
	size_t n;

	for (; (n = utf8_char(text, &c)) > 0; text = bytes_from(text, n)) {
		const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);

		last = p->bidi_class == UTF8PROC_BIDI_CLASS_R
		    || p->bidi_class == UTF8PROC_BIDI_CLASS_AL;
		first = begun ? first : last;
		begun = true;
		right = right || last;
		left = left || p->bidi_class == UTF8PROC_BIDI_CLASS_L;
		if (p->category == UTF8PROC_CATEGORY_CN)
			return false;
	}
	return !right || (!left && first && last);
}

static bool
is_ascii(struct bytes text)
{
	while (text.n > 0 && text.p[0] < 0x80)
		text = bytes_from(text, 1);
	return text.n == 0;
}

/* What is not ASCII, and has no NUL. */
static int
prepare(struct bytes text, struct buf *out)
{
	struct buf mapped = BUF_INIT(out->max + 1);
	utf8proc_uint8_t *composed = NULL;
	const char *string = map(text, &mapped) < 0 ? NULL : buf_string(&mapped);
	struct bytes made;
	int r = -1;

	if (string != NULL)
		composed = utf8proc_NFKC((const utf8proc_uint8_t *)string);
	if (composed != NULL) {
		made = bytes_of((const char *)composed);
		if (made.n > 0 && prep_allowed(made) && is_fit(made))
			r = buf_bytes(out, made);
		explicit_bzero(composed, made.n);
		free(composed);
	}
	buf_wipe(&mapped);
	return r;
}

/* Most names are ASCII: utf8proc's tables are not touched for them. */
int
saslprep(struct bytes text, struct buf *out)
{
	int r = -1;

	if (is_ascii(text))
		r = text.n > 0 && prep_allowed(text) ? buf_bytes(out, text) : -1;
	else if (bytes_find(text, '\0') < 0)
		r = prepare(text, out);
	if (r < 0)
		errno = EILSEQ;
	return r;
}
