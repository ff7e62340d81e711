/*
 * mailreeved: the master. Never reads a byte that a client sent.
 * Runs as: root.
 */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "master.h"
#include "process.h"
#include "version.h"

struct options {
	bool foreground, test, dump, version;
	const char *config;
	const char *inetd;		/* service of the listening socket at 0 */
};

static noreturn void
usage(void)
{
	fprintf(stderr, "usage: mailreeved [-Cftv] [-c file] "
	    "[-i imap|imaps|pop3|pop3s]\n");
	exit(EX_USAGE);
}

static struct options
read_options(int argc, char **argv)
{
	struct options o = { 0 };
	int c;

	while ((c = getopt(argc, argv, "Cftvc:i:")) != -1)
		switch (c) {
		case 'C':
			o.dump = true;
			break;
		case 'f':
			o.foreground = true;
			break;
		case 't':
			o.test = true;
			break;
		case 'v':
			o.version = true;
			break;
		case 'c':
			o.config = optarg;
			break;
		case 'i':
			o.inetd = optarg;
			break;
		default:
			usage();
		}
	if (optind < argc)
		usage();
	return o;
}

/* The relative path of a configuration file must survive the change to /. */
static const char *
absolute(const char *path)
{
	char *full = path == NULL ? NULL : realpath(path, NULL);

	return full != NULL ? full : path;
}

static int
dump_config(const struct config *conf)
{
	struct buf out = BUF_INIT(65536);
	int r = config_dump(conf, true, &out) < 0 || out.len == 0
	    || fwrite(out.data, out.len, 1, stdout) != 1 ? EX_OSERR : 0;

	buf_free(&out);
	return r;
}

/* What a person is told before the server is started. */
static unsigned
check_all(const struct config *conf, struct buf *why)
{
	unsigned problems = check_system(conf, why);

	return geteuid() != 0 ? problems : problems + check_files(conf, why);
}

/* What only looks at the configuration: never returns when there was any. */
static void
only_look(const struct options *o, struct master *m)
{
	struct buf why = BUF_INIT(8192);
	int status = 0;

	if (o->version)
		printf("mailreeved " MAILREEVE_VERSION "\n");
	if (!o->test && !o->dump) {
		if (o->version)
			exit(0);
		return;
	}
	if (master_load_config(m, &m->conf, &why) < 0
	    || (o->test && check_all(&m->conf, &why) > 0)) {
		struct bytes text = bytes_trim(buf_contents(&why));

		fprintf(stderr, "%.*s\n", (int)text.n, (const char *)text.p);
		status = EX_CONFIG;
	} else if (o->dump) {
		status = dump_config(&m->conf);
	} else {
		printf("the configuration is good%s\n", geteuid() == 0 ? ""
		    : "; what keys and secrets are like, only root can tell");
	}
	config_free(&m->conf);
	buf_free(&why);
	exit(status);
}

/* One descriptor for each connection that has not logged in yet, and ours. */
static void
raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* Sockets that are there already; 1 when there are, 0, or -1 with the cause. */
static int
inherit(const struct options *o, struct master *m, struct buf *why)
{
	const char *names;
	int n = process_inherited(&names);

	process_close_from(CHANNEL_FD + n);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	m->exit_when_idle = n > 0 || o->inetd != NULL;
	if (n > 0)
		return listeners_inherit(&m->listeners, n, names, why) < 0 ? -1 : 1;
	if (o->inetd != NULL)
		return listeners_from_inetd(&m->listeners, o->inetd, why) < 0 ? -1 : 1;
	return 0;
}

static void
open_log(const struct options *o)
{
	log_open("mailreeved");
	if (o->foreground && isatty(DIAGNOSTICS_FD))
		log_to_stderr(true);
}

/* Each line of why is a line of the log. */
static noreturn void
give_up(int status, const struct buf *why)
{
	struct bytes rest = bytes_trim(buf_contents(why));

	while (rest.n > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		log_error("%.*s", (int)line.n, (const char *)line.p);
	}
	exit(status);
}

/* Who asks for a reload before we serve does not end us: it waits until then. */
static void
hold_reload(void)
{
	sigset_t reload;

	sigemptyset(&reload);
	sigaddset(&reload, SIGHUP);
	sigprocmask(SIG_BLOCK, &reload, NULL);
}

/* Everything that can keep the server from working is found out here. */
static void
prepare(const struct options *o, struct master *m)
{
	struct buf why = BUF_INIT(8192);
	struct listeners none = { .n = 0 };
	int had = inherit(o, m, &why);

	open_log(o);
	if (had < 0)
		give_up(EX_USAGE, &why);
	if (geteuid() != 0)
		log_fatal(EX_NOPERM, "mailreeved must be started by root");
	if (master_load_config(m, &m->conf, &why) < 0
	    || check_system(&m->conf, &why) > 0)
		give_up(EX_CONFIG, &why);
	log_level(config_log_priority(&m->conf));
	raise_descriptor_limit();
	if (had == 0 && listeners_open(&m->listeners, &none, &m->conf, &why) < 0)
		give_up(EX_UNAVAILABLE, &why);
	m->pool.conf = m->pool.templates.conf = &m->conf;
	m->pool.templates.pam_watch = -1;
	TAILQ_INIT(&m->pool.lingerers);
	child_adopts();
	buf_free(&why);
}

/* Into the background, unless somebody keeps us in the foreground. */
static bool
detach(const struct options *o, struct master *m)
{
	struct buf why = BUF_INIT(1024);

	if (o->foreground || m->exit_when_idle)
		return false;
	daemon_start();
	if (pid_file_take(m->conf.pid_file, &why) < 0)
		log_fatal(EX_UNAVAILABLE, "%s", buf_string(&why));
	daemon_ready();
	buf_free(&why);
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct master m = { .config_path = absolute(o.config), .reserve = -1,
	    .status = -1 };
	char *pid_file;
	bool daemon;

	only_look(&o, &m);
	process_repair();
	hold_reload();
	prepare(&o, &m);
	daemon = detach(&o, &m);
	pid_file = strdup(m.conf.pid_file);
	log_info("mailreeved " MAILREEVE_VERSION " ready, %zu sockets",
	    m.listeners.n);
	master_serve(&m);
	if (daemon && pid_file != NULL)
		pid_file_remove(pid_file);
	free(pid_file);
	pool_free(&m.pool);
	listeners_close(&m.listeners);
	config_free(&m.conf);
	log_info("ended");
	return 0;
}
