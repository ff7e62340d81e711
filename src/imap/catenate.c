/*
 * CATENATE: messages made of what the client sends and of parts of messages
 * that are here (RFC 4469).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "append.h"
#include "facts.h"
#include "imapurl.h"
#include "limits.h"
#include "section.h"

/* Text that is made of header fields. */
#define SCRATCH_MAX (4 * HEADER_MAX)

static struct outcome
too_big(void)
{
	return no(CODE_TOOBIG, "Message larger than this server takes");
}

/* ---- the mailbox that a URL names ---- */

static int
take_selected(struct session *s, struct bytes name, struct mailbox **out)
{
	*out = NULL;
	if (s->box == NULL || !bytes_equal(mailbox_name_of(s->box), name))
		return 0;
	*out = s->box;
	return mailbox_sync(s->box);
}

static void
close_source(struct append *a)
{
	if (a->source != NULL)
		mailbox_close(a->source);
	a->source = NULL;
}

void
append_catenate_end(struct append *a)
{
	close_source(a);
	arena_free(&a->part);
}

/* One stays open from URL to URL: most take all their parts from one message. */
static int
open_source(struct append *a, struct bytes name, struct mailbox **out)
{
	if (take_selected(a->s, name, out) < 0)
		return -1;
	if (*out != NULL)
		return 0;
	if (a->source == NULL || !bytes_equal(mailbox_name_of(a->source), name)) {
		close_source(a);
		if (mailbox_open(a->s->mail, name, true, &a->source) < 0) {
			a->source = NULL;
			return -1;
		}
	}
	*out = a->source;
	return 0;
}

static int
find_source(struct append *a, const struct imapurl *url, struct mailbox **out)
{
	struct mailbox_status st;

	if (open_source(a, url->mailbox, out) < 0)
		return -1;
	if (url->uidvalidity == 0)
		return 0;
	if (mailbox_status_now(*out, STATUS_COUNTS, &st) < 0)
		return -1;
	if (st.uidvalidity == url->uidvalidity)
		return 0;
	errno = ENOENT;
	return -1;
}

/* ---- the section ---- */

/* What FETCH BODY[section] would be given; -1 when it would be refused. */
static int
read_section(struct append *a, const struct imapurl *url, struct fetch_item *item)
{
	struct buf text = BUF_INIT(url->section.n + 16);
	struct fetch_program program = { 0 };
	struct lex x = { .arena = &a->part };
	int r = -1;

	buf_text(&text, "BODY.PEEK[");
	buf_bytes(&text, url->section);
	buf_text(&text, "]");
	x.rest = bytes_make(arena_copy(x.arena, buf_contents(&text)), text.len);
	if (x.rest.p != NULL && bytes_find(url->section, ']') < 0
	    && fetch_parse(&x, &program) == 0 && lex_end(&x) == 0) {
		*item = program.item[0];
		r = 0;
	}
	buf_free(&text);
	return r;
}

/* Octets of the section as FETCH would send them, from first on, count of them. */
struct copying {
	struct append *a;
	uint64_t first, count;
	struct outcome o;
};

/* False when no more is wanted, or o says why not. */
static bool
copy_piece(struct copying *k, struct bytes piece)
{
	uint64_t skip = k->first < piece.n ? k->first : piece.n;

	k->first -= skip;
	piece = bytes_from(piece, (size_t)skip);
	if (piece.n > k->count)
		piece.n = (size_t)k->count;
	k->count -= piece.n;
	if (!append_fits(k->a, piece.n))
		k->o = too_big();
	else if (piece.n > 0 && delivery_write(k->a->d, piece.p, piece.n) < 0)
		k->o = no_delivery(errno);
	return k->o.result == RESULT_OK && k->count > 0;
}

/* 0, or -1 with errno when the message cannot be read. */
static int
copy_range(struct copying *k, struct facts *f, const struct section *s)
{
	bool convert = s->end - s->begin != s->octets;
	struct crlf state = { 0 };
	struct bytes piece;
	unsigned char *room;

	for (uint64_t at = s->begin; at < s->end; at += piece.n) {
		if (source_at(&f->source, at, s->end - at, &piece) < 0)
			return -1;
		if (piece.n == 0) {
			errno = EILSEQ;
			return -1;
		}
		buf_clear(&f->text);
		room = buf_room(&f->text, 2 * piece.n + 1);
		if (room == NULL)
			return -1;
		if (!copy_piece(k, convert ? bytes_make(room,
		    crlf_convert(&state, piece, room)) : piece))
			return 0;
	}
	return 0;
}

static int
copy_section(struct copying *k, struct facts *f, const struct imapurl *url,
    const struct fetch_item *item)
{
	struct section_mark mark = { .begin = 0 };
	struct buf scratch = BUF_INIT(SCRATCH_MAX);
	struct section s;
	uint64_t size;
	int r = mailbox_row_size(f->box, url->uid, &size);

	if (r == 0)
		r = section_find(f, item, size, &scratch, &mark, &s);
	if (r == 0 && s.nil) {
		errno = ENOENT;
		r = -1;
	}
	if (r == 0 && s.memory)
		copy_piece(k, s.text);
	else if (r == 0)
		r = copy_range(k, f, &s);
	buf_free(&scratch);
	return r;
}

/* ---- parts ---- */

static struct outcome
bad_url(struct append *a, struct bytes url, const char *why)
{
	struct outcome o = no(CODE_BADURL, why);

	o.code.text = bytes_make(arena_copy(&a->s->arena, url), url.n);
	return o.code.text.p == NULL ? no(CODE_LIMIT, "Command too large") : o;
}

static struct outcome
copy_url(struct append *a, struct bytes text)
{
	struct copying k = { .a = a, .o = { .result = RESULT_OK } };
	struct imapurl url;
	struct fetch_item item;
	struct mailbox *box;
	struct facts f;
	int r;

	arena_reset(&a->part);
	if (imapurl_parse(text, &a->part, &url) < 0
	    || read_section(a, &url, &item) < 0)
		return bad_url(a, text, "Not a URL of a message here");
	if (find_source(a, &url, &box) < 0)
		return bad_url(a, text, "No such mailbox");
	k.first = url.partial ? url.first : 0;
	k.count = url.partial && url.count > 0 ? url.count : UINT64_MAX;
	facts_begin(&f, box);
	facts_take(&f, url.uid);
	r = copy_section(&k, &f, &url, &item);
	facts_end(&f);
	mailbox_columns_flush(box);
	return r < 0 ? bad_url(a, text, "No such message or part") : k.o;
}

/* The URL, whose string may be a literal that is held. */
static struct outcome
url_part(struct append *a)
{
	struct lex *x = &a->c->args;
	struct outcome o = ok("");
	struct bytes url;

	if (lex_space(x) < 0)
		return bad_syntax(x);
	if (a->c->more && lex_peek(x) == '{')
		o = session_hold(a->s, a->c);
	if (o.result != RESULT_OK)
		return o;
	return lex_astring(x, &url) < 0 ? bad_syntax(x) : copy_url(a, url);
}

static struct outcome
cat_part(struct append *a)
{
	struct lex *x = &a->c->args;

	if (lex_word(x, "URL"))
		return url_part(a);
	if (lex_word(x, "TEXT"))
		return lex_space(x) < 0 ? bad_syntax(x)
		    : append_literal(a, false, true);
	/* RFC 6855 section 4 */
	if (lex_word(x, "UTF8"))
		return lex_space(x) < 0 || lex_char(x, '(') < 0 ? bad_syntax(x)
		    : append_literal(a, true, true);
	return bad("TEXT or URL was expected");
}

struct outcome
append_catenate(struct append *a)
{
	struct lex *x = &a->c->args;
	struct outcome o;
	unsigned n = 0;

	a->part.max = COMMAND_ARENA_MAX;
	if (lex_space(x) < 0 || lex_char(x, '(') < 0)
		return bad_syntax(x);
	do {
		if (n++ == CATENATE_PARTS_MAX)
			return no(CODE_LIMIT, "Too many parts in one message");
		o = cat_part(a);
		if (o.result != RESULT_OK)
			return o;
	} while (lex_peek(x) == ' ' && lex_space(x) == 0);
	if (lex_char(x, ')') < 0)
		return bad_syntax(x);
	return a->size > 0 ? o : no(CODE_CANNOT, "An empty message cannot be");
}
