/*
 * REPLACE and UID REPLACE (RFC 8508): a message appended and another removed, or
 * neither of them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "append.h"
#include "commands.h"
#include "log.h"

struct replace {
	struct session *s;
	uint32_t old;			/* UID of the message that goes */
	struct bytes name;		/* where the new one goes */
	uint32_t uidvalidity, new;	/* and which one it is there */
};

/* seq-number, or a UID: 0 for one that nobody has. */
static int
read_number(struct session *s, struct call *c, uint32_t *uid)
{
	const struct runs *view = mailbox_view(s->box);
	uint64_t number;

	if (lex_peek(&c->args) == '*') {
		lex_char(&c->args, '*');
		*uid = runs_last(view);
		return 0;
	}
	if (lex_nz_number(&c->args, UINT32_MAX, &number) < 0)
		return -1;
	if (call_uid(c)) {
		*uid = runs_contains(view, (uint32_t)number) ? (uint32_t)number : 0;
		return 0;
	}
	*uid = runs_nth(view, number);
	return *uid != 0 ? 0
	    : lex_fail(&c->args, EINVAL, "No message has this number");
}

/* Undoes the delivery: the old message could not be removed. */
static void
take_back(const struct replace *r)
{
	struct runs uids = RUNS_INIT;
	struct mailbox *b;

	if (runs_add(&uids, r->new, r->new) < 0
	    || mailbox_open(r->s->mail, r->name, false, &b) < 0) {
		log_warn("mailbox=%s uid=%u stays beside what it replaces",
		    log_quote(r->name), r->new);
		runs_free(&uids);
		return;
	}
	if (mailbox_remove(b, &uids, NULL) < 0)
		log_warn("mailbox=%s uid=%u stays beside what it replaces",
		    log_quote(r->name), r->new);
	mailbox_close(b);
	runs_free(&uids);
}

static struct outcome
gone(void)
{
	return no(CODE_EXPUNGEISSUED, "The message to replace is gone");
}

static struct outcome
remove_old(const struct replace *r)
{
	struct runs uids = RUNS_INIT, removed = RUNS_INIT;
	struct outcome o = ok("");

	if (runs_add(&uids, r->old, r->old) < 0
	    || mailbox_remove(r->s->box, &uids, &removed) < 0)
		o = failed(errno);
	else if (removed.n == 0)
		o = gone();
	if (o.result != RESULT_OK)
		take_back(r);
	runs_free(&uids);
	runs_free(&removed);
	return o;
}

/* Section 4.3: the new UID is told before the old message goes. */
static struct outcome
tell_replaced(struct replace *r, const struct runs *uids)
{
	struct response_code code = { .code = CODE_APPENDUID,
	    .number = r->uidvalidity, .set = uids };

	session_made(r->s, r->uidvalidity, uids);
	put_condition(&r->s->out, BYTES(""), "OK", &code, "Replacement is there");
	return expunged(r->s, "REPLACE completed");
}

static struct outcome
commit(struct replace *r, struct append *a)
{
	struct runs uids = RUNS_INIT;
	struct mail_row row;
	struct outcome o;

	if (mailbox_row(r->s->box, r->old, &row) < 0) {
		o = errno == ENOENT ? gone() : failed(errno);
		delivery_abort(a->d);
		return o;
	}
	if (row.size_known || mailbox_row_size(r->s->box, r->old, &row.size) == 0)
		delivery_replaces(a->d, row.size);
	if (delivery_commit(a->d, &r->uidvalidity, &uids) < 0)
		return no_delivery(errno);
	r->new = runs_first(&uids);
	o = remove_old(r);
	if (o.result == RESULT_OK)
		o = tell_replaced(r, &uids);
	runs_free(&uids);
	return o;
}

/* The name stands in the text of the command, which the message overwrites. */
static int
keep_name(struct replace *r)
{
	r->name.p = arena_copy(&r->s->arena, r->name);
	return r->name.p == NULL ? -1 : 0;
}

static struct outcome
take(struct replace *r, struct call *c)
{
	struct append a = { .s = r->s, .c = c, .single = true };
	struct outcome o;

	if (keep_name(r) < 0)
		return failed(errno);
	if (delivery_begin(r->s->mail, r->name, &a.d) < 0)
		return no_delivery(errno);
	o = append_messages(&a);
	if (o.result == RESULT_OK)
		return commit(r, &a);
	delivery_abort(a.d);
	return o;
}

struct outcome
cmd_replace(struct session *s, struct call *c)
{
	struct replace r = { .s = s };
	struct outcome o;

	if (read_number(s, c, &r.old) < 0 || lex_space(&c->args) < 0)
		return bad_syntax(&c->args);
	o = append_mailbox(s, c, &r.name);
	if (o.result != RESULT_OK)
		return o;
	if (r.old == 0)
		return no(CODE_NONEXISTENT, "No message has this UID");
	return take(&r, c);
}
