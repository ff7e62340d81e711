/*
 * Addresses out of a header field.
 * Runs as: the mailbox owner.
 */
#include "address.h"
#include "header.h"
#include "scan.h"
#include "words.h"

/*
 * White space outside quotes is kept as this mark until it is known whether
 * the text is a name (a space) or an address (nothing beside a dot). No NUL of
 * the input gets into the text.
 */
#define MARK '\0'

/* What was read of one address; offsets into the text. */
struct draft {
	size_t words;			/* before the angle */
	size_t angle, angle_end;	/* text between < and > */
	size_t route_end;		/* within it; 0: no route */
	ssize_t at;			/* last @ outside quotes, in the part being read */
	bool has_angle;
	bool in_literal;		/* behind "@[": colons are text */
	bool space;			/* white space is due before more text */
	bool ended;
};

void
addresses_begin(struct addresses *a, struct bytes value)
{
	*a = (struct addresses){
		.rest = value,
		.text = BUF_INIT(2 * HEADER_MAX),
		.comment = BUF_INIT(2 * HEADER_MAX),
	};
}

void
addresses_end(struct addresses *a)
{
	buf_free(&a->text);
	buf_free(&a->comment);
}

static int
add_text(struct addresses *a, struct draft *d, struct bytes s)
{
	if (d->space && a->text.len > (d->has_angle ? d->angle : 0) &&
	    buf_byte(&a->text, MARK) < 0)
		return -1;
	d->words += d->space || d->words == 0;
	d->space = false;
	return buf_bytes(&a->text, s);
}

static bool
is_dropped(unsigned char c)
{
	return c == '\0' || c == '\r' || c == '\n';
}

/* Appends the inside of a quoted string or comment without quoting and folds. */
static int
add_unquoted(struct buf *out, struct bytes inside)
{
	for (size_t i = 0; i < inside.n; i++) {
		if (inside.p[i] == '\\' && i + 1 < inside.n)
			i++;
		if (!is_dropped(inside.p[i]) && buf_byte(out, inside.p[i]) < 0)
			return -1;
	}
	return 0;
}

static struct bytes
inside_of(struct bytes b, size_t n)
{
	return bytes_make(b.p + 1, n - 2);
}

static int
take_quoted(struct addresses *a, struct draft *d, size_t n)
{
	int rc;

	rc = add_text(a, d, bytes_first(a->rest, 0));
	if (rc == 0)
		rc = add_unquoted(&a->text, inside_of(a->rest, n));
	a->rest = bytes_from(a->rest, n);
	return rc;
}

static int
take_comment(struct addresses *a, struct draft *d, size_t n)
{
	int rc;

	buf_clear(&a->comment);
	rc = add_unquoted(&a->comment, inside_of(a->rest, n));
	a->rest = bytes_from(a->rest, n);
	d->space = true;
	return rc;
}

/*
 * A quoted string, comment or encoded word at the beginning of rest: 1 when
 * there was one, 0, or -1. One that never ends is searched for only once.
 */
static int
take_long_token(struct addresses *a, struct draft *d)
{
	size_t n;

	if (a->rest.p[0] == '"' && !a->no_quote) {
		n = scan_quoted(a->rest);
		a->no_quote = n == 0;
		return n == 0 ? 0 : take_quoted(a, d, n) < 0 ? -1 : 1;
	}
	if (a->rest.p[0] == '(' && !a->no_comment) {
		n = scan_comment(a->rest);
		a->no_comment = n == 0;
		return n == 0 ? 0 : take_comment(a, d, n) < 0 ? -1 : 1;
	}
	n = words_encoded(a->rest);
	if (n == 0)
		return 0;
	if (add_text(a, d, bytes_first(a->rest, n)) < 0)
		return -1;
	a->rest = bytes_from(a->rest, n);
	return 1;
}

/* Ordinary characters up to the next that means something. */
static int
take_plain(struct addresses *a, struct draft *d)
{
	static const char special[] = "\"(<>@,:;[]= \t\r\n";
	size_t n = 1;

	if (a->rest.p[0] == '\0') {
		a->rest = bytes_from(a->rest, 1);
		return 0;
	}
	while (n < a->rest.n && a->rest.p[n] != '\0' &&
	    strchr(special, a->rest.p[n]) == NULL)
		n++;
	if (add_text(a, d, bytes_first(a->rest, n)) < 0)
		return -1;
	a->rest = bytes_from(a->rest, n);
	return 0;
}

static int
take_char(struct addresses *a, struct draft *d)
{
	int rc = add_text(a, d, bytes_first(a->rest, 1));

	a->rest = bytes_from(a->rest, 1);
	return rc;
}

static void
begin_angle(struct addresses *a, struct draft *d)
{
	d->has_angle = true;
	d->angle = a->text.len;
	d->at = -1;
	d->space = d->in_literal = false;
}

static bool
in_route(const struct addresses *a, const struct draft *d)
{
	return d->has_angle && d->route_end == 0 &&
	    a->text.len > d->angle && a->text.data[d->angle] == '@';
}

/* Separators end the address; the group's own are noted. */
static bool
ends_address(struct addresses *a, const struct draft *d, unsigned char c)
{
	if (c == ';') {
		a->end_due = a->in_group;
		return true;
	}
	return c == ',' && !in_route(a, d);
}

static bool
begins_group(const struct addresses *a, const struct draft *d)
{
	return !a->in_group && !d->has_angle && d->at < 0 && !d->in_literal;
}

static int
skip_mark(struct addresses *a)
{
	a->rest = bytes_from(a->rest, 1);
	return 1;
}

/* Remembers where the last @ stands, and the white space before it. */
static int
take_at(struct addresses *a, struct draft *d)
{
	size_t from = d->has_angle ? d->angle : 0;

	d->at = (ssize_t)a->text.len + (d->space && a->text.len > from);
	d->in_literal = false;
	return take_char(a, d) < 0 ? -1 : 1;
}

/* Characters that are marks of the syntax: 1 taken, 0 it is text, -1. */
static int
take_mark(struct addresses *a, struct draft *d, unsigned char c)
{
	if (c == '@')
		return take_at(a, d);
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		d->space = true;
		return skip_mark(a);
	}
	if (c == '<' && !d->has_angle) {
		begin_angle(a, d);
		return skip_mark(a);
	}
	if (c == '>' && d->has_angle) {
		d->ended = true;
		return skip_mark(a);
	}
	if (c == ':' && in_route(a, d)) {
		d->route_end = a->text.len;
		d->at = -1;
		d->space = false;
		return skip_mark(a);
	}
	if (c == '[')
		d->in_literal = d->at >= 0 && (size_t)d->at + 1 == a->text.len;
	else if (c == ']')
		d->in_literal = false;
	return 0;
}

/* Behind the angle: comments may still name the address. */
static int
skip_behind_angle(struct addresses *a, struct draft *d)
{
	size_t n;

	while (a->rest.n > 0 && a->rest.p[0] != '<') {
		unsigned char c = a->rest.p[0];

		n = c == '(' && !a->no_comment ? scan_comment(a->rest) : 0;
		if (n > 0) {
			if (take_comment(a, d, n) < 0)
				return -1;
			continue;
		}
		a->no_comment |= c == '(';
		a->rest = bytes_from(a->rest, 1);
		if (c == ',' || c == ';') {
			a->end_due = c == ';' && a->in_group;
			break;
		}
	}
	return 0;
}

/* Text of an address: marks beside dots and at the ends are nothing. */
static struct bytes
address_text(struct buf *b, size_t from, size_t to)
{
	size_t n = from;

	for (size_t i = from; i < to; i++) {
		unsigned char *p = b->data;

		if (p[i] != MARK)
			p[n++] = p[i];
		else if (n > from && p[n - 1] != '.' && i + 1 < to &&
		    p[i + 1] != '.' && p[i + 1] != MARK)
			p[n++] = ' ';
	}
	return n == from ? (struct bytes){ NULL, 0 } :
	    bytes_make(b->data + from, n - from);
}

static struct bytes
name_text(struct buf *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (b->data[i] == MARK)
			b->data[i] = ' ';
	return to == from ? (struct bytes){ NULL, 0 } :
	    bytes_trim(bytes_make(b->data + from, to - from));
}

static void
split_at(struct buf *b, size_t from, size_t to, ssize_t at, struct address *out)
{
	size_t end = at < 0 ? to : (size_t)at;

	out->mailbox = address_text(b, from, end);
	if (at >= 0)
		out->host = address_text(b, end + 1, to);
}

/* Several words without any address are somebody's name. */
static void
finish(struct addresses *a, const struct draft *d, struct address *out)
{
	size_t len = a->text.len, from = d->angle;

	*out = (struct address){ .kind = ADDRESS_MAILBOX };
	if (d->has_angle) {
		out->name = name_text(&a->text, 0, d->angle);
		if (d->route_end > 0) {
			out->route = address_text(&a->text, from, d->route_end);
			from = d->route_end;
		}
		split_at(&a->text, from, len, d->at, out);
	} else if (d->at < 0 && d->words > 1) {
		out->name = name_text(&a->text, 0, len);
	} else {
		split_at(&a->text, 0, len, d->at, out);
	}
	if (out->name.n == 0)
		out->name = bytes_trim(buf_contents(&a->comment));
}

/* 1 when text is ready up to a separator, 2 when it names a group, -1. */
static int
read_address(struct addresses *a, struct draft *d)
{
	int rc;

	while (a->rest.n > 0 && !d->ended) {
		unsigned char c = a->rest.p[0];

		if (ends_address(a, d, c) ||
		    (c == ':' && begins_group(a, d))) {
			a->rest = bytes_from(a->rest, 1);
			return c == ':' ? 2 : 1;
		}
		rc = take_long_token(a, d);
		if (rc == 0)
			rc = take_mark(a, d, c);
		if (rc == 0)
			rc = take_plain(a, d);
		if (rc < 0)
			return -1;
	}
	return d->ended && skip_behind_angle(a, d) < 0 ? -1 : 1;
}

static int
group_end(struct addresses *a, struct address *out)
{
	a->in_group = a->end_due = false;
	*out = (struct address){ .kind = ADDRESS_GROUP_END };
	return 1;
}

int
addresses_next(struct addresses *a, struct address *out)
{
	while (!a->end_due && a->rest.n > 0) {
		struct draft d = { .at = -1 };
		int rc;

		buf_clear(&a->text);
		buf_clear(&a->comment);
		rc = read_address(a, &d);
		if (rc < 0)
			return -1;
		if (rc == 2) {
			a->in_group = true;
			*out = (struct address){ .kind = ADDRESS_GROUP };
			out->mailbox = name_text(&a->text, 0, a->text.len);
			return 1;
		}
		if (d.has_angle || a->text.len > 0) {
			finish(a, &d, out);
			return 1;
		}
	}
	if (a->in_group)
		return group_end(a, out);
	return 0;
}
