/*
 * conn: one connection, from its first moment until it is a session.
 * Runs as: root.
 *
 *	conn imap|imaps|pop3|pop3s	started by inetd and its kin, client at 0/1
 *	conn -m				started by mailreeved: the template of many
 *					connections, whose clients come later
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "conn.h"
#include "control.h"
#include "ids.h"
#include "inherit.h"
#include "process.h"
#include "refuse.h"
#include "siblings.h"

/* What every connection will need of PAM and NSS is loaded once. */
static void
preload(const struct conn *c)
{
	process_deadline(c->conf.pam_timeout * 1000, "loading PAM and NSS");
	pam_preload(&c->conf);
	ids_preload(c->conf.service_user);
	inherit_code();
	process_deadline(0, NULL);
}

/* Descriptors as each starter leaves them: the client at 0 and 1, a log. */
static void
take_descriptors(bool master)
{
	const char *names;

	/* systemd without StandardInput=socket: one connected socket at 3. */
	if (!master && process_inherited(&names) == 1
	    && (dup2(3, CLIENT_IN_FD) < 0 || dup2(3, CLIENT_OUT_FD) < 0))
		_exit(EX_OSERR);
	process_close_from(master ? LOGIN_DOOR_FD + 1 : CHANNEL_FD);
	log_patience(CONN_LOG_MS);
	if (master)
		log_inherit("mailreeve-conn");
	else
		log_open("mailreeve-conn");
}

/* The connection's life; the exit status. */
static int
converse(struct conn *c)
{
	struct entry entry = { 0 };
	int r;

	if (requests_serve(c, &entry) == 0)
		return session_begin(c, &entry) < 0 ? EX_OSERR : 0;
	r = errno == EPIPE ? 0 : EX_PROTOCOL;
	/* login never came as far as to a client that is here. */
	if (!c->given && c->client >= 0)
		refuse_client(c->client, c->service, NO_MEANS);
	close(c->chan);
	login_end(c);
	return r;
}

static int
begin(struct conn *c)
{
	log_name_session(c->session);
	if (login_start(c) == 0)
		return converse(c);
	log_error("session=%s cannot start login: %s", c->session,
	    strerror(errno));
	if (c->client >= 0)
		refuse_client(c->client, c->service, NO_MEANS);
	return EX_OSERR;
}

int
main(int argc, char **argv)
{
	struct conn c = { .run_dir = RUN_DIR, .control = -1, .login_door = -1,
	    .signer_door = -1, .link = -1, .client = -1 };
	bool master = argc == 2 && strcmp(argv[1], CONTROL_OPTION) == 0;
	int r;

	process_repair();
	/* A diagnostics pipe that broke is no reason to end a connection. */
	signal(SIGPIPE, SIG_IGN);
	take_descriptors(master);
	if (argc != 2 || (!master && service_by_name(argv[1], &c.service) < 0))
		log_fatal(EX_USAGE, "usage: conn imap|imaps|pop3|pop3s: "
		    "see mailreeve-conn(8)");
	config_start(&c.conf);
	if (process_clean_env() < 0)
		log_fatal(EX_OSERR, "environment: %s", strerror(errno));
	if (master) {
		preload(&c);
		c.login_door = LOGIN_DOOR_FD;
		c.signer_door = SIGNER_DOOR_FD;
		c.control = siblings_serve(DOOR_FD, "conn");
		if (c.control < 0)
			return 0;
	} else if (client_from_stdin(&c) < 0)
		log_fatal(EX_USAGE, "standard input is no connected socket (%s): "
		    "conn is started by inetd, xinetd, systemd or tcpserver",
		    strerror(errno));
	r = begin(&c);
	config_free(&c.conf);
	return r;
}
