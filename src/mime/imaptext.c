/*
 * Strings and ENVELOPE as IMAP text.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "address.h"
#include "header.h"
#include "imaptext_private.h"
#include "utf8.h"

#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

/* ---- strings ---- */

/* What the bytes of a string are, all together. */
enum { HAS_NUL = 1, HAS_8BIT = 2, HAS_LINE_END = 4, HAS_QUOTED = 8 };

static unsigned
contents_of(struct bytes s)
{
	unsigned seen = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.p[i];

		seen |= c >= 0x80 ? HAS_8BIT : c == '\0' ? HAS_NUL :
		    c == '\r' || c == '\n' ? HAS_LINE_END :
		    c == '"' || c == '\\' ? HAS_QUOTED : 0;
	}
	return seen;
}

/* At most the limit, not within a character. */
static struct bytes
cut(struct bytes s)
{
	size_t n = IMAPTEXT_STRING_MAX;

	if (s.n <= n)
		return s;
	while (n > IMAPTEXT_STRING_MAX - 4 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return bytes_first(s, n);
}

static int
put_quoted(struct bytes s, struct buf *out)
{
	if (buf_byte(out, '"') < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.p[i];

		if ((c == '"' || c == '\\') && buf_byte(out, '\\') < 0)
			return -1;
		if (c != '\0' && buf_byte(out, c) < 0)
			return -1;
	}
	return buf_byte(out, '"');
}

static int
put_literal(struct bytes s, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] != '\0';
	if (buf_byte(out, '{') < 0 || buf_number(out, n) < 0 ||
	    buf_text(out, "}\r\n") < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0' && buf_byte(out, s.p[i]) < 0)
			return -1;
	return 0;
}

int
imaptext_string(struct bytes s, unsigned flags, struct buf *out)
{
	unsigned seen;

	s = cut(s);
	seen = contents_of(s);
	if ((seen & HAS_LINE_END) || ((seen & HAS_8BIT) &&
	    !((flags & IMAPTEXT_UTF8) && utf8_valid(s))))
		return put_literal(s, out);
	if (seen != 0)
		return put_quoted(s, out);
	if (buf_byte(out, '"') < 0 || buf_bytes(out, s) < 0)
		return -1;
	return buf_byte(out, '"');
}

int
imaptext_nstring(struct bytes s, unsigned flags, struct buf *out)
{
	return s.p == NULL ? buf_text(out, "NIL") :
	    imaptext_string(s, flags, out);
}

int
imaptext_value(struct bytes value, unsigned flags, struct buf *out)
{
	struct buf text = BUF_INIT(HEADER_MAX);
	int rc;

	rc = header_unfold(bytes_first(value, HEADER_MAX), &text);
	if (rc == 0)
		rc = imaptext_string(buf_contents(&text), flags, out);
	buf_free(&text);
	return rc;
}

/* The first field of this name, as nstring. */
static int
put_field(struct bytes header, const char *name, unsigned flags, struct buf *out)
{
	struct bytes value;

	return header_find(header, name, &value) ?
	    imaptext_value(value, flags, out) : buf_text(out, "NIL");
}

/* ---- addresses ---- */

/* NIL where the grammar gives that a meaning: only in marks of groups. */
static int
put_address(const struct address *a, unsigned flags, struct buf *out)
{
	static const struct bytes nil = { NULL, 0 };
	struct bytes part[4] = { nil, nil, nil, nil };

	if (a->kind == ADDRESS_MAILBOX) {
		part[0] = a->name.n > 0 ? a->name : nil;
		part[1] = a->route.n > 0 ? a->route : nil;
		part[3] = a->host.n > 0 ? a->host : BYTES("");
	}
	if (a->kind != ADDRESS_GROUP_END)
		part[2] = a->mailbox.n > 0 ? a->mailbox : BYTES("");
	for (int i = 0; i < 4; i++)
		if (buf_byte(out, i == 0 ? '(' : ' ') < 0 ||
		    imaptext_nstring(part[i], flags, out) < 0)
			return -1;
	return buf_byte(out, ')');
}

struct list {
	struct buf *out;
	unsigned flags;
	size_t n;			/* addresses so far */
};

/* Past the limit only the end of an open group is still written. */
static int
put_field_addresses(struct bytes value, struct list *l)
{
	struct addresses a;
	struct address one;
	int rc;

	addresses_begin(&a, value);
	while ((rc = addresses_next(&a, &one)) > 0) {
		bool last = l->n >= IMAPTEXT_ADDRESSES_MAX;

		if (last && !a.in_group && one.kind != ADDRESS_GROUP_END)
			break;
		if (last && one.kind != ADDRESS_GROUP_END)
			continue;
		if ((l->n++ == 0 && buf_byte(l->out, '(') < 0) ||
		    put_address(&one, l->flags, l->out) < 0) {
			rc = -1;
			break;
		}
	}
	addresses_end(&a);
	return rc < 0 ? -1 : 0;
}

/* The addresses of all fields of this name: how many bytes were written, 0: none. */
static ssize_t
put_addresses(struct bytes header, const char *name, unsigned flags,
    struct buf *out)
{
	struct header_cursor c = HEADER_CURSOR(header);
	struct header_field field;
	struct list l = { .out = out, .flags = flags };
	size_t from = out->len;

	while (l.n < IMAPTEXT_ADDRESSES_MAX &&
	    header_next_named(&c, bytes_of(name), &field))
		if (put_field_addresses(field.value, &l) < 0)
			return -1;
	if (l.n > 0 && buf_byte(out, ')') < 0)
		return -1;
	return (ssize_t)(out->len - from);
}

/* ---- ENVELOPE ---- */

/* A copy of bytes that stand in the buffer already. */
static int
repeat(struct buf *out, size_t from, size_t n)
{
	unsigned char *to = buf_room(out, n);

	if (to == NULL)
		return -1;
	memcpy(to, out->data + from, n);
	out->len += n;
	return 0;
}

/* Those without a field say NIL, or the same as From (RFC 9051 section 7.5.2). */
static int
put_address_fields(struct bytes header, unsigned flags, struct buf *out)
{
	static const struct { const char *name; bool as_from; } fields[] = {
		{ "From", false }, { "Sender", true }, { "Reply-To", true },
		{ "To", false }, { "Cc", false }, { "Bcc", false },
	};
	size_t from = 0;
	ssize_t from_n = 0;

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		ssize_t n;

		if (buf_byte(out, ' ') < 0)
			return -1;
		n = put_addresses(header, fields[i].name, flags, out);
		if (n < 0)
			return -1;
		if (i == 0) {
			from_n = n;
			from = out->len - (size_t)n;
		}
		if (n == 0 && (fields[i].as_from && from_n > 0 ?
		    repeat(out, from, (size_t)from_n) :
		    buf_text(out, "NIL")) < 0)
			return -1;
	}
	return 0;
}

static int
put_envelope(struct bytes header, unsigned flags, struct buf *out)
{
	if (buf_byte(out, '(') < 0 ||
	    put_field(header, "Date", flags, out) < 0 ||
	    buf_byte(out, ' ') < 0 ||
	    put_field(header, "Subject", flags, out) < 0 ||
	    put_address_fields(header, flags, out) < 0 ||
	    buf_byte(out, ' ') < 0 ||
	    put_field(header, "In-Reply-To", flags, out) < 0 ||
	    buf_byte(out, ' ') < 0 ||
	    put_field(header, "Message-ID", flags, out) < 0)
		return -1;
	return buf_byte(out, ')');
}

int
imaptext_envelope(struct bytes header, unsigned flags, struct buf *out)
{
	size_t from = out->len;

	if (out->error != 0) {
		errno = out->error;
		return -1;
	}
	if (put_envelope(header, flags, out) == 0)
		return 0;
	if (out->error != E2BIG)
		return -1;
	out->len = from;
	out->error = 0;
	return buf_text(out, NO_ENVELOPE);
}
