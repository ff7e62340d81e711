/*
 * Becomes the session of the user who logged in.
 * Runs as: root, then as that user, for ever.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "conn.h"
#include "ids.h"
#include "process.h"
#include "refuse.h"
#include "shrink.h"
#include "visit.h"

#define SESSION_PATH "/usr/local/bin:/usr/bin:/bin"

/* Without a master nobody else sees that it ends. */
static bool
own_relay(const struct conn *c, const struct entry *e)
{
	return e->tls && c->login_pid > 0;
}

static int
make_env(const struct conn *c, const struct entry *e, struct process_env *env)
{
	struct buf conf = BUF_INIT(65536);
	const char *text = config_dump(&c->conf, false, &conf) < 0 ? NULL
	    : buf_string(&conf);
	char remote[NETADDR_TEXT_MAX];

	if (text == NULL)
		return -1;
	netaddr_text_port(&c->remote, remote);
	process_env_add(env, "HOME", e->who.home);
	process_env_add(env, "USER", e->who.user);
	process_env_add(env, "LOGNAME", e->who.user);
	process_env_begin(env, SESSION_PATH);
	process_env_add(env, "LANG", "C.UTF-8");
	process_env_copy(env, "TZ");
	process_env_add(env, CONFIG_ENV, text);
	process_env_add(env, "MAILREEVE_TAG", e->tag);
	process_env_add(env, "MAILREEVE_REMOTE", remote);
	process_env_add(env, "MAILREEVE_SESSION", c->session);
	if (e->tls)
		process_env_add(env, "MAILREEVE_TLS", "1");
	if (own_relay(c, e))
		process_env_add(env, "MAILREEVE_RELAY", "1");
	if (e->read_only)
		process_env_add(env, "MAILREEVE_READ_ONLY", "1");
	buf_free(&conf);
	return process_env_done(env) == NULL ? -1 : 0;
}

/* With TLS the session talks through login, else to the client itself. */
static int
place(const struct conn *c, const struct entry *e)
{
	int stream = e->tls ? c->chan : c->client;
	bool relay = own_relay(c, e);
	const struct process_fd fds[] = {
		{ stream, CLIENT_IN_FD }, { stream, CLIENT_OUT_FD },
		{ DIAGNOSTICS_FD, DIAGNOSTICS_FD }, { log_fd(), LOG_FD },
		{ relay ? c->login : -1, VISIT_RELAY_FD },
		{ relay ? c->leash[0] : -1, VISIT_LEASH_FD },
		{ relay ? c->leash[1] : -1, VISIT_LEASH_FD + 1 },
	};

	return process_place(fds, sizeof fds / sizeof fds[0]);
}

/* Returns only when it failed, as whoever it is by then: the process must end. */
static int
become(const struct conn *c, const struct entry *e)
{
	const char *program = service_facts[c->service].session;
	struct process_env env = { 0 };
	char path[CONFIG_VALUE_MAX], name[16];
	char *argv[] = { name, NULL };

	snprintf(path, sizeof path, LIBEXECDIR "/%s", program);
	snprintf(name, sizeof name, "%s", program);
	log_part();
	if (make_env(c, e, &env) == 0 && place(c, e) == 0
	    && ids_drop(e->who.uid, e->who.gid) == 0)
		process_exec(path, argv, process_env_done(&env));
	log_error("session=%s cannot become %s as uid %lu: %s", c->session, path,
	    (unsigned long)e->who.uid, strerror(errno));
	refuse_stream(CLIENT_OUT_FD, c->service, NO_MEANS);
	if (own_relay(c, e) && shutdown(CLIENT_OUT_FD, SHUT_WR) == 0)
		(void)child_ends(VISIT_RELAY_FD, CONN_LINGER_MS);
	return -1;
}

/* Stays behind as root, with nothing but PAM's handle, to close the session. */
static int
stay(struct conn *c, const struct entry *e)
{
	pid_t visit = process_attended();

	if (visit == 0)
		_exit(become(c, e) < 0 ? EX_OSERR : 0);
	close(c->client);
	close(c->chan);
	shrink_process();
	if (visit > 0)
		process_await(visit);
	process_deadline(c->conf.pam_timeout * 1000, "closing the PAM session");
	pam_leave();
	process_deadline(0, NULL);
	return visit < 0 ? -1 : 0;
}

int
session_begin(struct conn *c, const struct entry *e)
{
	if (!e->tls)
		login_end(c);
	if (c->signer_door >= 0)
		close(c->signer_door);
	if (c->link >= 0)
		close(c->link);
	if (c->control >= 0 && !c->conf.pam_session)
		close(c->control);
	if (c->conf.pam_session)
		return stay(c, e);
	pam_forget();
	return become(c, e);
}
