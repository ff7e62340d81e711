/*
 * Fuzz target: header fields, and the envelope made of them.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "crlf.h"
#include "date.h"
#include "grammar.h"
#include "header.h"
#include "imaptext.h"
#include "subject.h"
#include "utf8.h"

static void
require(bool held)
{
	if (!held)
		abort();
}

/* Fields stand one behind the other and make up the block. */
static void
fields(struct bytes block)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field f;
	size_t at = 0;
	bool complete;

	while (header_next(&c, &f)) {
		require(f.whole.n > 0 && f.offset == at);
		require(f.name.n + f.value.n <= f.whole.n);
		at += f.whole.n;
	}
	at = header_length(block, &complete) - at;
	require(complete ? at == 1 || at == 2 : at == 0);
}

static void
envelope(struct bytes block, unsigned flags)
{
	struct buf out = BUF_INIT(IMAPTEXT_MAX);

	require(imaptext_envelope(block, flags, &out) == 0);
	require(grammar_envelope(buf_contents(&out), flags != 0));
	buf_free(&out);
}

/* A base subject has no more to take away. */
static void
subject(struct bytes value)
{
	struct buf once = BUF_INIT(HEADER_MAX * 8), twice = BUF_INIT(HEADER_MAX * 8);
	bool reply;

	require(subject_base(value, &once, &reply) == 0);
	require(utf8_valid(buf_contents(&once)));
	if (once.len > 0 && memmem(once.data, once.len, "=?", 2) == NULL) {
		require(subject_base(buf_contents(&once), &twice, &reply) == 0);
		require(bytes_equal(buf_contents(&once), buf_contents(&twice)));
		require(!reply);
	}
	buf_free(&once);
	buf_free(&twice);
}

static void
identifiers(struct bytes value)
{
	struct buf id = BUF_INIT(HEADER_MAX);
	size_t n;

	do {
		n = value.n;
		buf_clear(&id);
		require(msgid_next(&value, &id) >= 0);
		require(id.len < n + 1 && value.n <= n);
	} while (id.len > 0);
	buf_free(&id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes b = { p, n };
	struct mail_date d;

	fields(b);
	envelope(b, 0);
	envelope(b, IMAPTEXT_UTF8);
	subject(b);
	identifiers(b);
	if (date_parse(b, &d))
		require(d.day % 86400 == 0 && d.seconds >= d.day - 6000 * 60 &&
		    d.seconds <= d.day + 86400 + 6000 * 60);
	return 0;
}
