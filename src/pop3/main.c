/*
 * pop3: a POP3 session after login, started by conn, or by hand by a user for
 * mail of their own.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "session.h"

static int stop_pipe[2];

/* SIGTERM ends waiting, not the update state. */
static void
on_term(int sig)
{
	int saved = errno;

	(void)sig;
	/* Full: then it was said already. */
	if (write(stop_pipe[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

static int
prepare_signals(struct stream *stream)
{
	struct sigaction term = { .sa_handler = on_term, .sa_flags = SA_RESTART };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0
	    || sigaction(SIGTERM, &term, NULL) < 0
	    || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	stream->stop_fd = stop_pipe[0];
	return 0;
}

/*
 * conn says who it is; by hand it is who runs us, at home where the environment
 * says.
 */
static int
find_owner(struct mail_owner *who)
{
	const struct passwd *pw;

	who->name = getenv("LOGNAME");
	who->home = getenv("HOME");
	if (who->name == NULL || who->home == NULL) {
		pw = getpwuid(getuid());
		if (pw == NULL)
			return -1;
		who->name = strdup(pw->pw_name);
		who->home = strdup(pw->pw_dir);
	}
	return who->name != NULL && who->home != NULL ? 0 : -1;
}

/* Into the cage first, then to the mail. */
static int
open_mail(const struct config *conf, const struct mail_owner *who,
    struct mail **mail)
{
	char *paths[MAIL_ROOTS_MAX];	/* not freed: once for the session */
	int n = mail_roots(conf, who, paths);

	if (n < 0 || sandbox_session(paths, (size_t)n) < 0)
		return -1;
	return mail_open(conf, who, mail);
}

static const char *
env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value == NULL ? otherwise : value;
}

static void
log_end(const struct session *s, const struct mail_owner *who)
{
	log_info("logout user=%s remote=%s session=%s reason=%s retr=%llu "
	    "top=%llu deleted=%llu sent=%llu received=%llu",
	    log_quote(bytes_of(who->name)),
	    log_quote(bytes_of(env_or("MAILREEVE_REMOTE", "local"))),
	    log_quote(bytes_of(env_or("MAILREEVE_SESSION", "-"))),
	    s->end_reason, (unsigned long long)s->tally.retr,
	    (unsigned long long)s->tally.top,
	    (unsigned long long)s->tally.deleted,
	    (unsigned long long)s->stream.out_total,
	    (unsigned long long)s->stream.in_total);
}

static void
serve(struct session *s, const struct mail_owner *who)
{
	struct mail *mail;

	if (open_mail(s->conf, who, &mail) < 0) {
		session_refuse(s, errno);
	} else {
		session_run(s, mail);
		mail_close(mail);
	}
	log_end(s, who);
	stream_free(&s->stream);
}

int
main(void)
{
	static struct config conf;
	struct buf why = BUF_INIT(4096);
	struct session s = { .conf = &conf };
	struct mail_owner who;

	log_inherit("pop3");
	if (config_inherit(&conf, &why) < 0)
		log_fatal(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	log_level(config_log_priority(&conf));
	if (find_owner(&who) < 0)
		log_fatal(EX_NOUSER, "uid %d has no account", (int)getuid());
	stream_init(&s.stream, CLIENT_IN_FD, CLIENT_OUT_FD);
	s.stream.write_timeout = conf.write_timeout * 1000;
	s.after_login = getenv("MAILREEVE_TAG") != NULL;
	if (prepare_signals(&s.stream) < 0)
		log_fatal(EX_OSERR, "cannot begin: %s", strerror(errno));
	serve(&s, &who);
	return EX_OK;
}
