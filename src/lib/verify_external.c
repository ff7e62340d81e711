/*
 * Whose a certificate of EXTERNAL is (RFC 4422 appendix A), and ANONYMOUS (RFC
 * 4505).
 * Runs as: root (conn).
 */
#include <stdio.h>

#include "verify.h"

/* Is the identity one of the lines of the token? */
static bool
is_among(const struct secret *s, struct bytes token)
{
	struct bytes mine = bytes_make(s->value, s->value_n);

	while (token.n > 0)
		if (bytes_equal(bytes_split(&token, '\n'), mine))
			return true;
	return false;
}

/* The first line that names the certificate: of this user, p NULL for any. */
static bool
find(struct exchange *x, struct bytes text, struct bytes user,
    struct bytes token)
{
	while (secrets_next_of(&text, user, SECRET_EXTERNAL, &x->secret)) {
		struct bytes name = x->secret.user;

		if (name.n > EXCHANGE_NAME_MAX || !is_among(&x->secret, token))
			continue;
		snprintf(x->user, sizeof x->user, "%.*s", (int)name.n,
		    (const char *)name.p);
		return true;
	}
	return false;
}

/* One certificate may be several users': the one that is asked for comes first. */
enum chan_result
verify_external(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	struct buf text = SECRETS_BUF;
	struct bytes asked = bytes_make(q->user.p, q->user.n);
	enum chan_result r = verify_read(x, &text);

	x->authzid = q->user;
	if (r == CHAN_OK && !find(x, buf_contents(&text), asked, token)
	    && !find(x, buf_contents(&text), (struct bytes){ 0 }, token)) {
		x->why = "the certificate is nobody's";
		r = CHAN_REFUSED;
	}
	verify_forget(&text);
	return r;
}

enum chan_result
verify_anonymous(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	(void)q, (void)token;
	snprintf(x->user, sizeof x->user, "%s", x->conf->anonymous_user);
	x->read_only = true;
	return CHAN_OK;
}
