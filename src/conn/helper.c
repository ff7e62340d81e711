/*
 * Starts login, the process that talks to the stranger.
 * Runs as: root.
 *
 * login begins as root and closes its cage itself, as its first act and before
 * it is given any client: the loader and libcrypto need their files, and after
 * the chroot there are none. Its arguments are the uid and gid to become. It has
 * no client until it asked for one, and conn
 * answers that only after HELLO, which login sends from inside its cage.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "process.h"

#define LOGIN_PATH LIBEXECDIR "/login"
#define ID_TEXT_SIZE 24

static int
make_env(const struct conn *c, struct process_env *e)
{
	struct buf conf = BUF_INIT(65536);
	const char *text = config_dump(&c->conf, false, &conf) < 0 ? NULL
	    : buf_string(&conf);

	if (text != NULL)
		process_env_add(e, CONFIG_ENV, text);
	process_env_add(e, "MAILREEVE_SESSION", c->session);
	process_env_copy(e, "TZ");
	buf_free(&conf);
	return text != NULL && process_env_done(e) != NULL ? 0 : -1;
}

/* In the child: descriptors at their numbers, then login. Never returns. */
static noreturn void
become_login(const struct conn *c, int chan, const struct passwd *pw)
{
	const struct process_fd fds[] = {
		{ DIAGNOSTICS_FD, DIAGNOSTICS_FD },
		{ chan, CHANNEL_FD },
		{ log_fd(), LOG_FD },
	};
	struct process_env e = { 0 };
	char uid[ID_TEXT_SIZE], gid[ID_TEXT_SIZE];
	char name[] = "login", *argv[] = { name, uid, gid, NULL };

	snprintf(uid, sizeof uid, "%lu", (unsigned long)pw->pw_uid);
	snprintf(gid, sizeof gid, "%lu", (unsigned long)pw->pw_gid);
	if (make_env(c, &e) == 0
	    && process_place(fds, sizeof fds / sizeof fds[0]) == 0)
		process_exec(LOGIN_PATH, argv, process_env_done(&e));
	log_error("session=%s cannot start " LOGIN_PATH ": %s", c->session,
	    strerror(errno));
	_exit(EX_OSERR);
}

/* The account strangers run as; never root, whatever the configuration says. */
static const struct passwd *
service_account(const struct conn *c)
{
	const struct passwd *pw;

	process_deadline(c->conf.pam_timeout * 1000, "looking up service-user");
	pw = getpwnam(c->conf.service_user);
	process_deadline(0, NULL);
	if (pw != NULL && pw->pw_uid != 0 && pw->pw_gid != 0)
		return pw;
	log_error("service-user %s: no such account, or it is root's: create it "
	    "or name another", c->conf.service_user);
	errno = ENOENT;
	return NULL;
}

int
login_start(struct conn *c)
{
	const struct passwd *pw = service_account(c);
	int pair[2];

	if (pw == NULL
	    || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	c->login = fork();
	if (c->login == 0)
		become_login(c, pair[1], pw);
	close(pair[1]);
	c->chan = pair[0];
	return c->login < 0 ? -1 : 0;
}

void
login_end(struct conn *c)
{
	int status = 0;

	if (!process_ends(c->login, CONN_LINGER_MS, &status)) {
		log_error("session=%s login does not end: killed", c->session);
		kill(c->login, SIGKILL);
		while (waitpid(c->login, &status, 0) < 0 && errno == EINTR)
			continue;
	} else if (WIFSIGNALED(status)) {
		log_error("session=%s login ended by signal %d (%s)", c->session,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
	c->login = -1;
}
