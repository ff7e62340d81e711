/*
 * GETQUOTA and GETQUOTAROOT (RFC 9208). Every mailbox of the user belongs to the
 * same quota roots, and to none where nobody limits anything.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"

#define UNIT 1024			/* of STORAGE (section 5.1) */

static void
put_resource(struct response *r, const char *name, uint64_t used, uint64_t limit)
{
	if (limit == 0)
		return;
	put_word(r, name);
	put_number(r, used);
	put_number(r, limit);
}

static void
tell_quota(struct session *s, const struct mail_quota *q)
{
	struct response *r = &s->out;

	put_untagged(r, "QUOTA");
	put_astring(r, bytes_of(q->root));
	put_open(r);
	put_resource(r, "STORAGE", q->octets_used / UNIT
	    + (q->octets_used % UNIT != 0), q->octets_limit / UNIT
	    + (q->octets_limit % UNIT != 0));
	put_resource(r, "MESSAGE", q->messages_used, q->messages_limit);
	put_close(r);
	put_end(r);
}

struct outcome
cmd_getquota(struct session *s, struct call *c)
{
	struct mail_quota v[MAIL_QUOTA_ROOTS_MAX];
	struct bytes root;
	int n;

	if (lex_astring(&c->args, &root) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	n = mail_quota(s->mail, v);
	if (n < 0)
		return failed(errno);
	for (int i = 0; i < n; i++)
		if (bytes_equal(root, bytes_of(v[i].root))) {
			tell_quota(s, &v[i]);
			return ok("GETQUOTA completed");
		}
	return no(CODE_NONEXISTENT, "No such quota root");
}

/* Section 4.1.2: the mailbox need not be there. */
struct outcome
cmd_getquotaroot(struct session *s, struct call *c)
{
	struct mail_quota v[MAIL_QUOTA_ROOTS_MAX];
	struct bytes name;
	int n;

	if (lex_mailbox(&c->args, &name) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	n = mail_quota(s->mail, v);
	if (n < 0)
		return failed(errno);
	put_untagged(&s->out, "QUOTAROOT");
	put_mailbox(&s->out, name);
	for (int i = 0; i < n; i++)
		put_astring(&s->out, bytes_of(v[i].root));
	put_end(&s->out);
	for (int i = 0; i < n; i++)
		tell_quota(s, &v[i]);
	return ok("GETQUOTAROOT completed");
}
