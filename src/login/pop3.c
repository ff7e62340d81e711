/*
 * POP3 in the AUTHORIZATION state (RFC 1939 section 4, 2449, 2595, 5034).
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "ask.h"
#include "language.h"
#include "mech_other.h"
#include "prep.h"
#include "proxied.h"
#include "verdict.h"
#include "xclient.h"

struct session {
	struct login *l;
	struct buf user;		/* of USER, until PASS */
	struct buf tag;
	bool utf8;			/* RFC 6856 section 2.1 */
};

enum {
	NOW = 1,			/* legal in the AUTHORIZATION state */
	PASSWORD = 2,			/* only where one may be sent */
	NO_ARGUMENTS = 4,
	FRONT_END = 8,			/* to others the command is unknown */
};

struct command {
	const char *name;
	unsigned flags;
	enum outcome (*run)(struct session *, struct bytes args);
};

static enum outcome run_capa(struct session *, struct bytes);
static enum outcome run_stls(struct session *, struct bytes);
static enum outcome run_utf8(struct session *, struct bytes);
static enum outcome run_lang(struct session *, struct bytes);
static enum outcome run_user(struct session *, struct bytes);
static enum outcome run_pass(struct session *, struct bytes);
static enum outcome run_apop(struct session *, struct bytes);
static enum outcome run_auth(struct session *, struct bytes);
static enum outcome run_xclient(struct session *, struct bytes);
static enum outcome run_xoip(struct session *, struct bytes);
static enum outcome run_quit(struct session *, struct bytes);

static const struct command commands[] = {
	{ "CAPA", NOW | NO_ARGUMENTS, run_capa },
	{ "STLS", NOW | NO_ARGUMENTS, run_stls },
	{ "UTF8", NOW | NO_ARGUMENTS, run_utf8 },
	{ "LANG", NOW, run_lang },
	{ "USER", NOW | PASSWORD, run_user },
	{ "PASS", NOW | PASSWORD, run_pass },
	{ "APOP", NOW | PASSWORD, run_apop },
	{ "AUTH", NOW | PASSWORD, run_auth },
	{ "XCLIENT", NOW | FRONT_END, run_xclient },
	{ "XOIP", NOW | FRONT_END, run_xoip },
	{ "QUIT", NOW | NO_ARGUMENTS, run_quit },
	{ "STAT", 0, NULL }, { "LIST", 0, NULL },
	{ "RETR", 0, NULL }, { "DELE", 0, NULL },
	{ "NOOP", 0, NULL }, { "RSET", 0, NULL },
	{ "TOP", 0, NULL }, { "UIDL", 0, NULL },
};

/* --- capabilities --- */

static bool
is_front_end(const struct login *l)
{
	return l->front_end;
}

static const struct {
	const char *name;
	bool (*now)(const struct login *);	/* NULL: always */
} capabilities[] = {
	{ "TOP", NULL },
	{ "UIDL", NULL },
	{ "RESP-CODES", NULL },
	{ "AUTH-RESP-CODE", NULL },
	{ "PIPELINING", NULL },
	{ "EXPIRE NEVER", NULL },
	{ "LOGIN-DELAY 0", NULL },
	{ "UTF8 USER", NULL },
	{ "LANG", NULL },
	{ "STLS", login_can_start_tls },
	{ "USER", login_password },
	{ "XCLIENT", is_front_end },
};

/* --- answers --- */

static int
ok(struct login *l, const char *text)
{
	return wire_printf(&l->wire, "+OK %s\r\n", text);
}

static int
err(struct login *l, const char *code, const char *text)
{
	bool has = code != NULL;

	return wire_printf(&l->wire, "-ERR %s%s%s%s\r\n", has ? "[" : "",
	    has ? code : "", has ? "] " : "", text);
}

static enum outcome
next(int said)
{
	return said < 0 ? OUT_LOST : OUT_NEXT;
}

void
pop3_goodbye(struct login *l, enum ending why)
{
	if (why != END_QUIET)
		err(l, ending_text(why)->pop3_code, ending_text(why)->text);
}

static enum outcome
end(struct login *l, enum ending why)
{
	pop3_goodbye(l, why);
	return OUT_CLOSE;
}

/* A command nobody could mean: answers, and counts. */
static enum outcome
bad(struct login *l, const char *text)
{
	if (err(l, NULL, text) < 0)
		return OUT_LOST;
	return login_bad_command(l) ? OUT_CLOSE : OUT_NEXT;
}

/* The time stamp that APOP is computed from (RFC 1939 section 7). */
static int
greet(struct login *l)
{
	bool stamp = l->stamp[0] != '\0';

	/* So Dovecot's proxy knows that it may send XCLIENT. */
	return wire_printf(&l->wire, "+OK %sMailreeve ready%s%s\r\n",
	    l->front_end ? "[XCLIENT] " : "", stamp ? " " : "",
	    stamp ? l->stamp : "");
}

/* --- commands --- */

static int
say_mechanisms(struct login *l, const char *before, const char *end)
{
	const struct mech *m;
	int r = 0;

	for (unsigned i = 0; (m = mech_possible(l, i)) != NULL; i++)
		r |= wire_printf(&l->wire, "%s%s%s", before, m->name, end);
	return r;
}

static enum outcome
run_capa(struct session *s, struct bytes args)
{
	struct login *l = s->l;
	int r = ok(l, "Capabilities follow");

	(void)args;
	for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
		if (capabilities[i].now == NULL || capabilities[i].now(l))
			r |= wire_printf(&l->wire, "%s\r\n", capabilities[i].name);
	if (mech_possible(l, 0) != NULL) {
		r |= wire_text(&l->wire, "SASL");
		r |= say_mechanisms(l, " ", "");
		r |= wire_text(&l->wire, "\r\n");
	}
	r |= wire_text(&l->wire, ".\r\n");
	return next(r);
}

static enum outcome
run_stls(struct session *s, struct bytes args)
{
	struct login *l = s->l;

	(void)args;
	if (l->wire.tls != NULL)
		return next(err(l, NULL, "TLS is active already"));
	if (s->utf8)
		return next(err(l, NULL, "STLS comes before UTF8"));
	if (!login_can_start_tls(l))
		return next(err(l, NULL, "TLS is not available here"));
	buf_wipe(&s->user);
	if (ok(l, "Begin TLS negotiation now") < 0 || wire_flush(&l->wire) < 0)
		return OUT_LOST;
	return login_start_tls(l) < 0 ? OUT_CLOSE : OUT_NEXT;
}

static enum outcome
run_utf8(struct session *s, struct bytes args)
{
	(void)args;
	s->utf8 = true;
	return next(ok(s->l, "UTF-8 it is"));
}

/* RFC 6856 section 3.2 */
static enum outcome
run_lang(struct session *s, struct bytes args)
{
	const struct language *l = languages;
	int r;

	if (args.n > 0) {
		l = language_find(args);
		return next(l == NULL ? err(s->l, NULL, "No such language")
		    : wire_printf(&s->l->wire, "+OK %s %s\r\n", l->tag, l->chosen));
	}
	r = ok(s->l, "Languages follow");
	for (; l->tag != NULL; l++)
		r |= wire_printf(&s->l->wire, "%s %s\r\n", l->tag, l->name);
	r |= wire_text(&s->l->wire, ".\r\n");
	return next(r);
}

static enum outcome
run_user(struct session *s, struct bytes args)
{
	if (!login_password(s->l))
		return next(err(s->l, NULL, "No passwords are taken here, use AUTH"));
	if (args.n == 0)
		return bad(s->l, "USER has the user's name as argument");
	if (!prep_allowed(args))
		return next(err(s->l, "AUTH", "Name is not UTF-8 text"));
	buf_wipe(&s->user);
	if (buf_bytes(&s->user, args) < 0)
		return next(err(s->l, NULL, "Name too long"));
	return next(ok(s->l, "Send PASS"));
}

/* What the client enabled, and what it was offered, goes to the session as the tag. */
static struct bytes
tag_of(struct session *s)
{
	const struct mech *m;

	buf_clear(&s->tag);
	if (s->utf8)
		(void)buf_text(&s->tag, "UTF8");
	for (unsigned i = 0; (m = mech_possible(s->l, i)) != NULL; i++)
		(void)buf_printf(&s->tag, "%s%s", s->tag.len > 0 ? " " : "", m->name);
	return buf_contents(&s->tag);
}

/* A refusal is answered. */
static enum outcome
settle(struct login *l, const struct verdict *v)
{
	const struct verdict_text *t;

	if (v->result == CHAN_OK)
		return OUT_LOGGED_IN;
	t = verdict_text(v->result);
	if (err(l, t->pop3_code, v->text[0] != '\0' ? v->text : t->text) < 0)
		return OUT_LOST;
	/* A line of its own would be the answer to no command. */
	return v->gone || ++l->failures >= l->conf->max_failures ? OUT_CLOSE
	    : OUT_NEXT;
}

/* The end of an exchange. */
static enum outcome
said(struct login *l, const struct talk *t, enum mech_result r)
{
	switch (r) {
	case MECH_DECIDED:
		return settle(l, &t->verdict);
	case MECH_CANCELLED:
		return bad(l, "Cancelled");
	case MECH_BAD:
		return bad(l, "Bad response");
	default:
		return OUT_LOST;
	}
}

/* Spaces may be part of a password: RFC 1939 section 7. */
static enum outcome
run_pass(struct session *s, struct bytes args)
{
	struct credentials c = { .secret = args, .mechanism = "USER" };
	struct verdict v;

	if (s->user.len == 0)
		return bad(s->l, "Send USER first");
	if (args.n == 0)
		return bad(s->l, "PASS has the password as argument");
	if (!prep_allowed(args))
		return next(err(s->l, "AUTH", "Password is not UTF-8 text"));
	c.user = buf_contents(&s->user);
	if (wire_flush(&s->l->wire) < 0)
		return OUT_LOST;
	v = ask_login(s->l, &c, tag_of(s));
	buf_wipe(&s->user);
	return settle(s->l, &v);
}

static enum outcome
run_apop(struct session *s, struct bytes args)
{
	static const struct mech apop = { .name = "APOP", .kind = MECHANISM_APOP };
	struct talk t = { .l = s->l, .m = &apop, .tag = tag_of(s) };

	if (s->l->stamp[0] == '\0')
		return next(err(s->l, NULL, "APOP is not available, use AUTH or USER"));
	return said(s->l, &t, mech_apop(&t, args));
}

/* Not in RFC 5034, but old clients ask for it. */
static enum outcome
list_mechanisms(struct login *l)
{
	int r = ok(l, "Mechanisms follow");

	r |= say_mechanisms(l, "", "\r\n");
	r |= wire_text(&l->wire, ".\r\n");
	return next(r);
}

static enum outcome
run_auth(struct session *s, struct bytes args)
{
	struct login *l = s->l;
	struct talk t = { .l = l, .tag = tag_of(s) };
	struct bytes name = bytes_split(&args, ' ');

	if (name.n == 0)
		return list_mechanisms(l);
	t.m = mech_by_name(l, name);
	if (t.m == NULL)
		return next(err(l, NULL, "Unknown mechanism"));
	if (args.n > 0)
		t.initial = args;
	return said(l, &t, mech_run(&t));
}

/* Once; what a front end says of itself is nothing new. */
static enum outcome
speak_for(struct session *s, const struct proxy_header *h)
{
	enum ending why = proxied_by(s->l, h);

	if (why == END_QUIET)
		return next(ok(s->l, "Thank you"));
	pop3_goodbye(s->l, why);
	return OUT_CLOSE;
}

/* As Postfix and Dovecot's proxy know it. */
static enum outcome
run_xclient(struct session *s, struct bytes args)
{
	struct proxy_header h;

	return xclient_line(args, &h) ? speak_for(s, &h)
	    : bad(s->l, "Bad address or port");
}

/* An address, from proxies made for Zimbra. */
static enum outcome
run_xoip(struct session *s, struct bytes args)
{
	struct proxy_header h = { 0 };

	return xclient_attribute(BYTES("ADDR"), args, &h) ? speak_for(s, &h)
	    : bad(s->l, "Bad address");
}

static enum outcome
run_quit(struct session *s, struct bytes args)
{
	(void)args;
	return ok(s->l, "Bye") < 0 ? OUT_LOST : OUT_CLOSE;
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

/* Enforces the table. */
static enum outcome
dispatch(struct session *s, const struct command *c, struct bytes args)
{
	if (c == NULL || ((c->flags & FRONT_END) != 0 && !s->l->front_end))
		return bad(s->l, "Unknown command");
	if ((c->flags & NOW) == 0)
		return bad(s->l, "Log in first");
	if ((c->flags & PASSWORD) != 0 && !login_private(s->l))
		return next(err(s->l, NULL, "Use STLS before you send a password"));
	if ((c->flags & NO_ARGUMENTS) != 0 && args.n > 0)
		return bad(s->l, "This command has no arguments");
	return c->run(s, args);
}

static struct bytes
without_crlf(struct bytes line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* Tokens come in AUTH's own line too, whatever RFC 5034 section 4 says of its length. */
static int
read_line(struct login *l)
{
	int r = wire_line(&l->wire, &l->command, POP3_LINE_MAX);

	if (r < 0 && errno == E2BIG
	    && bytes_case_starts(buf_contents(&l->command), BYTES("AUTH ")))
		r = wire_line(&l->wire, &l->command, SASL_LINE_MAX);
	return r;
}

static enum outcome
command(struct session *s)
{
	struct login *l = s->l;
	const struct command *c;
	struct bytes args;
	enum outcome o = OUT_LOST;
	enum ending why;

	if (read_line(l) == 0) {
		args = without_crlf(buf_contents(&l->command));
		c = find(bytes_split(&args, ' '));
		if (c == NULL && login_foreign(l, buf_contents(&l->command)))
			return end(l, END_GARBAGE);
		o = dispatch(s, c, args);
	}
	if (o != OUT_LOST)
		return o;
	why = login_ending(l, errno);
	return why == END_QUIET ? OUT_LOST : end(l, why);
}

enum outcome
pop3_login(struct login *l)
{
	struct session s = { .l = l, .user = BUF_INIT(CHAN_TEXT_MAX),
	    .tag = BUF_INIT(CHAN_TEXT_MAX) };
	enum outcome o = OUT_NEXT;

	if (greet(l) < 0 || wire_flush(&l->wire) < 0)
		return OUT_LOST;
	while (o == OUT_NEXT) {
		o = command(&s);
		login_wipe(l);
	}
	buf_wipe(&s.user);
	buf_free(&s.tag);
	return o;
}
