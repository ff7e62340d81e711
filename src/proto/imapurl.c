/*
 * Reading IMAP URLs (RFC 5092 section 11).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "imapurl.h"
#include "utf8.h"

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

/* bchar without the percent sign: what may stand for itself. */
static bool
plain(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c)
	    || (c != '\0' && strchr("-._~!$'()*+,&=:@/", c) != NULL);
}

/* Text without percent signs and of no control characters. */
static int
decode(struct bytes in, struct arena *a, struct bytes *out)
{
	unsigned char *to = arena_alloc(a, in.n + 1);
	size_t n = 0;

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < in.n; i++) {
		int c = bytes_escaped(bytes_from(in, i), '%');

		if (c >= 0)
			i += 2;
		else if (plain(in.p[i]))
			c = in.p[i];
		if (c < ' ' || c == 0x7f)
			return invalid();
		to[n++] = (unsigned char)c;
	}
	*out = bytes_make(to, n);
	return utf8_valid(*out) ? 0 : invalid();
}

/* INBOX is one mailbox in whatever case it is written. */
static int
decode_mailbox(struct bytes in, struct arena *a, struct bytes *out)
{
	struct bytes inbox = BYTES("INBOX");
	unsigned char *copy;

	if (in.n == 0 || decode(in, a, out) < 0)
		return in.n == 0 ? invalid() : -1;
	if (!bytes_case_starts(*out, inbox)
	    || (out->n > inbox.n && out->p[inbox.n] != '/'))
		return 0;
	copy = arena_copy(a, *out);
	if (copy == NULL)
		return -1;
	memcpy(copy, inbox.p, inbox.n);
	out->p = copy;
	return 0;
}

/* The value behind mark, which is taken off *rest up to the next ";" or end. */
static bool
take(struct bytes *rest, const char *mark, struct bytes *value)
{
	ssize_t end;

	if (!bytes_case_starts(*rest, bytes_of(mark)))
		return false;
	*rest = bytes_from(*rest, strlen(mark));
	end = bytes_find(*rest, ';');
	*value = bytes_first(*rest, end < 0 ? rest->n : (size_t)end);
	/* The slash in front of what follows belongs to that. */
	if (end > 0 && value->p[value->n - 1] == '/')
		value->n--;
	*rest = bytes_from(*rest, value->n);
	return true;
}

static int
nz_number(struct bytes text, uint32_t *out)
{
	uint64_t v;

	if (bytes_number(text, UINT32_MAX, &v) < 0 || v == 0)
		return invalid();
	*out = (uint32_t)v;
	return 0;
}

static int
partial(struct bytes text, struct imapurl *out)
{
	bool counted = bytes_find(text, '.') >= 0;
	struct bytes first = bytes_split(&text, '.');

	out->partial = true;
	if (bytes_number(first, INT64_MAX, &out->first) < 0)
		return invalid();
	if (!counted)
		return 0;
	if (bytes_number(text, INT64_MAX, &out->count) < 0 || out->count == 0)
		return invalid();
	return 0;
}

int
imapurl_parse(struct bytes url, struct arena *a, struct imapurl *out)
{
	struct bytes v;

	*out = (struct imapurl){ 0 };
	/* "//" would begin a server's name. */
	if (bytes_starts(url, BYTES("//")) || !take(&url, "/", &v)
	    || decode_mailbox(v, a, &out->mailbox) < 0)
		return invalid();
	if (take(&url, ";UIDVALIDITY=", &v) && nz_number(v, &out->uidvalidity) < 0)
		return -1;
	if (!take(&url, "/;UID=", &v) || nz_number(v, &out->uid) < 0)
		return invalid();
	if (take(&url, "/;SECTION=", &v)
	    && (v.n == 0 || decode(v, a, &out->section) < 0))
		return invalid();
	if (take(&url, "/;PARTIAL=", &v) && partial(v, out) < 0)
		return -1;
	return url.n == 0 ? 0 : invalid();
}
