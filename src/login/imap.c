/*
 * IMAP in the not authenticated state (RFC 9051 section 6.2): the table of
 * commands and the loop that enforces it.
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "imap.h"
#include "imap_read.h"
#include "mech.h"
#include "verdict.h"

enum {
	NOW = 1,			/* legal before login; others only after it */
	PASSWORD = 2,			/* only where one may be sent */
	NO_ARGUMENTS = 4,
};

struct command {
	const char *name;
	unsigned flags;
	enum outcome (*run)(struct request *);
};

static const struct command commands[] = {
	{ "CAPABILITY", NOW | NO_ARGUMENTS, imap_capability },
	{ "NOOP", NOW | NO_ARGUMENTS, imap_noop },
	{ "LOGOUT", NOW | NO_ARGUMENTS, imap_logout },
	{ "ID", NOW, imap_id },
	{ "STARTTLS", NOW | NO_ARGUMENTS, imap_starttls },
	{ "LOGIN", NOW | PASSWORD, imap_login_command },
	{ "AUTHENTICATE", NOW | PASSWORD, imap_authenticate },
	{ "SELECT", 0, NULL }, { "EXAMINE", 0, NULL },
	{ "CREATE", 0, NULL }, { "DELETE", 0, NULL },
	{ "RENAME", 0, NULL }, { "SUBSCRIBE", 0, NULL },
	{ "UNSUBSCRIBE", 0, NULL }, { "LIST", 0, NULL },
	{ "LSUB", 0, NULL }, { "NAMESPACE", 0, NULL },
	{ "STATUS", 0, NULL }, { "APPEND", 0, NULL },
	{ "ENABLE", 0, NULL }, { "IDLE", 0, NULL },
	{ "CHECK", 0, NULL }, { "CLOSE", 0, NULL },
	{ "UNSELECT", 0, NULL }, { "EXPUNGE", 0, NULL },
	{ "SEARCH", 0, NULL }, { "SORT", 0, NULL },
	{ "THREAD", 0, NULL }, { "FETCH", 0, NULL },
	{ "STORE", 0, NULL }, { "COPY", 0, NULL },
	{ "MOVE", 0, NULL }, { "UID", 0, NULL },
};

/* --- capabilities --- */

static bool
no_password(const struct login *l)
{
	return !login_password(l);
}

static const struct {
	const char *name;
	bool (*now)(const struct login *);	/* NULL: always */
} capabilities[] = {
	{ "IMAP4rev1", NULL },
	{ "IMAP4rev2", NULL },
	{ "SASL-IR", NULL },
	{ "LITERAL-", NULL },
	{ "ID", NULL },
	{ "ENABLE", NULL },
	{ "IDLE", NULL },
	{ "STARTTLS", login_can_start_tls },
	{ "LOGINDISABLED", no_password },
};

int
imap_capabilities(struct login *l)
{
	int r = wire_text(&l->wire, "CAPABILITY");
	const struct mech *m;

	for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
		if (capabilities[i].now == NULL || capabilities[i].now(l))
			r |= wire_printf(&l->wire, " %s", capabilities[i].name);
	for (unsigned i = 0; (m = mech_possible(l, i)) != NULL; i++)
		r |= wire_printf(&l->wire, " AUTH=%s", m->name);
	return r;
}

static int
greet(struct login *l)
{
	if (wire_text(&l->wire, "* OK [") < 0 || imap_capabilities(l) < 0)
		return -1;
	return wire_text(&l->wire, "] Mailreeve ready\r\n");
}

/* --- answers --- */

enum outcome
imap_ok(struct request *r, const char *text)
{
	r->answer = (struct answer){ "OK", NULL, text };
	return OUT_NEXT;
}

enum outcome
imap_no(struct request *r, const char *code, const char *text)
{
	r->answer = (struct answer){ "NO", code, text };
	return OUT_NEXT;
}

enum outcome
imap_bad(struct request *r, const char *text)
{
	r->answer = (struct answer){ "BAD", NULL, text };
	return OUT_NEXT;
}

int
imap_answer(struct request *r)
{
	struct wire *w = &r->l->wire;
	struct answer a = r->answer;
	bool code = a.code != NULL;

	r->answer = (struct answer){ 0 };
	if (a.status == NULL)
		return 0;
	return wire_printf(w, "%.*s %s %s%s%s%s\r\n", r->tag_n > 0
	    ? (int)r->tag_n : 1, r->tag_n > 0 ? (const char *)r->tag : "*",
	    a.status, code ? "[" : "", code ? a.code : "", code ? "] " : "",
	    a.text);
}

void
imap_goodbye(struct login *l, enum ending why)
{
	const struct verdict_text *t;

	if (why == END_QUIET)
		return;
	t = ending_text(why);
	wire_printf(&l->wire, "* BYE %s%s%s%s\r\n", t->imap_code ? "[" : "",
	    t->imap_code ? t->imap_code : "", t->imap_code ? "] " : "", t->text);
}

static enum outcome
end(struct login *l, enum ending why)
{
	imap_goodbye(l, why);
	return OUT_CLOSE;
}

/* --- the loop --- */

static const struct command *
find(struct bytes name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (bytes_case_equal(name, bytes_of(commands[i].name)))
			return &commands[i];
	return NULL;
}

/* Enforces the table: true when the command may run, or answers. */
static bool
permitted(struct request *r, const struct command *c)
{
	if (r->tag_n == 0)
		imap_bad(r, "A command begins with a tag");
	else if (c == NULL)
		imap_bad(r, "Unknown command");
	else if ((c->flags & NOW) == 0)
		imap_bad(r, "Log in first");
	else if ((c->flags & PASSWORD) != 0 && !login_private(r->l))
		imap_no(r, "PRIVACYREQUIRED", "Use STARTTLS before you send a password");
	else
		return true;
	return false;
}

static enum outcome
failed(struct login *l)
{
	enum ending why = login_ending(l, errno);

	return why == END_QUIET ? OUT_LOST : end(l, why);
}

/* A command that may run, and that is read to its end. */
static enum outcome
run(struct request *r, const struct command *c)
{
	enum outcome o;

	r->args.rest = imap_command(r->l);
	(void)bytes_split(&r->args.rest, ' ');
	lex_prefix(&r->args, c->name);
	if ((c->flags & NO_ARGUMENTS) != 0 && r->args.rest.n > 0)
		return imap_bad(r, "This command has no arguments");
	o = c->run(r);
	return o == OUT_LOST ? failed(r->l) : o;
}

/* Says the answer; one BAD too many ends the conversation. */
static enum outcome
finish(struct request *r, enum outcome o)
{
	bool was_bad = r->answer.status != NULL && r->answer.status[0] == 'B';

	if (o == OUT_LOGGED_IN)
		return o;
	if (imap_answer(r) < 0)
		return OUT_LOST;
	if (o == OUT_NEXT && was_bad && login_bad_command(r->l))
		return end(r->l, END_BAD_COMMANDS);
	return o;
}

static enum outcome
command(struct login *l)
{
	struct request r = { .l = l, .args.arena = &l->arena };
	const struct command *c;
	struct bytes tag, name;
	bool wanted;

	if (imap_read_line(l, &tag, &name) < 0)
		return failed(l);
	/* Reading more may move what the line stands in. */
	if ((r.tag_n = tag.n) > 0)
		memcpy(r.tag, tag.p, tag.n);
	c = find(name);
	wanted = permitted(&r, c);
	if (c == NULL && login_foreign(l, buf_contents(&l->command)))
		return end(l, END_GARBAGE);
	switch (imap_read_rest(l, wanted)) {
	case REST_FAILED:
		return failed(l);
	case REST_LITERAL:
		return finish(&r, imap_bad(&r, "Literal too large"));
	default:
		return finish(&r, wanted ? run(&r, c) : OUT_NEXT);
	}
}

enum outcome
imap_login(struct login *l)
{
	enum outcome o = OUT_NEXT;

	if (greet(l) < 0 || wire_flush(&l->wire) < 0)
		return OUT_LOST;
	while (o == OUT_NEXT) {
		o = command(l);
		login_wipe(l);
	}
	return o;
}
