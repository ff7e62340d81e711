/*
 * Outcomes of commands, and what is written for them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "limits.h"
#include "log.h"
#include "session.h"

static const struct {
	int error;
	const char *code;
	const char *text;
} errors[] = {
	{ ENOENT, "SYS/TEMP", "this message is gone" },
	{ EBUSY, "IN-USE", "another session has this mailbox" },
	{ EACCES, "SYS/PERM", "not permitted" },
	{ EPERM, "SYS/PERM", "not permitted" },
	{ EROFS, "SYS/PERM", "the mailbox can only be read" },
	{ EILSEQ, "SYS/PERM", "this cannot be read as mail" },
	{ ENOSPC, "SYS/TEMP", "no room on the disk" },
	{ EDQUOT, "SYS/TEMP", "no room left in the quota" },
	{ ENOMEM, "SYS/TEMP", "out of memory" },
	{ 0, "SYS/TEMP", "an error of the system" },	/* any other */
};

struct outcome
failure(int error)
{
	size_t i = 0;
	struct outcome o = { .result = RESULT_ERR };

	while (errors[i].error != 0 && errors[i].error != error)
		i++;
	o.code = errors[i].code;
	snprintf(o.text, sizeof o.text, "%s", errors[i].text);
	return o;
}

struct outcome
failed(int error)
{
	if (error != ENOENT && error != EBUSY)
		log_warn("mail error: %s", strerror(error));
	return failure(error);
}

struct outcome
ok(const char *fmt, ...)
{
	struct outcome o = { .result = RESULT_OK };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o.text, sizeof o.text, fmt, ap);
	va_end(ap);
	return o;
}

struct outcome
err(const char *code, const char *text)
{
	struct outcome o = { .result = RESULT_ERR, .code = code };

	snprintf(o.text, sizeof o.text, "%s", text);
	return o;
}

struct outcome
bad(const char *text)
{
	struct outcome o = err(NULL, text);

	o.result = RESULT_BAD;
	return o;
}

struct outcome
outcome_of(enum result result)
{
	return (struct outcome){ .result = result };
}

void
write_status(struct session *s, const struct outcome *o)
{
	static const char *const word[] = {
		[RESULT_OK] = "+OK", [RESULT_QUIT] = "+OK", [RESULT_ERR] = "-ERR",
		[RESULT_BAD] = "-ERR", [RESULT_FAILED] = "-ERR",
	};
	unsigned char *room = stream_room(&s->stream, STATUS_LINE_MAX);
	int n;

	if (room == NULL)
		return;
	n = o->code == NULL
	    ? snprintf((char *)room, STATUS_LINE_MAX, "%s %s\r\n",
	    word[o->result], o->text)
	    : snprintf((char *)room, STATUS_LINE_MAX, "%s [%s] %s\r\n",
	    word[o->result], o->code, o->text);
	/* A failed sending is kept in the stream; the loop looks there. */
	(void)stream_put(&s->stream, (size_t)n);
}

static void
end(struct session *s, const char *reason)
{
	s->over = true;
	if (s->end_reason == NULL)
		s->end_reason = reason;
}

static const char *
broken_by(int error)
{
	return error == ETIMEDOUT ? "write-timeout"
	    : error == ECANCELED ? "shutdown"
	    : error == EUSERS ? "made-way" : "disconnected";
}

void
answer(struct session *s, const struct outcome *o)
{
	struct outcome enough = { .result = RESULT_FAILED,
		.text = "too many bad commands" };

	s->bad_commands = o->result == RESULT_BAD ? s->bad_commands + 1 : 0;
	if (s->bad_commands > BAD_COMMANDS_MAX) {
		o = &enough;
		end(s, "bad-commands");
	}
	if (o->result != RESULT_SENT && o->result != RESULT_GONE)
		write_status(s, o);
	if (s->stream.out_error != 0)
		end(s, broken_by(s->stream.out_error));
	if (o->result >= RESULT_QUIT)
		end(s, "error");
}

/* ---- answers of several lines ---- */

void
lines_begin(struct lines *l, struct session *s, const char *status)
{
	struct outcome o = ok("%s", status);

	write_status(s, &o);
	*l = (struct lines){ .session = s,
		.room = stream_room(&s->stream, LINES_MAX) };
}

void
lines_printf(struct lines *l, const char *fmt, ...)
{
	size_t left = LINES_MAX - l->n;
	va_list ap;
	int n;

	if (l->room == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf((char *)l->room + l->n, left, fmt, ap);
	va_end(ap);
	/* The end of the line, and later the dot, must fit too. */
	log_assert(n >= 0 && (size_t)n + 6 < left);
	memcpy(l->room + l->n + n, "\r\n", 2);
	l->n += (size_t)n + 2;
}

void
lines_more(struct lines *l)
{
	struct stream *out = &l->session->stream;

	if (l->room == NULL)
		return;
	(void)stream_put(out, l->n);
	l->room = stream_room(out, LINES_MAX);
	l->n = 0;
}

struct outcome
lines_end(struct lines *l)
{
	if (l->room == NULL)
		return outcome_of(RESULT_GONE);
	memcpy(l->room + l->n, ".\r\n", 3);
	(void)stream_put(&l->session->stream, l->n + 3);
	return outcome_of(RESULT_SENT);
}
