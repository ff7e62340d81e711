/*
 * COMPRESS=DEFLATE (RFC 4978).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "deflate.h"

struct outcome
cmd_compress(struct session *s, struct call *c)
{
	struct bytes algorithm;

	if (lex_atom(&c->args, &algorithm) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	if (!bytes_case_equal(algorithm, BYTES("DEFLATE")))
		return bad("Unknown compression");
	if (s->stream.filter != NULL)
		return no(CODE_COMPRESSIONACTIVE, "DEFLATE is active already");
	s->filter = deflate_filter();
	return s->filter == NULL ? failed(errno) : ok("DEFLATE begins");
}

/* Section 3: all that follows the CRLF of the answer is compressed. */
void
session_filter(struct session *s)
{
	struct filter *f = s->filter;
	struct outcome o;

	s->filter = NULL;
	if (f == NULL || stream_filter(&s->stream, f) == 0
	    || s->stream.out_error != 0)
		return;
	/* It did not wait, and did not compress what it sent. */
	o = session_broken(s, errno);
	s->state = STATE_LOGOUT;
	if (o.text != NULL)
		put_condition(&s->out, BYTES(""), "BYE", &o.code, o.text);
}
