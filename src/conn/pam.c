/*
 * Asks PAM. Its modules are foreign code in our process: they may print, ask
 * anything, name somebody else, or never come back (the caller's time limit).
 * Runs as: root.
 */
#include <security/pam_appl.h>

#include "conn.h"
#include "pamfiles.h"
#include "pamtalk.h"

static struct {
	pam_handle_t *handle;
	pam_handle_t *ready[2];		/* of POP3's service, IMAP's */
	int watch;			/* of the files that those were made from */
	struct pamtalk talk;
	bool entered;			/* credentials are set */
	bool session;
	int status;
} pam;

static const struct pam_conv conv = { pamtalk, &pam.talk };

struct meaning {
	int status;
	enum chan_result result;
};

/* Before the password is known to be right; the rest is a failure of ours. */
static const struct meaning of_authenticate[] = {
	{ PAM_SUCCESS, CHAN_OK }, { PAM_AUTH_ERR, CHAN_REFUSED },
	{ PAM_USER_UNKNOWN, CHAN_REFUSED }, { PAM_MAXTRIES, CHAN_REFUSED },
	{ PAM_PERM_DENIED, CHAN_REFUSED }, { PAM_CRED_INSUFFICIENT, CHAN_REFUSED },
	{ PAM_ACCT_EXPIRED, CHAN_EXPIRED }, { PAM_NEW_AUTHTOK_REQD, CHAN_EXPIRED },
	{ PAM_SUCCESS, 0 },
};

static const struct meaning of_account[] = {
	{ PAM_SUCCESS, CHAN_OK }, { PAM_ACCT_EXPIRED, CHAN_EXPIRED },
	{ PAM_NEW_AUTHTOK_REQD, CHAN_EXPIRED },
	{ PAM_AUTHTOK_EXPIRED, CHAN_EXPIRED },
	{ PAM_PERM_DENIED, CHAN_NOT_AUTHORIZED },
	{ PAM_AUTH_ERR, CHAN_CONTACT_ADMIN },
	{ PAM_USER_UNKNOWN, CHAN_CONTACT_ADMIN },
	{ PAM_MAXTRIES, CHAN_CONTACT_ADMIN },
	{ PAM_SUCCESS, 0 },
};

static const struct meaning of_session[] = {
	{ PAM_SUCCESS, CHAN_OK }, { PAM_PERM_DENIED, CHAN_NOT_AUTHORIZED },
	{ PAM_SUCCESS, 0 },
};

static void
judge(struct attempt *a, int status, const struct meaning *m)
{
	pam.status = status;
	while (m->result != 0 && m->status != status)
		m++;
	a->result = m->result != 0 ? m->result : CHAN_UNAVAILABLE;
	if (status != PAM_SUCCESS)
		a->why = pam_strerror(pam.handle, status);
	if (pam.talk.surprised) {
		a->why = "a PAM module asked for more than name and password";
		a->result = CHAN_UNAVAILABLE;
	}
}

/*
 * Reading PAM's configuration is an eighth of what PAM does for a login: the
 * template has read it, for the first attempt of each of its forks.
 */
static int
begin(const struct conn *c, const char *name)
{
	bool imap = service_facts[c->service].imap;

	if (pam.ready[imap] == NULL || pamfiles_changed(pam.watch))
		return pam_start(imap ? c->conf.pam_imap : c->conf.pam_pop3, name,
		    &conv, &pam.handle);
	pam.handle = pam.ready[imap];
	pam.ready[imap] = NULL;
	return pam_set_item(pam.handle, PAM_USER, name);
}

static int
set_items(const struct conn *c)
{
	const char *tty = service_facts[c->service].session;
	char rhost[NETADDR_TEXT_MAX];
	int s;

	netaddr_text(&c->remote, rhost);
	s = pam_no_delay(pam.handle);
	if (s == PAM_SUCCESS)
		s = pam_set_item(pam.handle, PAM_RHOST, rhost);
	if (s == PAM_SUCCESS)
		s = pam_set_item(pam.handle, PAM_TTY, tty);
	return s;
}

/* Modules may have made it another: whoever PAM says it is. */
static void
take_user(struct attempt *a)
{
	const void *user = NULL;

	if (pam_get_item(pam.handle, PAM_USER, &user) != PAM_SUCCESS
	    || user == NULL || strlen(user) >= sizeof a->user) {
		a->result = CHAN_UNAVAILABLE;
		a->why = "PAM does not say who it is";
		return;
	}
	memcpy(a->user, user, strlen(user) + 1);
}

void
pam_try(const struct conn *c, struct attempt *a)
{
	const char *name = a->target[0] != '\0' ? a->target : a->name;
	int s;

	pam.talk = (struct pamtalk){ .name = name, .secret = a->secret,
	    .said = &a->said };
	s = begin(c, name);
	if (s == PAM_SUCCESS)
		s = set_items(c);
	if (s != PAM_SUCCESS) {
		a->result = CHAN_UNAVAILABLE;
		a->why = "pam_start failed";
		return;
	}
	if (a->secret != NULL)
		judge(a, pam_authenticate(pam.handle, PAM_DISALLOW_NULL_AUTHTOK),
		    of_authenticate);
	if (a->result == CHAN_OK)
		take_user(a);
}

void
pam_account(struct attempt *a)
{
	judge(a, pam_acct_mgmt(pam.handle, PAM_DISALLOW_NULL_AUTHTOK), of_account);
}

void
pam_enter(const struct conn *c, struct attempt *a)
{
	judge(a, pam_setcred(pam.handle, PAM_ESTABLISH_CRED), of_session);
	pam.entered = a->result == CHAN_OK;
	if (!pam.entered || !c->conf.pam_session)
		return;
	judge(a, pam_open_session(pam.handle, 0), of_session);
	pam.session = a->result == CHAN_OK;
}

/*
 * What is not used is never ended: a handle keeps its modules. Later attempts
 * read PAM's configuration again, and load what is not there yet.
 */
void
pam_preload(const struct config *conf)
{
	const char *const services[] = { conf->pam_pop3, conf->pam_imap };

	pam.watch = pamfiles_watch();
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		if (pam_start(services[i], NULL, &conv, &pam.ready[i])
		    != PAM_SUCCESS)
			log_warn("PAM service %s: cannot be loaded", services[i]);
}

void
pam_leave(void)
{
	if (pam.handle == NULL)
		return;
	if (pam.session)
		pam.status = pam_close_session(pam.handle, 0);
	if (pam.entered)
		(void)pam_setcred(pam.handle, PAM_DELETE_CRED);
	pam_end(pam.handle, pam.status);
	pam.handle = NULL;
	pam.session = pam.entered = false;
}

void
pam_forget(void)
{
	pam_end(pam.handle, pam.status | PAM_DATA_SILENT);
	pam.handle = NULL;
}
