/*
 * Writing responses token by token.
 * Runs as: the mailbox owner.
 */
#include <stdio.h>

#include "imapdate.h"
#include "lex.h"
#include "log.h"
#include "mutf7.h"
#include "response.h"
#include "utf8.h"

/* A longer string goes out as a literal. */
#define QUOTED_MAX 1024

/* The SP in front of a token, if one is due. */
static void
begin_token(struct response *r)
{
	log_assert(r->literal == 0);
	if (r->space)
		stream_write(r->out, " ", 1);
	r->space = true;
}

void
put_untagged(struct response *r, const char *name)
{
	log_assert(r->depth == 0 && r->literal == 0);
	stream_write(r->out, "* ", 2);
	stream_text(r->out, name);
	r->space = true;
}

void
put_untagged_number(struct response *r, uint64_t number, const char *name)
{
	log_assert(r->depth == 0 && r->literal == 0);
	stream_write(r->out, "* ", 2);
	stream_number(r->out, number);
	r->space = true;
	put_word(r, name);
}

void
put_end(struct response *r)
{
	log_assert(r->depth == 0 && r->literal == 0);
	stream_write(r->out, "\r\n", 2);
	r->space = false;
}

void
put_open(struct response *r)
{
	begin_token(r);
	stream_write(r->out, "(", 1);
	r->space = false;
	r->depth++;
}

void
put_close(struct response *r)
{
	log_assert(r->depth > 0 && r->literal == 0);
	stream_write(r->out, ")", 1);
	r->space = true;
	r->depth--;
}

void
put_raw(struct response *r, struct bytes b)
{
	begin_token(r);
	stream_bytes(r->out, b);
}

void
put_glued(struct response *r, struct bytes b)
{
	log_assert(r->literal == 0);
	stream_bytes(r->out, b);
	r->space = true;
}

void
put_word(struct response *r, const char *word)
{
	put_raw(r, bytes_of(word));
}

void
put_number(struct response *r, uint64_t v)
{
	begin_token(r);
	stream_number(r->out, v);
}

void
put_nil(struct response *r)
{
	put_word(r, "NIL");
}

/* ---- strings ---- */

static bool
can_be_astring_atom(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!lex_astring_char(b.p[i]))
			return false;
	/* Some clients read NIL as nothing wherever it stands. */
	return b.n > 0 && !bytes_case_equal(b, BYTES("NIL"));
}

static bool
can_be_quoted(const struct response *r, struct bytes b)
{
	bool ascii = true;

	if (b.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\0' || b.p[i] == '\r' || b.p[i] == '\n')
			return false;
		ascii = ascii && b.p[i] < 0x80;
	}
	return ascii || (r->utf8 && utf8_valid(b));
}

static void
put_quoted(struct response *r, struct bytes b)
{
	begin_token(r);
	stream_write(r->out, "\"", 1);
	while (b.n > 0) {
		size_t n = 0;

		while (n < b.n && b.p[n] != '"' && b.p[n] != '\\')
			n++;
		stream_write(r->out, b.p, n);
		if (n < b.n) {
			stream_write(r->out, "\\", 1);
			stream_write(r->out, b.p + n++, 1);
		}
		b = bytes_from(b, n);
	}
	stream_write(r->out, "\"", 1);
}

/* A literal may hold any octet but NUL (CHAR8, RFC 9051 section 9). */
static void
put_literal(struct response *r, struct bytes b)
{
	put_literal_begin(r, b.n);
	while (b.n > 0) {
		ssize_t nul = bytes_find(b, '\0');
		size_t n = nul < 0 ? b.n : (size_t)nul;

		put_octets(r, b.p, n);
		if (nul >= 0)
			put_octets(r, "?", 1);
		b = bytes_from(b, n + 1);
	}
	put_literal_end(r);
}

void
put_string(struct response *r, struct bytes b)
{
	if (can_be_quoted(r, b))
		put_quoted(r, b);
	else
		put_literal(r, b);
}

void
put_nstring(struct response *r, struct bytes b)
{
	if (b.p == NULL)
		put_nil(r);
	else
		put_string(r, b);
}

void
put_astring(struct response *r, struct bytes b)
{
	if (can_be_astring_atom(b))
		put_raw(r, b);
	else
		put_string(r, b);
}

void
put_mailbox(struct response *r, struct bytes name)
{
	struct buf encoded = BUF_INIT(4 * LEX_MAILBOX_MAX);

	if (r->utf8)
		put_astring(r, name);
	else if (mutf7_encode(name, &encoded) == 0)
		put_astring(r, buf_contents(&encoded));
	else
		put_string(r, BYTES("?"));
	buf_free(&encoded);
}

/* ---- literals ---- */

static void
literal_begin(struct response *r, const char *mark, uint64_t size)
{
	begin_token(r);
	stream_text(r->out, mark);
	stream_number(r->out, size);
	stream_write(r->out, "}\r\n", 3);
	r->literal = size;
}

void
put_literal_begin(struct response *r, uint64_t size)
{
	literal_begin(r, "{", size);
}

void
put_literal8_begin(struct response *r, uint64_t size)
{
	literal_begin(r, "~{", size);
}

void
put_octets(struct response *r, const void *p, size_t n)
{
	log_assert(n <= r->literal);
	stream_write(r->out, p, n);
	r->literal -= n;
}

void
put_lines(struct response *r, struct bytes stored, struct crlf *state)
{
	unsigned char *room = stream_room(r->out, 2 * stored.n);
	size_t n;

	if (room == NULL)
		return;
	n = crlf_convert(state, stored, room);
	if (n > r->literal)
		n = (size_t)r->literal;
	stream_put(r->out, n);
	r->literal -= n;
}

bool
put_literal_end(struct response *r)
{
	bool whole = r->literal == 0;

	while (r->literal > 0 && r->out->out_error == 0)
		put_octets(r, " ", 1);
	r->literal = 0;
	return whole;
}

/* ---- values with a form of their own ---- */

void
put_set(struct response *r, const struct runs *set)
{
	log_assert(set->n > 0);
	begin_token(r);
	for (size_t i = 0; i < set->n; i++) {
		struct run run = set->v[i];

		if (i > 0)
			stream_write(r->out, ",", 1);
		stream_number(r->out, run.first);
		if (run.last == run.first)
			continue;
		stream_write(r->out, ":", 1);
		stream_number(r->out, run.last);
	}
}

void
put_date_time(struct response *r, int64_t seconds)
{
	char text[DATE_TIME_SIZE];

	date_time_print(seconds, text);
	put_word(r, text);
}

void
put_flag(struct response *r, struct bytes flag)
{
	bool system = flag.n > 0 && flag.p[0] == '\\';

	if (lex_is_atom(bytes_from(flag, system)))
		put_raw(r, flag);
}

/* In the RFC's order. */
static const struct {
	uint32_t flag;
	const char *name;
} system_flags[] = {
	{ FLAG_ANSWERED, "\\Answered" }, { FLAG_FLAGGED, "\\Flagged" },
	{ FLAG_DELETED, "\\Deleted" }, { FLAG_SEEN, "\\Seen" },
	{ FLAG_DRAFT, "\\Draft" },
};

#define SYSTEM_FLAGS (sizeof system_flags / sizeof system_flags[0])

void
put_system_flags(struct response *r, uint32_t flags)
{
	for (size_t i = 0; i < SYSTEM_FLAGS; i++)
		if ((flags & system_flags[i].flag) != 0)
			put_word(r, system_flags[i].name);
}

/* ---- listings ---- */

static char *
add_number(char *p, uint64_t v)
{
	char digits[20];
	size_t n = sizeof digits;

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	memcpy(p, digits + n, sizeof digits - n);
	return p + sizeof digits - n;
}

void
put_message_begin(struct response *r, uint64_t number, const char *name,
    uint32_t uid)
{
	char line[80], *p;

	log_assert(r->depth == 0 && r->literal == 0 && strlen(name) < 16);
	p = add_number(stpcpy(line, "* "), number);
	p = stpcpy(stpcpy(stpcpy(p, " "), name), " (");
	if (uid != 0)
		p = add_number(stpcpy(p, "UID "), uid);
	stream_write(r->out, line, (size_t)(p - line));
	r->depth = 1;
	r->space = uid != 0;
}

void
put_message_end(struct response *r)
{
	log_assert(r->depth == 1 && r->literal == 0);
	stream_write(r->out, ")\r\n", 3);
	r->depth = 0;
	r->space = false;
}

void
put_flags_open(struct response *r, uint32_t flags)
{
	char text[80], *p = text;

	log_assert(r->literal == 0);
	p = stpcpy(p, r->space ? " FLAGS (" : "FLAGS (");
	r->space = false;
	for (size_t i = 0; i < SYSTEM_FLAGS; i++)
		if ((flags & system_flags[i].flag) != 0) {
			if (r->space)
				*p++ = ' ';
			p = stpcpy(p, system_flags[i].name);
			r->space = true;
		}
	stream_write(r->out, text, (size_t)(p - text));
	r->depth++;
}

void
put_text(struct response *r, const char *text)
{
	begin_token(r);
	for (const char *p = text; *p != '\0'; p++)
		stream_write(r->out, *p >= ' ' && *p < 0x7f ? p : "?", 1);
}
