/*
 * A PAM module that misbehaves as its first argument says.
 * Runs as: root, in conn, in tests only.
 */
#include <sys/socket.h>

#include <security/pam_modules.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
hang(pam_handle_t *h)
{
	sigset_t all;

	(void)h;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (;;)
		pause();
	return PAM_SUCCESS;
}

static int
wait_politely(pam_handle_t *h)
{
	(void)h;
	for (;;)
		pause();
	return PAM_SUCCESS;
}

static int
crash(pam_handle_t *h)
{
	(void)h;
	raise(SIGSEGV);
	return PAM_SUCCESS;
}

static int
leave(pam_handle_t *h)
{
	(void)h;
	exit(0);
}

static int
print(pam_handle_t *h)
{
	(void)h;
	printf("* OK I am the mail server, really\r\n");
	fflush(stdout);
	if (write(0, "* BYE\r\n", 7) < 0 || write(1, "* BYE\r\n", 7) < 0)
		return PAM_SYSTEM_ERR;
	return PAM_SUCCESS;
}

static int
become_other(pam_handle_t *h)
{
	const void *user;
	char other[64];

	if (pam_get_item(h, PAM_USER, &user) != PAM_SUCCESS)
		return PAM_AUTH_ERR;
	/* "bob7-as-root" becomes root. */
	snprintf(other, sizeof other, "%s", strstr(user, "-as-") == NULL
	    ? (const char *)user : strstr(user, "-as-") + 4);
	return pam_set_item(h, PAM_USER, other);
}

static int
talk(pam_handle_t *h, int style, const char *text, struct pam_response **answer)
{
	const struct pam_conv *conv;
	struct pam_message m = { style, text };
	const struct pam_message *list[] = { &m };

	if (pam_get_item(h, PAM_CONV, (const void **)&conv) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	return conv->conv(1, list, answer, conv->appdata_ptr);
}

static int
ask(pam_handle_t *h, int style)
{
	struct pam_response *answer = NULL;
	int r = talk(h, style, "? ", &answer);

	if (answer != NULL)
		free(answer->resp);
	free(answer);
	return r;
}

static int
ask_twice(pam_handle_t *h)
{
	(void)ask(h, PAM_PROMPT_ECHO_OFF);
	(void)ask(h, PAM_PROMPT_ECHO_OFF);
	return PAM_SUCCESS;
}

static int
ask_both(pam_handle_t *h)
{
	int r = ask(h, PAM_PROMPT_ECHO_ON);

	return r != PAM_SUCCESS ? r : ask(h, PAM_PROMPT_ECHO_OFF);
}

/* As pam_matrix does: no place for an answer, since none is wanted. */
static int
only_talk(pam_handle_t *h)
{
	return talk(h, PAM_TEXT_INFO, "Do\r\n* not\x1b[31m believe this", NULL);
}

static int
change_process(pam_handle_t *h)
{
	(void)h;
	signal(SIGTERM, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
	if (dup2(1, 77) < 0 || seteuid(65534) < 0)
		return PAM_SYSTEM_ERR;
	return seteuid(0) == 0 ? PAM_SUCCESS : PAM_SYSTEM_ERR;
}

/* Looks for the client among the descriptors and speaks to it. */
static int
find_stdio_socket(pam_handle_t *h)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;

	(void)h;
	for (int fd = 0; fd < 3; fd++)
		if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
			return PAM_AUTH_ERR;
	return PAM_SUCCESS;
}

static int
answer_with(const char *name)
{
	static const struct {
		const char *name;
		int status;
	} statuses[] = {
		{ "success", PAM_SUCCESS }, { "auth_err", PAM_AUTH_ERR },
		{ "perm_denied", PAM_PERM_DENIED },
		{ "acct_expired", PAM_ACCT_EXPIRED },
		{ "new_authtok_reqd", PAM_NEW_AUTHTOK_REQD },
		{ "authinfo_unavail", PAM_AUTHINFO_UNAVAIL },
		{ "system_err", PAM_SYSTEM_ERR }, { "user_unknown", PAM_USER_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (strcmp(statuses[i].name, name) == 0)
			return statuses[i].status;
	return PAM_SYSTEM_ERR;
}

static int
act(pam_handle_t *h, int argc, const char **argv)
{
	static const struct {
		const char *name;
		int (*act)(pam_handle_t *);
	} acts[] = {
		{ "hang", hang }, { "wait", wait_politely }, { "crash", crash },
		{ "exit", leave }, { "print", print }, { "user", become_other },
		{ "twice", ask_twice }, { "both", ask_both }, { "talk", only_talk },
		{ "process", change_process }, { "stdio", find_stdio_socket },
	};

	for (size_t i = 0; argc > 0 && i < sizeof acts / sizeof acts[0]; i++)
		if (strcmp(argv[0], acts[i].name) == 0)
			return acts[i].act(h);
	return argc > 0 ? answer_with(argv[0]) : PAM_SYSTEM_ERR;
}

int
pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(h, argc, argv);
}

int
pam_sm_acct_mgmt(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(h, argc, argv);
}

int
pam_sm_setcred(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)h, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_open_session(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(h, argc, argv);
}

int
pam_sm_close_session(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(h, argc, argv);
}
