/*
 * UIDBATCHES (RFC 10022): the mailbox in batches of as many messages, told as
 * ranges of UIDs. Only the ends of the batches that are asked for are looked up.
 * Runs as: the mailbox owner.
 */
#include "commands.h"
#include "limits.h"

struct batches {
	uint64_t size;			/* messages in each */
	uint64_t first, last;		/* which, counted from the newest; last 0: all */
};

static int
read_args(struct lex *x, struct batches *b)
{
	if (lex_nz_number(x, UINT32_MAX, &b->size) < 0)
		return -1;
	b->first = 1;
	if (lex_peek(x) != ' ')
		return lex_end(x);
	if (lex_space(x) < 0 || lex_nz_number(x, UINT32_MAX, &b->first) < 0
	    || lex_char(x, ':') < 0 || lex_nz_number(x, UINT32_MAX, &b->last) < 0)
		return -1;
	return lex_end(x);
}

/* ---- asking again and again ---- */

/*
 * Section 3.1.1: a client asks again when more than half a batch came or went.
 * One that walks a large mailbox by ranges of batches asks often as well, so
 * what is refused is asking without an end.
 */
static bool
asked_too_often(struct session *s, const struct batches *b)
{
	struct asked_batches *a = &s->batches;
	const struct runs *view = mailbox_view(s->box);
	uint64_t old = runs_rank(view, a->last_uid);

	if (a->times == 0 || view->count - old > b->size / 2
	    || a->messages - old > b->size / 2)
		*a = (struct asked_batches){ .messages = view->count,
		    .last_uid = runs_last(view) };
	return a->times++ >= UIDBATCHES_MAX;
}

/* ---- telling ---- */

/*
 * The batches lie side by side, so that no UID up to the newest is between two
 * of them; the last one goes down to 1 (section 3.1.4).
 */
static void
put_batch(struct session *s, const struct batches *b, uint64_t i)
{
	const struct runs *view = mailbox_view(s->box);
	uint64_t above = (i - 1) * b->size;	/* messages in the batches before */
	uint32_t high = runs_last(view), low = 1;
	struct buf text = BUF_INIT(64);

	if (i > 1)
		high = runs_nth(view, view->count - above + 1) - 1;
	if (view->count > above + b->size)
		low = runs_nth(view, view->count - above - b->size + 1);
	buf_printf(&text, "%s%u:%u", i > b->first ? "," : "", high, low);
	if (i > b->first)
		put_glued(&s->out, buf_contents(&text));
	else
		put_raw(&s->out, buf_contents(&text));
	buf_free(&text);
}

static void
put_batches(struct session *s, const struct call *c, const struct batches *b)
{
	struct response *r = &s->out;
	uint64_t all = (mailbox_view(s->box)->count + b->size - 1) / b->size;
	uint64_t last = b->last == 0 || b->last > all ? all : b->last;

	put_untagged(r, "UIDBATCHES");
	put_open(r);
	put_word(r, "TAG");
	put_string(r, c->tag);
	put_close(r);
	for (uint64_t i = b->first; i <= last; i++)
		put_batch(s, b, i);
	put_end(r);
}

struct outcome
cmd_uidbatches(struct session *s, struct call *c)
{
	struct batches b = { 0 };

	if (read_args(&c->args, &b) < 0)
		return bad_syntax(&c->args);
	if (b.last != 0 && b.first > b.last)
		return (struct outcome){ RESULT_BAD, .code.code = CODE_CLIENTBUG,
		    .text = "The batch range is in the wrong order" };
	if (b.size < UIDBATCHES_SIZE_MIN)
		return no(CODE_TOOFEW, "The smallest batch is of 500 messages");
	if (asked_too_often(s, &b))
		return no(CODE_LIMIT, "Batches were asked for too often");
	put_batches(s, c, &b);
	return ok("UIDBATCHES completed");
}
