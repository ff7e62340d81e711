/*
 * The commands of POP3, and CAPA, which is printed from them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "language.h"
#include "log.h"
#include "session.h"

static struct outcome
run_stat(struct session *s, const struct command *c)
{
	(void)c;
	return ok("%llu %llu", (unsigned long long)drop_count(&s->drop),
	    (unsigned long long)s->drop.octets);
}

static struct outcome
run_dele(struct session *s, const struct command *c)
{
	if (s->drop.read_only)
		return err(NULL, "this visit is to read only");
	if (drop_delete(&s->drop, c->uid) < 0)
		return failed(errno);
	return ok("message %u marked as deleted", c->message);
}

static struct outcome
run_noop(struct session *s, const struct command *c)
{
	(void)s;
	(void)c;
	return ok("nothing done");
}

static struct outcome
run_rset(struct session *s, const struct command *c)
{
	(void)c;
	drop_reset(&s->drop);
	return ok("%llu messages (%llu octets)",
	    (unsigned long long)drop_count(&s->drop),
	    (unsigned long long)s->drop.octets);
}

/*
 * The update state (RFC 1939 section 6). The maildrop is released before the
 * answer: clients come back as soon as they have it.
 */
static struct outcome
run_quit(struct session *s, const struct command *c)
{
	uint64_t marked = s->drop.deleted.count;
	int error = drop_update(&s->drop) < 0 ? errno : 0;

	(void)c;
	drop_close(&s->drop);
	s->end_reason = "quit";
	if (error != 0) {
		log_error("update failed marked=%llu: %s",
		    (unsigned long long)marked, strerror(error));
		return (struct outcome){ .result = RESULT_FAILED,
			.code = "SYS/TEMP",
			.text = "some deleted messages not removed" };
	}
	s->tally.deleted = marked;
	return (struct outcome){ .result = RESULT_QUIT, .text = "bye" };
}

/* RFC 6856 section 3.2 */
static struct outcome
run_lang(struct session *s, const struct command *c)
{
	const struct language *l;
	struct lines list;

	if (c->word.n > 0) {
		l = language_find(c->word);
		return l == NULL ? err(NULL, "no such language")
		    : ok("%s %s", l->tag, l->chosen);
	}
	lines_begin(&list, s, "languages follow");
	for (l = languages; l->tag != NULL; l++)
		lines_printf(&list, "%s %s", l->tag, l->name);
	return lines_end(&list);
}

static struct outcome run_capa(struct session *, const struct command *);

const struct row rows[] = {
	{ "STAT", STATE_TRANSACTION, ARGS_NONE, NULL, run_stat },
	{ "LIST", STATE_TRANSACTION, ARGS_MAYBE_MESSAGE, NULL, run_list },
	{ "UIDL", STATE_TRANSACTION, ARGS_MAYBE_MESSAGE, "UIDL", run_uidl },
	{ "RETR", STATE_TRANSACTION, ARGS_MESSAGE, NULL, run_retr },
	{ "TOP", STATE_TRANSACTION, ARGS_MESSAGE_LINES, "TOP", run_top },
	{ "DELE", STATE_TRANSACTION, ARGS_MESSAGE, NULL, run_dele },
	{ "NOOP", STATE_TRANSACTION, ARGS_NONE, NULL, run_noop },
	{ "RSET", STATE_TRANSACTION, ARGS_NONE, NULL, run_rset },
	{ "QUIT", STATE_TRANSACTION, ARGS_NONE, NULL, run_quit },
	{ "CAPA", STATE_TRANSACTION, ARGS_NONE, NULL, run_capa },
	{ "LANG", STATE_TRANSACTION, ARGS_MAYBE_WORD, "LANG", run_lang },
	/* login's */
	{ "USER", STATE_AUTHORIZATION, ARGS_ANY, "USER", NULL },
	{ "PASS", STATE_AUTHORIZATION, ARGS_ANY, NULL, NULL },
	{ "APOP", STATE_AUTHORIZATION, ARGS_ANY, NULL, NULL },
	{ "AUTH", STATE_AUTHORIZATION, ARGS_ANY, "SASL", NULL },
	{ "UTF8", STATE_AUTHORIZATION, ARGS_ANY, "UTF8 USER", NULL },
	{ "STLS", STATE_AUTHORIZATION, ARGS_ANY, NULL, NULL },
	{ 0 },
};

/*
 * How this server behaves (RFC 2449 section 6, RFC 3206 section 6). It deletes
 * nothing by itself, and lets a user come back at once.
 */
static const char *const behaviour[] = {
	"RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER",
	"LOGIN-DELAY 0", "IMPLEMENTATION Mailreeve", NULL,
};

/* SASL has what login said it offered. */
static void
say_capability(struct lines *l, const struct row *r)
{
	struct bytes names = l->session->mechanisms;

	if (strcmp(r->capability, "SASL") != 0)
		lines_printf(l, "%s", r->capability);
	else if (names.n > 0)
		lines_printf(l, "SASL %.*s", (int)names.n, (const char *)names.p);
}

/*
 * What was offered before login is named after it as well (RFC 2449 section
 * 5), unless there was none.
 */
static struct outcome
run_capa(struct session *s, const struct command *c)
{
	unsigned states = STATE_TRANSACTION
	    | (s->after_login ? STATE_AUTHORIZATION : 0);
	struct lines l;

	(void)c;
	lines_begin(&l, s, "capabilities follow");
	for (const struct row *r = rows; r->name != NULL; r++)
		if (r->capability != NULL && (r->states & states) != 0)
			say_capability(&l, r);
	for (size_t i = 0; behaviour[i] != NULL; i++)
		lines_printf(&l, "%s", behaviour[i]);
	return lines_end(&l);
}
