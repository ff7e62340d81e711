/*
 * imap: an IMAP session after login, started by conn, or by hand by a user for
 * mail of their own.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "limits.h"
#include "log.h"
#include "sandbox.h"
#include "session.h"
#include "visit.h"

/* Into the cage first, then to the mail. */
static int
open_mail(struct session *s, const struct mail_owner *who)
{
	char *paths[MAIL_ROOTS_MAX];
	int n = mail_roots(s->conf, who, paths), r;

	if (n < 0)
		return -1;
	r = sandbox_session(paths, (size_t)n);
	for (int i = 0; i < n; i++)
		free(paths[i]);
	return r < 0 ? -1 : mail_open(s->conf, who, &s->mail);
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
refuse(struct session *s, struct bytes tag, const char *home, int error)
{
	static const struct response_code unavailable = { .code = CODE_UNAVAILABLE };

	log_error("cannot open mail: home %s: %s", log_quote(bytes_of(home)),
	    strerror(error));
	if (tag.n > 0)
		put_condition(&s->out, tag, "NO", &unavailable,
		    "The mail cannot be opened");
	put_condition(&s->out, BYTES(""), "BYE", &unavailable,
	    "The mail cannot be opened; see the server's log");
	stream_flush(&s->stream);
	s->end_reason = "error";
}

/* A tag that is none would break the client's parser: then it is left out. */
static struct bytes
login_tag(const struct visit *v)
{
	struct lex x = { .rest = bytes_of(v->tag == NULL ? "" : v->tag) };
	struct bytes tag = { 0 };

	return lex_tag(&x, &tag) == 0 && lex_end(&x) == 0 ? tag : BYTES("");
}

static void
serve(struct session *s, const struct visit *v)
{
	const struct mail_owner who = { .name = v->user, .home = v->home };
	struct bytes tag = login_tag(v);

	stream_init(&s->stream, CLIENT_IN_FD, CLIENT_OUT_FD);
	s->stream.write_timeout = s->conf->write_timeout * 1000;
	s->stream.stop_fd = v->stop_fd;
	s->read_only = v->read_only;
	s->out.out = &s->stream;
	if (open_mail(s, &who) < 0) {
		refuse(s, tag, v->home, errno);
	} else {
		greet(s, tag);
		session_loop(s);
		mail_close(s->mail);
	}
	visit_end(v, s->end_reason == NULL ? "?" : s->end_reason, "",
	    s->stream.in_total, s->stream.out_total);
	stream_free(&s->stream);
	arena_free(&s->arena);
	buf_free(&s->command);
}

int
main(void)
{
	static struct config conf;	/* its strings are never freed */
	struct session s = {
		.conf = &conf,
		.state = STATE_AUTH,
		.arena = ARENA_INIT(COMMAND_ARENA_MAX),
		.command = BUF_INIT(LEX_COMMAND_MAX),
	};
	struct visit v;

	if (visit_begin(&v, "imap") < 0)
		log_fatal(EX_NOUSER, "cannot begin: %s", strerror(errno));
	config_start(&conf);
	serve(&s, &v);
	visit_await_relay(&v, VISIT_REST_MS(conf.write_timeout));
	return EX_OK;
}
