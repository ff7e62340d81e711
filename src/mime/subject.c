/*
 * Base subjects (RFC 5256 section 2.1).
 * Runs as: the mailbox owner.
 */
#include "header.h"
#include "subject.h"
#include "words.h"

#define SUBJECT_MAX (4 * HEADER_MAX)

/* Step 1: tabs and folds are spaces by now or become so, and spaces one. */
static void
one_space(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = b->data[i];

		if (c == '\t' || c == '\r' || c == '\n')
			c = ' ';
		if (c != ' ' || n == 0 || b->data[n - 1] != ' ')
			b->data[n++] = c;
	}
	b->len = n;
}

static bool
take(struct bytes *s, const char *word)
{
	if (!bytes_case_starts(*s, bytes_of(word)))
		return false;
	*s = bytes_from(*s, strlen(word));
	return true;
}

static void
take_spaces(struct bytes *s)
{
	while (s->n > 0 && s->p[0] == ' ')
		*s = bytes_from(*s, 1);
}

static bool
ends_with(struct bytes s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && bytes_case_equal(bytes_from(s, s.n - n),
	    bytes_of(word));
}

/* Step 2: *subj-trailer */
static bool
remove_trailers(struct bytes *s)
{
	bool forwarded = false;

	for (;;) {
		if (ends_with(*s, " ")) {
			s->n--;
		} else if (ends_with(*s, "(fwd)")) {
			s->n -= 5;
			forwarded = true;
		} else {
			return forwarded;
		}
	}
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP */
static bool
take_blob(struct bytes *s)
{
	size_t n = 1;

	if (s->n == 0 || s->p[0] != '[')
		return false;
	while (n < s->n && s->p[n] != '[' && s->p[n] != ']')
		n++;
	if (n == s->n || s->p[n] != ']')
		return false;
	*s = bytes_from(*s, n + 1);
	take_spaces(s);
	return true;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool
take_refwd(struct bytes *s)
{
	struct bytes t = *s;

	if (!take(&t, "re") && !take(&t, "fwd") && !take(&t, "fw"))
		return false;
	take_spaces(&t);
	take_blob(&t);
	if (!take(&t, ":"))
		return false;
	*s = t;
	return true;
}

/*
 * Steps 3 to 5: leaders, and blobs that are not all there is. Blobs before a
 * refwd and before the base are removed alike, so each is read only once: what
 * remains when the last blob would leave nothing is that blob.
 */
static bool
remove_leaders(struct bytes *s)
{
	bool reply = false;

	for (;;) {
		struct bytes t;

		take_spaces(s);
		if (take_refwd(s)) {
			reply = true;
			continue;
		}
		t = *s;
		if (!take_blob(&t) || t.n == 0)
			return reply;
		*s = t;
	}
}

/* Step 6: "[fwd:" subject "]" */
static bool
remove_wrapper(struct bytes *s)
{
	struct bytes t = *s;

	if (!take(&t, "[fwd:") || !ends_with(t, "]"))
		return false;
	t.n--;
	*s = t;
	return true;
}

int
subject_base(struct bytes value, struct buf *out, bool *reply)
{
	struct buf text = BUF_INIT(SUBJECT_MAX);
	struct bytes s;
	bool is_reply = false, wrapped = true;
	int rc = words_decode(value, &text);

	one_space(&text);
	s = buf_contents(&text);
	while (wrapped) {
		is_reply |= remove_trailers(&s);
		is_reply |= remove_leaders(&s);
		wrapped = remove_wrapper(&s);
		is_reply |= wrapped;
	}
	if (rc == 0)
		rc = buf_bytes(out, s);
	buf_free(&text);
	if (reply != NULL)
		*reply = is_reply;
	return rc;
}
