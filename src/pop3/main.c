/*
 * pop3: a POP3 session after login, started by conn, or by hand by a user for
 * mail of their own.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "log.h"
#include "sandbox.h"
#include "session.h"
#include "visit.h"

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

static void
log_end(const struct session *s, const struct visit *v)
{
	char counts[96];

	snprintf(counts, sizeof counts, "retr=%llu top=%llu deleted=%llu ",
	    (unsigned long long)s->tally.retr,
	    (unsigned long long)s->tally.top,
	    (unsigned long long)s->tally.deleted);
	visit_end(v, s->end_reason, counts, s->stream.in_total,
	    s->stream.out_total);
}

/* Login says so when the client sent UTF8; who starts us has chosen us. */
static void
take_tag(struct session *s, const char *tag)
{
	struct bytes rest = bytes_of(tag), whole = rest;

	s->drop.utf8 = bytes_equal(bytes_split(&rest, ' '), BYTES("UTF8"));
	s->mechanisms = s->drop.utf8 ? rest : whole;
}

static void
serve(struct session *s, const struct visit *v)
{
	const struct mail_owner who = { .name = v->user, .home = v->home };
	struct mail *mail;

	stream_init(&s->stream, CLIENT_IN_FD, CLIENT_OUT_FD);
	s->stream.write_timeout = s->conf->write_timeout * 1000;
	s->stream.stop_fd = v->stop_fd;
	s->home = v->home;
	s->after_login = v->tag != NULL;
	s->drop.read_only = v->read_only;
	take_tag(s, v->tag == NULL ? "UTF8" : v->tag);
	if (open_mail(s->conf, &who, &mail) < 0) {
		session_refuse(s, errno);
	} else {
		session_run(s, mail);
		mail_close(mail);
	}
	log_end(s, v);
	stream_free(&s->stream);
}

int
main(void)
{
	struct config conf;
	struct session s = { .conf = &conf };
	struct visit v;

	if (visit_begin(&v, "pop3") < 0)
		log_fatal(EX_NOUSER, "cannot begin: %s", strerror(errno));
	config_start(&conf);
	serve(&s, &v);
	visit_await_relay(&v, VISIT_REST_MS(conf.write_timeout));
	return EX_OK;
}
