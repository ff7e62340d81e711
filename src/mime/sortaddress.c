/*
 * Sort keys of addresses (RFC 5256 section 3, RFC 5957).
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
