/*
 * APPEND, also of many messages (RFC 3502), of UTF-8 headers (RFC 6855) and of
 * parts (RFC 4469): what the client sends goes straight to the disk.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "append.h"
#include "commands.h"
#include "limits.h"
#include "log.h"
#include "messagelimit.h"

/* What stands in front of a message's octets. */
struct append_head {
	struct flag_list flags;
	int64_t date;
};

struct outcome
no_delivery(int error)
{
	return error == ENOENT
	    ? no(CODE_TRYCREATE, "No such mailbox; make it first")
	    : failed(error);
}

/* SP [flag-list SP] [date-time SP] up to the message itself. */
static int
read_message_head(struct lex *x, struct append_head *h)
{
	if (lex_space(x) < 0)
		return -1;
	if (lex_peek(x) == '('
	    && (lex_flags(x, &h->flags) < 0 || lex_space(x) < 0))
		return -1;
	if (lex_peek(x) == '"'
	    && (lex_date_time(x, &h->date) < 0 || lex_space(x) < 0))
		return -1;
	return 0;
}

/* The announcement is all that is left of the text. */
static int
check_literal(struct append *a, bool utf8, bool part)
{
	struct lex *x = &a->c->args;
	struct literal_mark mark;
	size_t head;

	if (!a->c->more || x->rest.n < 2
	    || !lex_literal_mark(bytes_first(x->rest, x->rest.n - 2), &mark, &head)
	    || head != x->rest.n - 2)
		return lex_fail(x, EINVAL, "A message as literal was expected");
	if (utf8 && !mark.binary)
		return lex_fail(x, EINVAL, "UTF8 wants a literal8");
	if (mark.size == 0 && !part)
		/* NO, not BAD (RFC 3502 section 6.3.11). */
		return lex_fail(x, EILSEQ, "An empty message cannot be");
	x->rest = bytes_from(x->rest, x->rest.n);
	return 0;
}

/*
 * NUL is in no message that IMAP can give back: a plain literal must not hold
 * it (RFC 9051 section 4.3), and a literal8 with it is not stored (RFC 3516
 * section 4.3).
 */
static struct outcome
no_nul(const struct call *c)
{
	return c->literal.binary
	    ? no(CODE_UNKNOWN_CTE, "Messages with NUL are not stored")
	    : no(CODE_CANNOT, "NUL in a message");
}

/* The octets of one message. After a failure they are all read, or we are gone. */
static struct outcome
take_message(struct append *a)
{
	struct stream *in = &a->s->stream;
	uint64_t left = a->c->literal.size;
	struct outcome o = ok(""), skipped;

	while (left > 0 && o.result == RESULT_OK) {
		struct bytes have;

		session_deadline(a->s);
		if (stream_fill(in) < 0)
			return session_broken(a->s, errno);
		have = stream_pending(in);
		if (have.n > left)
			have.n = (size_t)left;
		if (bytes_find(have, '\0') >= 0)
			o = no_nul(a->c);
		else if (delivery_write(a->d, have.p, have.n) < 0)
			o = no_delivery(errno);
		stream_consume(in, have.n);
		left -= have.n;
	}
	skipped = session_skip(a->s, left);
	return skipped.result == RESULT_GONE ? skipped : o;
}

/* The line behind a message: the end, or the head of the next one. */
static struct outcome
next_line(struct append *a, bool utf8)
{
	struct call *c = a->c;
	struct outcome o;

	buf_clear(&a->s->command);
	o = session_line(a->s, c);
	c->args.rest = buf_contents(&a->s->command);
	if (o.result == RESULT_OK && utf8 && lex_char(&c->args, ')') < 0)
		return bad_syntax(&c->args);
	return o;
}

bool
append_fits(struct append *a, uint64_t octets)
{
	if (a->size > a->s->conf->append_limit
	    || octets > a->s->conf->append_limit - a->size)
		return false;
	a->size += octets;
	return true;
}

struct outcome
append_literal(struct append *a, bool utf8, bool part)
{
	struct call *c = a->c;
	struct outcome o, line;

	if (check_literal(a, utf8, part) < 0)
		return bad_syntax(&c->args);
	if (!append_fits(a, c->literal.size))
		return no(CODE_TOOBIG, "Message larger than this server takes");
	session_ask(a->s, c);
	o = take_message(a);
	if (o.result == RESULT_GONE)
		return o;
	line = next_line(a, utf8);
	return o.result == RESULT_OK || line.result == RESULT_GONE ? line : o;
}

static struct outcome
one_message(struct append *a)
{
	struct append_head h = { .date = DELIVERY_NOW };
	struct lex *x = &a->c->args;
	bool utf8;

	a->size = 0;
	if (read_message_head(x, &h) < 0)
		return bad_syntax(x);
	if (delivery_message(a->d, h.flags.flags, h.flags.keywords, h.flags.n,
	    h.date) < 0)
		return no_delivery(errno);
	if (lex_word(x, "CATENATE"))
		return append_catenate(a);
	utf8 = lex_word(x, "UTF8");
	if (utf8 && (lex_space(x) < 0 || lex_char(x, '(') < 0))
		return bad_syntax(x);
	return append_literal(a, utf8, false);
}

struct outcome
append_messages(struct append *a)
{
	struct outcome o;
	unsigned n = 0;

	do {
		if (n > 0 && a->single)
			o = bad("One message only can replace another");
		else if (n++ == append_messages_max(a->s))
			o = limit_refused(append_messages_max(a->s), 0);
		else
			o = one_message(a);
	} while (o.result == RESULT_OK && a->c->args.rest.n > 0);
	append_catenate_end(a);
	return o;
}

static struct outcome
deliver(struct append *a)
{
	struct session *s = a->s;
	struct outcome o = append_messages(a);
	uint32_t uidvalidity;

	if (o.result != RESULT_OK) {
		delivery_abort(a->d);
		return o;
	}
	if (delivery_commit(a->d, &uidvalidity, &s->code_set) < 0)
		return no_delivery(errno);
	session_made(s, uidvalidity, &s->code_set);
	o = ok("APPEND completed");
	o.code = (struct response_code){ .code = CODE_APPENDUID,
	    .number = uidvalidity, .set = &s->code_set };
	return o;
}

struct outcome
append_mailbox(struct session *s, struct call *c, struct bytes *name)
{
	struct outcome o = ok("");

	/* The mailbox's name alone may be a literal that is held. */
	if (c->more && lex_peek(&c->args) == '{')
		o = session_hold(s, c);
	if (o.result != RESULT_OK)
		return o;
	return lex_mailbox(&c->args, name) < 0 ? bad_syntax(&c->args) : o;
}

struct outcome
cmd_append(struct session *s, struct call *c)
{
	struct append a = { .s = s, .c = c };
	struct bytes name;
	struct outcome o = append_mailbox(s, c, &name);

	if (o.result != RESULT_OK)
		return o;
	if (delivery_begin(s->mail, name, &a.d) < 0)
		return no_delivery(errno);
	return deliver(&a);
}
