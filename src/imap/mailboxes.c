/*
 * CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "newname.h"
#include "oldname.h"
#include "uses.h"

/* A trailing separator says that the name will get others below it. */
static struct bytes
without_separator(struct bytes name)
{
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	return name;
}

/* True when the name is the one given or below it. */
static bool
at_or_below(struct bytes name, struct bytes top)
{
	return bytes_starts(name, top)
	    && (name.n == top.n || name.p[top.n] == '/');
}

/* `(USE (\Drafts \Sent))`: RFC 6154 section 3. */
static int
create_params(struct lex *x, unsigned *uses)
{
	if (lex_peek(x) != ' ')
		return lex_end(x);
	if (lex_space(x) < 0 || lex_char(x, '(') < 0)
		return -1;
	if (!lex_word(x, "USE"))
		return lex_fail(x, EINVAL, "Unknown parameter");
	if (lex_space(x) < 0 || uses_read(x, uses) < 0 || lex_char(x, ')') < 0)
		return -1;
	return lex_end(x);
}

/* The new mailbox's id, in the arena (RFC 8474 section 4.1). */
static struct outcome
created(struct session *s, struct bytes name)
{
	struct outcome o = ok("CREATE completed");
	struct mailbox_status st;
	struct bytes id;

	if (mail_status(s->mail, name, STATUS_COUNTS, &st) < 0)
		return o;
	id = bytes_make(st.id, strnlen(st.id, sizeof st.id));
	if (id.n == 0)
		return o;
	id.p = arena_copy(&s->arena, id);
	if (id.p != NULL) {
		o.code.code = CODE_MAILBOXID;
		o.code.text = id;
	}
	return o;
}

struct outcome
cmd_create(struct session *s, struct call *c)
{
	struct bytes name, given;
	unsigned uses = 0;
	size_t whole;

	if (lex_mailbox(&c->args, &name) < 0
	    || create_params(&c->args, &uses) < 0)
		return bad_syntax(&c->args);
	if ((uses & ~USES_CREATABLE) != 0)
		return no(CODE_USEATTR, "No mailbox can be made for that use");
	whole = name.n;
	name = without_separator(name);
	given = without_separator(c->args.given);
	if (newname_wrong(s, name) != NULL)
		return no(CODE_CANNOT, newname_wrong(s, name));
	/* What is to have a use is to have messages. */
	if ((name.n < whole && uses == 0 ? mail_declare(s->mail, name)
	    : mail_create(s->mail, name, uses)) < 0)
		return failed(errno);
	tell_oldname(s, NULL, name, given);
	return created(s, name);
}

/* The selected mailbox went from under its name. */
static void
leave(struct session *s, struct bytes top)
{
	static const struct response_code closed = { .code = CODE_CLOSED };

	if (s->box == NULL || !at_or_below(mailbox_name_of(s->box), top))
		return;
	session_unselect(s);
	put_condition(&s->out, BYTES(""), "OK", &closed,
	    "The selected mailbox is closed");
}

struct outcome
cmd_delete(struct session *s, struct call *c)
{
	struct bytes name;

	if (lex_mailbox(&c->args, &name) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	if (bytes_equal(name, BYTES("INBOX")))
		return no(CODE_CANNOT, "INBOX stays");
	if (mail_delete(s->mail, name) < 0)
		return failed(errno);
	if (s->box != NULL && bytes_equal(mailbox_name_of(s->box), name))
		leave(s, name);
	tell_oldname(s, "\\NonExistent", name, c->args.given);
	return ok("DELETE completed");
}

struct outcome
cmd_rename(struct session *s, struct call *c)
{
	struct bytes from, to, given;
	bool spelt;

	if (lex_mailbox(&c->args, &from) < 0)
		return bad_syntax(&c->args);
	given = c->args.given;
	if (lex_space(&c->args) < 0 || lex_mailbox(&c->args, &to) < 0
	    || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	spelt = bytes_equal(from, given) && bytes_equal(to, c->args.given);
	from = without_separator(from);
	to = without_separator(to);
	if (newname_wrong(s, to) != NULL)
		return no(CODE_CANNOT, newname_wrong(s, to));
	if (mail_rename(s->mail, from, to) < 0)
		return failed(errno);
	/* INBOX stays and only gives its messages away. */
	if (!bytes_equal(from, BYTES("INBOX")))
		leave(s, from);
	if (!spelt)
		tell_oldname(s, NULL, to, without_separator(given));
	return ok("RENAME completed");
}

static struct outcome
subscribe(struct session *s, struct call *c, bool on, const char *done)
{
	struct bytes name;

	if (lex_mailbox(&c->args, &name) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	if (mail_subscribe(s->mail, without_separator(name), on) < 0)
		return failed(errno);
	return ok(done);
}

struct outcome
cmd_subscribe(struct session *s, struct call *c)
{
	return subscribe(s, c, true, "SUBSCRIBE completed");
}

struct outcome
cmd_unsubscribe(struct session *s, struct call *c)
{
	return subscribe(s, c, false, "UNSUBSCRIBE completed");
}
