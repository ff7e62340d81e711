/*
 * Asks PAM. Its modules are foreign code in our process: they may print, ask
 * anything, name somebody else, or never come back (the caller's time limit).
 * Runs as: root.
 */
#include <security/pam_appl.h>

#include <stdlib.h>

#include "conn.h"
#include "pamfiles.h"

/* What the conversation may give away, and whether it was asked properly. */
struct talk {
	const char *name;
	const char *secret;
	struct buf *said;
	bool gave_name, gave_secret;
	bool surprised;
};

static struct {
	pam_handle_t *handle;
	pam_handle_t *ready[2];		/* of POP3's service, IMAP's */
	int watch;			/* of the files that those were made from */
	struct talk talk;
	bool entered;			/* credentials are set */
	bool session;
	int status;
} pam;

static void
remember(struct talk *t, const char *text)
{
	if (text == NULL)
		return;
	if (t->said->len > 0)
		(void)buf_text(t->said, "; ");
	(void)buf_text(t->said, text);	/* what is too long is left out */
}

/* The answer to one message: a string to be freed, or NULL. */
static char *
answer(struct talk *t, const struct pam_message *m)
{
	switch (m->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
		t->surprised |= t->gave_secret || t->secret == NULL;
		t->gave_secret = true;
		return t->surprised ? NULL : strdup(t->secret);
	case PAM_PROMPT_ECHO_ON:
		t->surprised |= t->gave_name;
		t->gave_name = true;
		return t->surprised ? NULL : strdup(t->name);
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG:
		remember(t, m->msg);
		return NULL;
	default:
		t->surprised = true;
		return NULL;
	}
}

static void
forget_answers(struct pam_response *r, int n)
{
	for (int i = 0; r != NULL && i < n; i++)
		if (r[i].resp != NULL) {
			explicit_bzero(r[i].resp, strlen(r[i].resp));
			free(r[i].resp);
		}
	free(r);
}

/*
 * One hidden prompt gets the password, one echoing prompt the name; nothing is
 * answered twice. Some modules give no place for answers when they only talk.
 */
static int
converse(int n, const struct pam_message **messages, struct pam_response **out,
    void *data)
{
	struct talk *t = data;
	struct pam_response *r;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	r = calloc((size_t)n, sizeof *r);
	if (r == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		r[i].resp = answer(t, messages[i]);
	if (t->surprised || out == NULL) {
		forget_answers(r, n);
		return t->surprised ? PAM_CONV_ERR : PAM_SUCCESS;
	}
	*out = r;
	return PAM_SUCCESS;
}

static const struct pam_conv conv = { converse, &pam.talk };

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

	pam.talk = (struct talk){ .name = name, .secret = a->secret,
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
