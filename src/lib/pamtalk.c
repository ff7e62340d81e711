/*
 * Answers what PAM's modules ask.
 * Runs as: root (conn).
 */
#include <stdlib.h>

#include "pamtalk.h"

static void
remember(struct pamtalk *t, const char *text)
{
	if (text == NULL)
		return;
	if (t->said->len > 0)
		(void)buf_text(t->said, "; ");
	(void)buf_text(t->said, text);	/* what is too long is left out */
}

/* The answer to one message: a string to be freed, or NULL. */
static char *
answer(struct pamtalk *t, const struct pam_message *m)
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

/* Some modules give no place for answers when they only talk. */
int
pamtalk(int n, const struct pam_message **messages, struct pam_response **out,
    void *data)
{
	struct pamtalk *t = data;
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
