/*
 * The templates that connections are forked from, of login and of conn, and the
 * signer that they need.
 * Runs as: root.
 *
 * Templates are executed anew when either ends, when the configuration was read
 * again, when that of PAM has changed, which conn's has read, and for a new
 * signer: conn's holds the doors of the others. A new signer is started when the
 * files of TLS have changed, or the secret of session tickets has had its time;
 * it takes the place of the old one only when it says that its keys are good.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "pamfiles.h"
#include "program.h"
#include "signer.h"
#include "tickets.h"
#include "tlsfiles.h"

#define LOOK_MS 20000		/* between looks at the files of TLS */
#define FEW_DAYS 7		/* that a certificate has left */
#define RETRY_MS 1000		/* after a template that did not last so long */
#define FORK_MS 10000		/* for a fork; the template may only just have begun */

/* Both ends of the door and the process: 0 in that, as of fork(2). */
static pid_t
split(struct template *t, int *door)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	t->pid = fork();
	error = errno;
	if (t->pid == 0) {
		*door = pair[1];
		return 0;
	}
	close(pair[1]);
	if (t->pid > 0)
		t->door = pair[0];
	else
		close(pair[0]);
	errno = error;
	return t->pid;
}

/* Its forks live on; it ends when nobody can ask it any more. */
static void
drop(struct template *t)
{
	if (t->pid > 0)
		close(t->door);
	t->pid = 0;
}

static int
start_signer(struct templates *t, struct template *signer)
{
	const struct passwd *pw = program_account(t->conf);
	struct process_fd door = { .number = DOOR_FD };

	t->look_at = clock_ms() + LOOK_MS;
	t->rotate_at = clock_ms() + TICKET_ROTATE_SECONDS * (uint64_t)1000;
	t->stamp = tlsfiles_stamp(t->conf);
	if (signer == &t->signer)
		t->heard = false;
	drop(signer);
	if (pw == NULL)
		return -1;
	if (split(signer, &door.fd) == 0)
		program_become_caged(t->conf, PROGRAM_PATH("signer"), NULL, pw,
		    &door, 1);
	return signer->pid;
}

/* It learns by a link of its own which certificates there are. */
static int
start_login(struct templates *t)
{
	const struct passwd *pw = program_account(t->conf);
	struct process_fd fds[] = {
		{ .number = DOOR_FD }, { -1, CHANNEL_FD },
	};
	pid_t pid;

	if (pw == NULL)
		return -1;
	if (t->signer.pid > 0)
		fds[1].fd = signer_link(t->conf, t->signer.door, SIGNER_DOOR_MS);
	pid = split(&t->login, &fds[0].fd);
	if (pid == 0)
		program_become_caged(t->conf, PROGRAM_PATH("login"),
		    CONTROL_OPTION, pw, fds, sizeof fds / sizeof fds[0]);
	if (fds[1].fd >= 0)
		close(fds[1].fd);
	return pid;
}

static int
start_conn(struct templates *t)
{
	char name[] = "conn", option[] = CONTROL_OPTION;
	char *argv[] = { name, option, NULL };
	struct process_fd doors[] = {
		{ .number = DOOR_FD }, { t->login.door, LOGIN_DOOR_FD },
		{ t->signer.pid > 0 ? t->signer.door : -1, SIGNER_DOOR_FD },
	};

	if (t->pam_watch >= 0)
		close(t->pam_watch);
	t->pam_watch = pamfiles_watch();
	if (split(&t->conn, &doors[0].fd) == 0)
		program_become(t->conf, PROGRAM_PATH("conn"), argv, doors,
		    sizeof doors / sizeof doors[0]);
	return t->conn.pid;
}

/* The signer stays, and so do its keys. */
static void
drop_forkers(struct templates *t)
{
	drop(&t->conn);
	drop(&t->login);
}

void
templates_drop(struct templates *t)
{
	drop_forkers(t);
	t->again_at = 0;
}

void
templates_kill(struct templates *t)
{
	struct template *both[] = { &t->conn, &t->login };

	for (size_t i = 0; i < 2; i++) {
		if (both[i]->pid > 0)
			kill(both[i]->pid, SIGKILL);
		drop(both[i]);
	}
}

void
templates_renew(struct templates *t)
{
	templates_drop(t);
	t->look_at = t->rotate_at = 0;
}

void
templates_free(struct templates *t)
{
	drop_forkers(t);
	drop(&t->signer);
	drop(&t->next);
	probe_end(&t->probe);
}

/* The very first, or in the place of one that died. Its keys may be bad yet. */
static int
make_signer(struct templates *t)
{
	if (t->next.pid == 0)
		return t->no_keys ? 0 : start_signer(t, &t->signer);
	t->signer = t->next;
	t->next.pid = 0;
	t->heard = false;
	return 0;
}

/* The templates run, as far as we know. */
static int
make_ready(struct templates *t)
{
	if (t->conn.pid > 0 && t->login.pid > 0)
		return 0;
	drop_forkers(t);
	if (clock_ms() < t->again_at) {
		errno = EAGAIN;
		return -1;
	}
	t->again_at = clock_ms() + RETRY_MS;
	if (t->signer.pid == 0 && make_signer(t) < 0)
		return -1;
	return start_login(t) < 0 || start_conn(t) < 0 ? -1 : 0;
}

pid_t
templates_fork(struct templates *t, int control)
{
	uint64_t deadline = clock_ms() + FORK_MS;
	char word = 0;
	int32_t pid;

	if (make_ready(t) < 0)
		return -1;
	if (chan_send_fd(t->conn.door, &word, sizeof word, control, deadline) == 0
	    && chan_recv(t->conn.door, &pid, sizeof pid, deadline) == 0) {
		int error = pid < 0 ? EAGAIN : 0;

		if (t->signer.pid > 0 && t->heard)
			probe_ask(&t->probe, t->signer.pid, t->signer.door);
		errno = error;
		return pid;
	}
	templates_kill(t);
	return -1;
}

/* ---- the signer ---- */

int
templates_look(struct templates *t)
{
	uint64_t now = clock_ms();

	if (now < t->look_at)
		return (int)(t->look_at - now);
	t->look_at = now + LOOK_MS;
	/* Until then its forks see it, and use nothing that it has read. */
	if (t->pam_watch >= 0 && pamfiles_changed(t->pam_watch))
		templates_drop(t);
	if (now >= t->rotate_at || tlsfiles_stamp(t->conf) != t->stamp) {
		t->no_keys = false;
		if (start_signer(t, &t->next) < 0)
			log_error("cannot start the signer: %s", strerror(errno));
	}
	return LOOK_MS;
}

struct template *
templates_awaited(struct templates *t)
{
	return t->next.pid > 0 ? &t->next
	    : t->signer.pid > 0 && !t->heard ? &t->signer : NULL;
}

static void
report_keys(const struct sign_ready *ready)
{
	log_line(ready->days < FEW_DAYS ? LOG_WARNING : LOG_INFO,
	    "keys read: certificates=%u days-left=%u", ready->certificates,
	    ready->days);
}

bool
templates_heard(struct templates *t)
{
	struct template *from = templates_awaited(t);
	struct sign_ready ready;

	if (from == NULL)
		return false;
	if (chan_recv(from->door, &ready, sizeof ready, clock_ms()) < 0) {
		/* It ends: what the log says of the cause comes from itself. */
		if (from == &t->next && t->signer.pid > 0)
			log_error("the old keys of TLS stay in use");
		drop(from);
		t->no_keys = t->signer.pid == 0;
		return false;
	}
	report_keys(&ready);
	t->keys = ready;
	t->heard = true;
	if (from == &t->signer)
		return false;
	drop(&t->signer);
	t->signer = t->next;
	t->next.pid = 0;
	templates_drop(t);
	return true;
}

/* ---- ends ---- */

bool
templates_reaped(struct templates *t, pid_t pid, int status)
{
	struct template *all[] = { &t->conn, &t->login, &t->signer, &t->next };
	struct template *which = NULL;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i]->pid == pid)
			which = all[i];
	if (pid == t->probe.signer)
		probe_end(&t->probe);
	if (which == NULL)
		return false;
	/* It says itself why it went, unless it could not. */
	if (WIFSIGNALED(status))
		log_warn("a template ended by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	/* The template of login makes way for a new one: at once. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_SOFTWARE)
		t->again_at = 0;
	if (which == &t->next || (which == &t->signer && !t->heard)) {
		(void)templates_heard(t);
		return true;
	}
	drop(which);
	drop_forkers(t);
	return true;
}
