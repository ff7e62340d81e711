/*
 * Addresses as sort keys (RFC 5256 section 3, RFC 5957), and as text to search.
 * Runs as: the mailbox owner.
 */
#include "address.h"
#include "words.h"

static int
put_mailbox(const struct address *a, struct buf *out)
{
	return words_decode(a->mailbox, out);
}

static int
put_display(const struct address *a, struct buf *out)
{
	size_t from = out->len;

	if (a->name.n > 0 && words_decode(a->name, out) < 0)
		return -1;
	if (out->len > from)
		return 0;
	if (buf_bytes(out, a->mailbox) < 0)
		return -1;
	if (a->kind != ADDRESS_MAILBOX)
		return 0;
	return buf_byte(out, '@') < 0 ? -1 : buf_bytes(out, a->host);
}

/* The first address of an envelope may be the beginning of a group. */
static int
put_first(struct bytes value, int (*put)(const struct address *, struct buf *),
    struct buf *out)
{
	struct addresses a;
	struct address first;
	int rc;

	addresses_begin(&a, value);
	rc = addresses_next(&a, &first);
	if (rc > 0)
		rc = put(&first, out);
	addresses_end(&a);
	return rc;
}

int
address_sort_mailbox(struct bytes value, struct buf *out)
{
	return put_first(value, put_mailbox, out);
}

int
address_sort_display(struct bytes value, struct buf *out)
{
	return put_first(value, put_display, out);
}

/* The end of a group has no text. */
static int
put_whole(const struct address *a, struct buf *out)
{
	if (a->kind == ADDRESS_GROUP_END)
		return 0;
	if (a->name.n > 0
	    && (words_decode(a->name, out) < 0 || buf_byte(out, ' ') < 0))
		return -1;
	if (buf_byte(out, '<') < 0 || words_decode(a->mailbox, out) < 0)
		return -1;
	if (a->host.n > 0
	    && (buf_byte(out, '@') < 0 || words_decode(a->host, out) < 0))
		return -1;
	return buf_text(out, ">, ");
}

int
address_search_text(struct bytes value, struct buf *out)
{
	struct addresses a;
	struct address one;
	int rc;

	addresses_begin(&a, value);
	while ((rc = addresses_next(&a, &one)) > 0 && put_whole(&one, out) == 0)
		continue;
	addresses_end(&a);
	return rc > 0 ? -1 : rc;
}
