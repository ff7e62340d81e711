/*
 * Fuzz target: search programs, over mail in memory. Each input is searched for
 * twice, the second time from what the first left in memory; both answers, and
 * that to the opposite, must fit each other.
 * Runs as: the person who builds.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imap/limits.h"
#include "../../src/imap/search.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const messages[] = {
	"From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?h=C3=A4?=\r\n"
	"Date: Mon, 1 Jan 2001 23:30:00 -0800\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
	"Subject: inner\r\n\r\nbody\r\n--b--\r\n",
	"Subject: Re: a\r\nTo: b, c\r\n\r\nbase64 =C3=A4\r\n",
	"\r\n\r\n",
};

static void
fill(struct mail *m)
{
	struct runs uids = RUNS_INIT;
	struct delivery *d;
	uint32_t validity;

	for (unsigned i = 0; i < 3; i++)
		if (delivery_begin(m, BYTES("INBOX"), &d) < 0 ||
		    delivery_message(d, i * 3, NULL, 0, 1000000 * i) < 0 ||
		    delivery_write(d, messages[i], strlen(messages[i])) < 0 ||
		    delivery_commit(d, &validity, &uids) < 0)
			abort();
	runs_free(&uids);
}

static int
hit(void *arg, const struct mail_row *row, uint64_t sequence, struct facts *facts)
{
	(void)facts;
	if (sequence == 0 || sequence > 3)
		abort();
	return runs_add(arg, row->uid, row->uid);
}

/* UIDs that match, or false when it is no program. */
static bool
search(struct session *s, struct bytes text, struct runs *found)
{
	struct lex x = { .rest = text, .arena = &s->arena };
	const struct search_sink sink = { hit, found, false, false };
	struct search_program program;
	struct search_run run;
	struct outcome o = search_parse(s, &x, NULL, &program);

	*found = RUNS_INIT;
	if (o.result != RESULT_OK)
		return false;
	if (search_begin(&run, s, BYTES("t"), &program) == -1)
		abort();
	if (search_is_decided(&run) ? runs_copy(found, &run.candidates) == -1
	    : search_all(&run, &sink) == -1)
		abort();
	search_end(&run);
	search_free(&program);
	return true;
}

/* NOT of everything is the rest, when it may be wrapped like this at all. */
static void
check_opposite(struct session *s, struct bytes text, const struct runs *found)
{
	struct buf wrapped = BUF_INIT(2 << 20);
	struct runs others, both = RUNS_INIT;

	buf_text(&wrapped, "NOT (");
	buf_bytes(&wrapped, text);
	buf_text(&wrapped, ")");
	if (search(s, buf_contents(&wrapped), &others)) {
		if (runs_intersect(&both, found, &others) == -1 || both.n != 0 ||
		    found->count + others.count != 3)
			abort();
	}
	runs_free(&both);
	runs_free(&others);
	buf_free(&wrapped);
}

static void
play(struct session *s, struct bytes text)
{
	struct runs first, second;

	fill(s->mail);
	if (mailbox_open(s->mail, BYTES("INBOX"), false, &s->box) < 0)
		abort();
	if (search(s, text, &first)) {
		if (!search(s, text, &second) || !runs_equal(&first, &second))
			abort();
		runs_free(&second);
		check_opposite(s, text, &first);
	}
	runs_free(&first);
	mailbox_close(s->box);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct config conf = { 0 };
	struct session s = {
		.conf = &conf,
		.state = STATE_SELECTED,
		.arena = ARENA_INIT(COMMAND_ARENA_MAX),
	};
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_level(LOG_EMERG);
	stream_init(&s.stream, -1, out);
	s.out.out = &s.stream;
	if (mail_open(&conf, NULL, &s.mail) < 0)
		abort();
	play(&s, bytes_make(p, n));
	mail_close(s.mail);
	stream_free(&s.stream);
	arena_free(&s.arena);
	runs_free(&s.saved);
	close(out);
	return 0;
}
