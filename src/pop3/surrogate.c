/*
 * Header fields beyond ASCII as encoded words.
 * Runs as: the mailbox owner.
 */
#include "crlf.h"
#include "surrogate.h"
#include "utf8.h"

/* So many bytes of a word stay below the 75 octets of an encoded word. */
#define WORD_FULL 15

/* What ends a word in some kind of field; `=` and `?` would be read as encoding. */
static bool
delimits(unsigned char c)
{
	static const bool also[256] = {
		['"'] = true, ['('] = true, [')'] = true, [','] = true, [':'] = true,
		[';'] = true, ['<'] = true, ['>'] = true, ['@'] = true, ['['] = true,
		[']'] = true,
	};

	return c <= ' ' || also[c];
}

static unsigned char *
put(unsigned char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return to + n;
}

static unsigned char *
put_q(unsigned char *to, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	if (ascii_alpha(c) || ascii_digit(c)) {
		*to++ = c;
		return to;
	}
	*to++ = '=';
	*to++ = (unsigned char)digits[c >> 4];
	*to++ = (unsigned char)digits[c & 15];
	return to;
}

/* White space between two encoded words is not shown: it goes into the second. */
static unsigned char *
put_encoded(struct surrogate *s, unsigned char *to)
{
	if (s->space || (s->goes_on && s->encoded))
		*to++ = ' ';
	to = put(to, utf8_valid(bytes_make(s->word, s->n)) ? "=?utf-8?q?"
	    : "=?unknown-8bit?q?");
	if (s->space)
		*to++ = '_';
	for (size_t i = 0; i < s->n; i++)
		to = put_q(to, s->word[i]);
	return put(to, "?=");
}

static unsigned char *
flush(struct surrogate *s, unsigned char *to)
{
	if (s->n == 0)
		return to;
	/* What goes on behind an encoded word would hide its end. */
	s->eight = s->eight || (s->goes_on && s->encoded);
	if (s->eight) {
		to = put_encoded(s, to);
	} else {
		if (s->space)
			*to++ = ' ';
		memcpy(to, s->word, s->n);
		to += s->n;
	}
	s->encoded = s->eight;
	s->space = s->eight = s->goes_on = false;
	s->n = 0;
	return to;
}

/* A delimiter itself; the end of an empty line is the end of the header. */
static unsigned char *
put_delimiter(struct surrogate *s, unsigned char *to, unsigned char c)
{
	bool waits = c == ' ' && s->encoded && !s->space;

	if (s->space)
		*to++ = ' ';
	s->space = waits;
	if (!waits) {
		*to++ = c;
		s->encoded = false;
	}
	if (c == '\n') {
		s->body = !s->inside;
		s->inside = false;
	} else if (c != '\r') {
		s->inside = true;
	}
	return to;
}

static unsigned char *
one(struct surrogate *s, unsigned char *to, unsigned char c)
{
	if (delimits(c)) {
		to = flush(s, to);
		return put_delimiter(s, to, c);
	}
	/* Characters are not cut in two. */
	if (s->n == SURROGATE_WORD_MAX || (s->n >= WORD_FULL && (c & 0xc0) != 0x80)) {
		to = flush(s, to);
		s->goes_on = true;
	}
	s->word[s->n++] = c;
	s->eight = s->eight || c >= 0x80;
	s->inside = true;
	return to;
}

void
surrogate_begin(struct surrogate *s, struct bytes piece)
{
	struct bytes rest = piece;
	bool body = false;
	ssize_t end;

	while (!body && (end = bytes_find(rest, '\n')) >= 0) {
		body = end == 0 || (end == 1 && rest.p[0] == '\r');
		rest = bytes_from(rest, (size_t)end + 1);
	}
	if (body && crlf_is_7bit(bytes_first(piece, piece.n - rest.n)))
		s->body = true;
}

size_t
surrogate(struct surrogate *s, struct bytes piece, unsigned char *out)
{
	unsigned char *to = out;
	size_t i = 0;

	while (i < piece.n && !s->body)
		to = one(s, to, piece.p[i++]);
	if (i < piece.n)
		memcpy(to, piece.p + i, piece.n - i);
	return (size_t)(to - out) + piece.n - i;
}

size_t
surrogate_end(struct surrogate *s, unsigned char *out)
{
	unsigned char *to = flush(s, out);

	if (s->space)
		*to++ = ' ';
	s->space = false;
	return (size_t)(to - out);
}
