/*
 * What IMAP and POP3 have in common before login.
 * Runs as: _mailreeve.
 */
#include <errno.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "foreign.h"
#include "log.h"
#include "login.h"
#include "mechanisms.h"

bool
login_private(const struct login *l)
{
	if (l->wire.tls != NULL || l->proxy_tls)
		return true;
	return l->conf->cleartext_login == TRI_YES
	    || (l->conf->cleartext_login == TRI_LOCAL && l->local);
}

bool
login_password(const struct login *l)
{
	return login_private(l) && mechanism_on(l->conf, MECHANISM_PLAIN);
}

bool
login_can_start_tls(const struct login *l)
{
	return l->tls != NULL;
}

/* Its client is not told that EXTERNAL is for others; administrators may wonder. */
static void
say_client(const struct login *l)
{
	const char *why = tls_client_why(l->wire.tls);

	if (why != NULL)
		log_info("certificate-refused: rip=%s proto=%s session=%s why=\"%s\"",
		    l->remote, l->service->name, l->name, why);
}

int
login_start_tls(struct login *l)
{
	struct tls *t = l->tls;
	const char *why;
	int r;

	/* RFC 9051 section 6.2.1: what was said in the clear is forgotten. */
	l->client[0] = '\0';
	l->tls = NULL;
	if (l->link < 0)
		l->link = ask_signer();
	r = tls_accept(t, l->wire.fd, l->link, l->service->session,
	    l->wire.deadline, &why);
	if (l->link >= 0)
		close(l->link);
	if (r == 0) {
		l->wire.tls = t;
		say_client(l);
		return 0;
	}
	tls_free(t);
	/* Who only looks whether the port is open is not worth a line. */
	if (why != NULL)
		log_info("tls-failed: rip=%s proto=%s session=%s why=\"%s\"",
		    l->remote, l->service->name, l->name, why);
	return -1;
}

void
login_note(struct login *l, struct bytes text)
{
	size_t have = strlen(l->client);

	if (have > 0 && have < CLIENT_TEXT_MAX)
		l->client[have++] = '/';
	for (size_t i = 0; i < text.n && have < CLIENT_TEXT_MAX; i++)
		l->client[have++] = text.p[i] > ' ' && text.p[i] < 0x7f
		    ? (char)text.p[i] : '_';
	l->client[have] = '\0';
}

void
login_wipe(struct login *l)
{
	if (l->command.data != NULL)
		explicit_bzero(l->command.data, l->command.cap);
	buf_clear(&l->command);
	arena_wipe(&l->arena);
}

void
login_complain(const struct login *l, const char *what)
{
	log_info("bad-input: rip=%s proto=%s session=%s why=%s", l->remote,
	    l->service->name, l->name, what);
}

enum ending
login_ending(struct login *l, int error)
{
	const char *foreign;

	switch (error) {
	case ETIMEDOUT:
		log_info("timeout: rip=%s proto=%s session=%s", l->remote,
		    l->service->name, l->name);
		return END_TIMEOUT;
	case EHOSTDOWN:
		return END_UNAVAILABLE;
	case E2BIG:
	case EDQUOT:
		login_complain(l, "too-long");
		return END_TOO_LONG;
	case EILSEQ:
		foreign = foreign_protocol(buf_contents(&l->command));
		login_complain(l, foreign != NULL ? foreign : "NUL");
		return END_GARBAGE;
	default:
		return END_QUIET;
	}
}

bool
login_bad_command(struct login *l)
{
	if (++l->bad_commands < BAD_COMMANDS_MAX)
		return false;
	login_complain(l, "bad-commands");
	return true;
}

bool
login_foreign(struct login *l, struct bytes line)
{
	const char *name = foreign_protocol(line);

	if (name != NULL)
		login_complain(l, name);
	return name != NULL;
}
