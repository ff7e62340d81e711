/*
 * login: speaks to a client until it logged in.
 * Runs as: root until the cage is closed, before it met a client; then
 * _mailreeve.
 *
 *	login UID GID		one connection, started by conn
 *	login -m UID GID	the template of many, started by mailreeved
 */
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "control.h"
#include "ids.h"
#include "inherit.h"
#include "log.h"
#include "proxied.h"
#include "relay.h"
#include "release.h"
#include "sandbox.h"
#include "snapshot.h"
#include "template.h"

/* What needs files, and what is the same for every connection. */
static void
prepare(struct config *conf)
{
	config_start(conf);
	if (tls_prepare() < 0)
		log_fatal(EX_OSERR, "OpenSSL does not work");
	tzset();			/* forks only look whether the zone is another */
}

/* Also every fork of a template closes its own. */
static void
enter_cage(const struct config *conf, uid_t uid, gid_t gid)
{
	if (sandbox_login(conf->login_root, uid, gid) < 0)
		log_fatal(EX_OSERR, "cannot enter the cage %s: %m",
		    conf->login_root);
}

static void
load_tls(const struct config *conf, int link)
{
	const char *why = NULL;

	if (link >= 0 && tls_load(link, conf->tls_minimum, &why) < 0 && why != NULL)
		log_error("no TLS: %s", why);
}

/* A template has made it. */
static void
make_tls(struct login *l, bool made)
{
	struct buf pem = BUF_INIT(CHAN_PEM_MAX);

	l->link = -1;
	if (!made) {
		l->link = ask_signer();
		load_tls(l->conf, l->link);
		l->tls = tls_new();
	}
	if (l->tls != NULL && l->conf->tls_client_ca[0] != '\0'
	    && (ask_client_ca(&pem) < 0
	    || tls_client_ca(l->tls, buf_contents(&pem)) < 0))
		log_error("%s: no certificates there: EXTERNAL is off",
		    l->conf->tls_client_ca);
	buf_free(&pem);
}

/* The template's own link is where a connection has its channel. */
static enum template_end
be_template(struct login *l)
{
	load_tls(l->conf, CHANNEL_FD);
	tls_warm(CHANNEL_FD);
	l->tls = tls_new();
	settle_memory();
	close(CHANNEL_FD);
	snapshot_take();
	inherit_code();
	return template_serve();
}

/* What comes before the first word. */
static enum ending
begin(struct login *l, bool behind_proxy, bool *heard)
{
	enum ending e = behind_proxy ? proxied(l, heard) : END_QUIET;

	if (e != END_QUIET || !l->service->tls)
		return e;
	*heard = false;
	if (l->tls == NULL) {
		log_error("no-tls: rip=%s proto=%s session=%s why=\"no certificate "
		    "or key fit for use\"", l->remote, l->service->name, l->name);
		return END_UNAVAILABLE;
	}
	return login_start_tls(l) < 0 ? END_GARBAGE : END_QUIET;
}

static enum outcome
converse(struct login *l, bool behind_proxy)
{
	bool imap, heard = true;
	enum ending e = begin(l, behind_proxy, &heard);

	imap = l->service->imap;
	if (e == END_QUIET)
		return imap ? imap_login(l) : pop3_login(l);
	if (heard && imap)
		imap_goodbye(l, e);
	else if (heard)
		pop3_goodbye(l, e);
	return OUT_CLOSE;
}

static void
serve(struct login *l, int client, bool behind_proxy)
{
	enum outcome o;

	wire_init(&l->wire, client, clock_ms() + l->conf->login_timeout * 1000);
	l->wire.conn = CHANNEL_FD;
	o = converse(l, behind_proxy);
	login_wipe(l);
	buf_free(&l->command);
	arena_free(&l->arena);
	/* In the clear the session has the socket itself, and all that is in it. */
	if (o == OUT_LOGGED_IN && l->wire.tls == NULL)
		return;
	if (o == OUT_LOGGED_IN)
		relay(l->wire.tls, client, CHANNEL_FD,
		    l->conf->write_timeout * 1000);
	/* Also for who is gone: perhaps it only stopped sending. */
	wire_close(&l->wire);
}

int
main(int argc, char **argv)
{
	struct config conf;
	struct login l = {
		.conf = &conf,
		.name = "-",
		.command = BUF_INIT(2 * COMMAND_MAX + SASL_LINE_MAX),
		.arena = ARENA_INIT(4 * COMMAND_MAX + SASL_LINE_MAX),
	};
	bool template = argc > 1 && strcmp(argv[1], CONTROL_OPTION) == 0;
	enum template_end end = TEMPLATE_CHILD;
	bool behind_proxy;
	int client;

	log_inherit("mailreeve-login");
	if (argc != 3 + template)
		log_fatal(EX_USAGE, "login is started by conn: "
		    "see mailreeve-privsep(7)");
	prepare(&conf);
	if (template)
		end = be_template(&l);
	if (end != TEMPLATE_CHILD)
		return end == TEMPLATE_PROBED ? EX_SOFTWARE : 0;
	enter_cage(&conf, ids_number(argv[argc - 2]), ids_number(argv[argc - 1]));
	if (ask_hello(&l) < 0)
		return EX_UNAVAILABLE;
	make_tls(&l, template);
	if (ask_client(&l, &client, &behind_proxy) < 0)
		return 0;
	serve(&l, client, behind_proxy);
	/*
	 * All goes with the process: libcrypto would take everything apart that
	 * the template has built, and the connection.
	 */
	_exit(0);
}
