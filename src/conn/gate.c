/*
 * Who may come in: the steps from a name and a password to a uid.
 * Runs as: root.
 */
#include <errno.h>
#include <stdio.h>

#include "conn.h"
#include "control.h"
#include "groups.h"
#include "ids.h"
#include "locked.h"
#include "process.h"

struct visitor {
	struct conn *c;
	struct attempt *a;
	struct bytes authzid;
};

static void
refuse(struct attempt *a, enum chan_result result, const char *why)
{
	a->result = result;
	a->why = why;
}

/* By whose name the account is asked for. */
static const char *
whom(const struct attempt *a)
{
	return a->target[0] != '\0' ? a->target : a->name;
}

/* Names that no account has, and that scripts behind PAM might trip over. */
static void
look_at_name(struct visitor *v)
{
	for (const char *s = whom(v->a); *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 127 || *s == ':' || *s == '/') {
			refuse(v->a, CHAN_REFUSED, "no account has such a name");
			return;
		}
}

/* One that is right stands for PAM's password, which it may also bar. */
static void
look_at_app_passwords(struct visitor *v)
{
	struct attempt *a = v->a;
	enum appfile_result r;

	if (a->secret == NULL)
		return;
	a->app = (struct appfile){ .user = a->name, .secret = a->secret,
	    .from = &v->c->remote, .client = log_quote(a->via),
	    .imap = service_facts[v->c->service].imap };
	r = appfile_ask(&a->app);
	refuse(a, r == APPFILE_BARRED ? CHAN_REFUSED : CHAN_OK, a->app.why);
	if (r == APPFILE_RIGHT)
		a->secret = NULL;
}

static void
authenticate(struct visitor *v)
{
	pam_try(v->c, v->a);
}

static void
find_account(struct visitor *v)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(v->a->user);
	if (pw == NULL) {
		refuse(v->a, errno == 0 ? CHAN_REFUSED : CHAN_UNAVAILABLE,
		    "PAM knows the user, the system has no such account");
		return;
	}
	v->a->uid = pw->pw_uid;
	v->a->gid = pw->pw_gid;
	if (strlen(pw->pw_name) >= sizeof v->a->user
	    || strlen(pw->pw_dir) >= sizeof v->a->home) {
		refuse(v->a, CHAN_UNAVAILABLE, "name or home is too long");
		return;
	}
	snprintf(v->a->user, sizeof v->a->user, "%s", pw->pw_name);
	snprintf(v->a->home, sizeof v->a->home, "%s", pw->pw_dir);
}

/* To the client this looks like a wrong password. The shell does not matter. */
static void
look_at_uid(struct visitor *v)
{
	if (v->a->uid == 0)
		refuse(v->a, CHAN_REFUSED, "uid 0 never gets in");
	else if (v->a->uid < v->c->conf.minimum_uid)
		refuse(v->a, CHAN_REFUSED, "uid is below minimum-uid");
	else if (v->a->app.uid != 0 && v->a->app.uid != v->a->uid)
		refuse(v->a, CHAN_REFUSED, "a secret of somebody else");
	else if (v->a->app.unsafe)	/* only who has the password is told */
		refuse(v->a, CHAN_UNAVAILABLE, "app passwords cannot be read");
}

static void
ask_about_account(struct visitor *v)
{
	pam_account(v->a);
	/* Who proved himself otherwise was asked for no password of PAM's. */
	if (v->a->result == CHAN_OK && v->a->secret == NULL
	    && account_locked(v->a->user))
		refuse(v->a, CHAN_CONTACT_ADMIN, "the account's password is locked");
}

/*
 * SASL's authorization identity (RFC 4422 section 3.4.1). Nobody may act as
 * somebody else but administrators, and they only with their own password and
 * for who could come in himself.
 */
static bool
wants_another(const struct visitor *v)
{
	return v->a->result == CHAN_OK && v->authzid.n > 0
	    && !bytes_equal(v->authzid, bytes_of(v->a->user))
	    && !bytes_equal(v->authzid, bytes_of(v->a->name));
}

static void
become_another(struct visitor *v)
{
	struct attempt *a = v->a;

	if (!config_lists(v->c->conf.administrators, bytes_of(a->user))
	    || a->app.uid != 0 || v->authzid.n >= sizeof a->target
	    || bytes_find(v->authzid, '\0') >= 0) {
		refuse(a, CHAN_NOT_AUTHORIZED, "wants to act as somebody else");
		return;
	}
	pam_leave();
	memcpy(a->target, v->authzid.p, v->authzid.n);
	a->target[v->authzid.n] = '\0';
	a->secret = NULL;
}

static void
count_user(struct visitor *v)
{
	process_hold_back();
	if (!client_counts(v->c, CONTROL_USER, v->a->uid))
		refuse(v->a, CHAN_LIMIT, "max-connections-per-user reached");
}

/* Groups come before credentials: modules may add groups there. */
static void
enter(struct visitor *v)
{
	if (ids_groups(v->a->user, v->a->gid) < 0)
		refuse(v->a, CHAN_UNAVAILABLE, "cannot set groups");
	else
		pam_enter(v->c, v->a);
}

static void
take_steps(struct visitor *v, void (*const steps[])(struct visitor *))
{
	for (; *steps != NULL && v->a->result == CHAN_OK; steps++)
		(*steps)(v);
}

void
gate_decide(struct conn *c, struct attempt *a, struct bytes authzid)
{
	static void (*const identify[])(struct visitor *) = {
		look_at_name, look_at_app_passwords, authenticate, find_account,
		look_at_uid, ask_about_account, NULL,
	};
	static void (*const let_in[])(struct visitor *) = {
		count_user, enter, NULL,
	};
	struct visitor v = { c, a, authzid };

	a->result = CHAN_OK;
	groups_forget();
	take_steps(&v, identify);
	if (wants_another(&v)) {
		become_another(&v);
		take_steps(&v, identify);
	}
	take_steps(&v, let_in);
	groups_forget();
	if (a->result != CHAN_OK)
		pam_leave();
}
