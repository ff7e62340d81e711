/*
 * The IMAP commands that are legal before login.
 * Runs as: _mailreeve.
 */
#include "imap.h"
#include "mech.h"
#include "proxied.h"
#include "verdict.h"
#include "xclient.h"

enum outcome
imap_capability(struct request *r)
{
	struct login *l = r->l;

	if (wire_text(&l->wire, "* ") < 0 || imap_capabilities(l) < 0
	    || wire_text(&l->wire, "\r\n") < 0)
		return OUT_LOST;
	return imap_ok(r, "CAPABILITY completed");
}

enum outcome
imap_noop(struct request *r)
{
	return imap_ok(r, "NOOP completed");
}

enum outcome
imap_logout(struct request *r)
{
	if (wire_text(&r->l->wire, "* BYE Logging out\r\n") < 0)
		return OUT_LOST;
	imap_ok(r, "LOGOUT completed");
	return OUT_CLOSE;
}

/* What is worth a place in the log: the client's name and version. */
static void
note_id(struct login *l, struct bytes field, struct bytes value)
{
	if (bytes_case_equal(field, BYTES("name"))
	    || bytes_case_equal(field, BYTES("version")))
		login_note(l, value);
}

/* RFC 2971 section 4; a front end tells its client there. Fields may come in any number up to the limit. */
static int
read_id(struct request *r, struct proxy_header *h)
{
	struct lex *x = &r->args;
	struct bytes field, value;
	bool nil;

	r->l->client[0] = '\0';
	if (lex_space(x) < 0)
		return -1;
	if (lex_word(x, "NIL"))
		return lex_end(x);
	if (lex_char(x, '(') < 0)
		return -1;
	for (int i = 0; lex_peek(x) != ')'; i++) {
		if (i == ID_FIELDS_MAX)
			return lex_fail(x, E2BIG, "Too many fields");
		if ((i > 0 && lex_space(x) < 0) || lex_string(x, &field) < 0
		    || lex_space(x) < 0 || lex_nstring(x, &value, &nil) < 0)
			return -1;
		note_id(r->l, field, value);
		if (!xclient_attribute(field, value, h) && r->l->front_end)
			return lex_fail(x, EINVAL, "Bad address or port");
	}
	if (lex_char(x, ')') < 0)
		return -1;
	return lex_end(x);
}

enum outcome
imap_id(struct request *r)
{
	struct proxy_header h = { 0 };
	enum ending why = END_QUIET;

	if (read_id(r, &h) < 0)
		return imap_bad(r, r->args.error);
	if (r->l->front_end)
		why = proxied_by(r->l, &h);
	if (why != END_QUIET) {
		imap_goodbye(r->l, why);
		return OUT_CLOSE;
	}
	if (wire_text(&r->l->wire, "* ID (\"name\" \"Mailreeve\")\r\n") < 0)
		return OUT_LOST;
	return imap_ok(r, "ID completed");
}

enum outcome
imap_starttls(struct request *r)
{
	struct login *l = r->l;

	if (l->wire.tls != NULL)
		return imap_bad(r, "TLS is active already");
	if (!login_can_start_tls(l))
		return imap_no(r, NULL, "TLS is not available here");
	imap_ok(r, "Begin TLS negotiation now");
	if (imap_answer(r) < 0 || wire_flush(&l->wire) < 0)
		return OUT_LOST;
	return login_start_tls(l) < 0 ? OUT_CLOSE : OUT_NEXT;
}

/* A refusal becomes the answer. */
static enum outcome
settle(struct request *r, const struct verdict *v)
{
	struct login *l = r->l;
	const struct verdict_text *t;

	if (v->result == CHAN_OK)
		return OUT_LOGGED_IN;
	t = verdict_text(v->result);
	memcpy(r->text, v->text, sizeof r->text);
	imap_no(r, t->imap_code, r->text[0] != '\0' ? r->text : t->text);
	l->failures++;
	if (!v->gone && l->failures < l->conf->max_failures)
		return OUT_NEXT;
	if (imap_answer(r) < 0)
		return OUT_LOST;
	imap_goodbye(l, v->gone ? END_UNAVAILABLE : END_FAILURES);
	return OUT_CLOSE;
}

enum outcome
imap_login_command(struct request *r)
{
	struct lex *x = &r->args;
	struct credentials c = { .mechanism = "LOGIN" };
	struct verdict v;

	if (!login_password(r->l))
		return imap_no(r, NULL, "No passwords are taken here, use AUTHENTICATE");
	if (lex_space(x) < 0 || lex_astring(x, &c.user) < 0 || lex_space(x) < 0
	    || lex_astring(x, &c.secret) < 0 || lex_end(x) < 0)
		return imap_bad(r, x->error);
	if (wire_flush(&r->l->wire) < 0)
		return OUT_LOST;
	v = ask_login(r->l, &c, bytes_make(r->tag, r->tag_n));
	return settle(r, &v);
}

/* mechanism [SP initial-response] (RFC 4959 section 7) */
static int
read_authenticate(struct lex *x, struct bytes *name, struct bytes *initial)
{
	*initial = (struct bytes){ 0 };
	if (lex_space(x) < 0 || lex_atom(x, name) < 0)
		return -1;
	if (lex_peek(x) == 0)
		return 0;
	if (lex_space(x) < 0)
		return -1;
	*initial = x->rest;
	return 0;
}

enum outcome
imap_authenticate(struct request *r)
{
	struct talk t = { .l = r->l, .tag = bytes_make(r->tag, r->tag_n) };
	struct bytes name;

	if (read_authenticate(&r->args, &name, &t.initial) < 0)
		return imap_bad(r, r->args.error);
	t.m = mech_by_name(r->l, name);
	if (t.m == NULL)
		return imap_no(r, NULL, "Unknown mechanism");
	switch (mech_run(&t)) {
	case MECH_DECIDED:
		return settle(r, &t.verdict);
	case MECH_CANCELLED:
		return imap_bad(r, "Cancelled");
	case MECH_BAD:
		return imap_bad(r, "Bad response");
	default:
		return OUT_LOST;
	}
}
