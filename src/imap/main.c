/*
 * imap: one IMAP session, on descriptors 0 and 1, as the owner of the mail.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "limits.h"
#include "log.h"
#include "sandbox.h"
#include "session.h"

static int stop_pipe[2];

static void
on_term(int signal_number)
{
	int error = errno;

	(void)signal_number;
	(void)!write(stop_pipe[1], "", 1);
	errno = error;
}

/* SIGTERM makes a descriptor readable that the stream waits for as well. */
static void
catch_signals(void)
{
	struct sigaction term = { .sa_handler = on_term };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		log_fatal(EX_OSERR, "pipe: %s", strerror(errno));
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_DFL);
}

/* Started by conn, HOME and USER are there; by hand they may be missing. */
static void
find_owner(struct mail_owner *owner)
{
	const struct passwd *pw;

	owner->home = getenv("HOME");
	owner->name = getenv("USER");
	if (owner->home != NULL && owner->home[0] == '/' && owner->name != NULL)
		return;
	pw = getpwuid(getuid());
	if (pw == NULL)
		log_fatal(EX_NOUSER, "no account has uid %u", (unsigned)getuid());
	owner->home = strdup(pw->pw_dir);
	owner->name = strdup(pw->pw_name);
	if (owner->home == NULL || owner->name == NULL)
		log_fatal(EX_OSERR, "out of memory");
}

static void
enter_sandbox(const struct config *conf, const struct mail_owner *owner)
{
	char *paths[MAIL_ROOTS_MAX];
	int n = mail_roots(conf, owner, paths);

	if (n < 0)
		log_fatal(EX_TEMPFAIL, "cannot find the mail of %s: %s",
		    owner->name, strerror(errno));
	if (sandbox_session(paths, (size_t)n) < 0)
		log_fatal(EX_OSERR, "sandbox: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		free(paths[i]);
}

/*
 * The answer to the command that logged in, whose tag came with us, or the
 * greeting of a session that a user started for himself.
 */
static void
greet(struct session *s, struct bytes tag)
{
	put_condition_begin(&s->out, tag, tag.n > 0 ? "OK" : "PREAUTH");
	put_code_open(&s->out, CODE_CAPABILITY);
	put_capabilities(s);
	put_code_close(&s->out);
	put_text(&s->out, tag.n > 0 ? "Logged in" : "Mailreeve is ready");
	put_end(&s->out);
}

static void
refuse(struct session *s, struct bytes tag, int error)
{
	static const struct response_code unavailable = { .code = CODE_UNAVAILABLE };

	log_error("cannot open mail: %s", strerror(error));
	if (tag.n > 0)
		put_condition(&s->out, tag, "NO", &unavailable,
		    "The mail cannot be opened");
	put_condition(&s->out, BYTES(""), "BYE", &unavailable,
	    "The mail cannot be opened; see the server's log");
	stream_flush(&s->stream);
}

/* A tag that is none would break the client's parser: then it is left out. */
static struct bytes
login_tag(void)
{
	const char *tag = getenv("MAILREEVE_TAG");
	struct lex x = { .rest = bytes_of(tag == NULL ? "" : tag) };
	struct bytes out = { 0 };

	if (lex_tag(&x, &out) < 0 || lex_end(&x) < 0)
		out = (struct bytes){ 0 };
	return out;
}

static void
log_end(const struct session *s, const struct mail_owner *owner)
{
	log_info("end user=%s reason=%s in=%llu out=%llu",
	    log_quote(bytes_of(owner->name)),
	    log_quote(bytes_of(s->end_reason == NULL ? "?" : s->end_reason)),
	    (unsigned long long)s->stream.in_total,
	    (unsigned long long)s->stream.out_total);
}

static int
serve(const struct config *conf, const struct mail_owner *owner)
{
	struct session s = {
		.conf = conf,
		.state = STATE_AUTH,
		.arena = ARENA_INIT(COMMAND_ARENA_MAX),
		.command = BUF_INIT(LEX_COMMAND_MAX),
	};
	struct bytes tag = login_tag();

	stream_init(&s.stream, CLIENT_IN_FD, CLIENT_OUT_FD);
	s.stream.write_timeout = conf->write_timeout * 1000;
	s.stream.stop_fd = stop_pipe[0];
	s.out.out = &s.stream;
	if (mail_open(conf, owner, &s.mail) < 0) {
		refuse(&s, tag, errno);
		return EX_TEMPFAIL;
	}
	greet(&s, tag);
	session_loop(&s);
	mail_close(s.mail);
	log_end(&s, owner);
	return EX_OK;
}

int
main(void)
{
	struct config conf;
	struct mail_owner owner;
	struct buf why = BUF_INIT(4096);

	if (getenv("MAILREEVE_SESSION") != NULL)
		log_inherit("imap");
	else
		log_open("imap");
	if (config_inherit(&conf, &why) < 0)
		log_fatal(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	log_level(config_log_priority(&conf));
	catch_signals();
	find_owner(&owner);
	enter_sandbox(&conf, &owner);
	return serve(&conf, &owner);
}
