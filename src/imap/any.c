/*
 * Commands that are about the session itself.
 * Runs as: the mailbox owner.
 */
#include "commands.h"
#include "limits.h"
#include "log.h"

struct outcome
cmd_capability(struct session *s, struct call *c)
{
	(void)c;
	put_untagged(&s->out, "CAPABILITY");
	put_capabilities(s);
	put_end(&s->out);
	return ok("CAPABILITY completed");
}

/* NOOP and CHECK: what they are for is done at the end of every command. */
struct outcome
cmd_noop(struct session *s, struct call *c)
{
	(void)s;
	(void)c;
	return ok("Completed");
}

struct outcome
cmd_logout(struct session *s, struct call *c)
{
	static const struct response_code none = { .code = CODE_NONE };

	(void)c;
	put_condition(&s->out, BYTES(""), "BYE", &none, "Logging out");
	s->end_reason = "logout";
	s->state = STATE_LOGOUT;
	return ok("LOGOUT completed");
}

struct outcome
cmd_namespace(struct session *s, struct call *c)
{
	struct response *r = &s->out;

	(void)c;
	/* One personal namespace; its prefix is empty and its separator `/`. */
	put_untagged(r, "NAMESPACE");
	put_open(r);
	put_open(r);
	put_string(r, BYTES(""));
	put_string(r, BYTES("/"));
	put_close(r);
	put_close(r);
	put_nil(r);
	put_nil(r);
	put_end(r);
	return ok("NAMESPACE completed");
}

/* ---- ID (RFC 2971) ---- */

static int
id_pair(struct lex *x)
{
	struct bytes field, value;
	bool nil;

	if (lex_string(x, &field) < 0 || lex_space(x) < 0
	    || lex_nstring(x, &value, &nil) < 0)
		return -1;
	if (field.n > ID_FIELD_MAX || value.n > ID_VALUE_MAX)
		return lex_fail(x, E2BIG, "ID field or value too long");
	if (!nil && (bytes_case_equal(field, BYTES("name"))
	    || bytes_case_equal(field, BYTES("version"))))
		log_info("client %s=%s", bytes_case_equal(field, BYTES("name"))
		    ? "name" : "version", log_quote(value));
	return 0;
}

static int
id_list(struct lex *x)
{
	if (lex_word(x, "NIL"))
		return 0;
	if (lex_char(x, '(') < 0)
		return -1;
	for (unsigned n = 0; lex_peek(x) != ')'; n++) {
		if (n == ID_PAIRS_MAX)
			return lex_fail(x, E2BIG, "Too many ID fields");
		if ((n > 0 && lex_space(x) < 0) || id_pair(x) < 0)
			return -1;
	}
	return lex_char(x, ')');
}

struct outcome
cmd_id(struct session *s, struct call *c)
{
	struct response *r = &s->out;

	if (id_list(&c->args) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	put_untagged(r, "ID");
	put_open(r);
	put_string(r, BYTES("name"));
	put_string(r, BYTES("Mailreeve"));
	put_close(r);
	put_end(r);
	return ok("ID completed");
}

/*
 * ---- ENABLE (RFC 5161) ----
 *
 * All that is named and known is named in the answer, also what was on before:
 * a client takes silence for a refusal (RFC 7162 section 3.2.3). It is named once.
 */

/* Turns on what a capability stands for. */
static void
enable(struct session *s, unsigned bits)
{
	if ((bits & ENABLED_CONDSTORE) != 0)
		session_enable_condstore(s);
	s->enabled |= bits;
	s->out.utf8 = (s->enabled & (ENABLED_UTF8 | ENABLED_REV2)) != 0;
}

struct outcome
cmd_enable(struct session *s, struct call *c)
{
	struct lex *x = &c->args, check = *x;
	struct bytes name;
	const char *canonical;
	uint64_t named = 0;
	unsigned bits;
	int number;

	/* Nothing is turned on by a command that is not well-formed. */
	do
		if (lex_atom(&check, &name) < 0)
			return bad_syntax(&check);
	while (lex_peek(&check) == ' ' && lex_space(&check) == 0);
	if (lex_end(&check) < 0)
		return bad_syntax(&check);

	put_untagged(&s->out, "ENABLED");
	do {
		lex_atom(x, &name);
		number = capability_enables(name, &canonical, &bits);
		if (number < 0 || (named & UINT64_C(1) << number) != 0)
			continue;
		named |= UINT64_C(1) << number;
		enable(s, bits);
		put_word(&s->out, canonical);
	} while (lex_space(x) == 0);
	put_end(&s->out);
	return ok("ENABLE completed");
}
