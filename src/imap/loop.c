/*
 * The loop: reads a command, finds its row, runs it, answers it.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "limits.h"
#include "log.h"
#include "session.h"

static const struct command *
find_row(struct bytes name)
{
	for (const struct command *c = commands; c->name != NULL; c++)
		if (bytes_case_equal(name, bytes_of(c->name)))
			return c;
	return NULL;
}

/* The command's name; `UID` and the name behind it are one. */
static int
read_name(struct lex *x, struct bytes *name)
{
	struct bytes second;

	if (lex_atom(x, name) < 0)
		return -1;
	if (!bytes_case_equal(*name, BYTES("UID")) || lex_peek(x) != ' ')
		return 0;
	if (lex_space(x) < 0 || lex_atom(x, &second) < 0)
		return -1;
	name->n = (size_t)(second.p + second.n - name->p);
	return 0;
}

/* What the row says about states and arguments. */
static struct outcome
check_row(struct session *s, struct call *c)
{
	const struct command *row = c->row;
	struct lex *x = &c->args;

	if ((row->states & s->state) == 0)
		return bad(s->state == STATE_AUTH && row->states != 0
		    ? "No mailbox is selected" : "Command not allowed now");
	if ((row->flags & CMD_SEQUENCE) != 0
	    && (s->enabled & ENABLED_UIDONLY) != 0)
		return (struct outcome){ RESULT_BAD,
		    .code.code = CODE_UIDREQUIRED,
		    .text = "Message numbers are not used any more" };
	if ((row->flags & CMD_NO_ARGS) != 0 && lex_end(x) < 0)
		return bad("Command takes no arguments");
	if ((row->flags & CMD_ARGS) != 0 && lex_space(x) < 0)
		return bad("Missing arguments");
	if ((row->flags & (CMD_CHANGES | CMD_WRITES)) != 0 && s->read_only)
		return no(CODE_NOPERM, "This visit is to read only");
	if ((row->flags & CMD_CHANGES) != 0 && mailbox_read_only(s->box))
		return no(CODE_READ_ONLY, "Mailbox was opened read-only");
	return ok("");
}

/* Tag and name; from then on c->args stands at the arguments. */
static struct outcome
read_head(struct session *s, struct call *c)
{
	struct bytes tag, name;
	struct lex *x = &c->args;

	*x = (struct lex){
		.rest = buf_contents(&s->command),
		.arena = &s->arena,
		.utf8 = s->out.utf8,
	};
	if (lex_tag(x, &tag) < 0)
		return bad(x->error);
	/* What goes on without a space was no tag: nothing to answer it by. */
	if (x->rest.n > 0 && lex_peek(x) != ' ')
		return bad("A command begins with a tag and a space");
	call_tag(c, tag);
	if (lex_space(x) < 0 || read_name(x, &name) < 0)
		return bad("A command's name was expected");
	c->row = find_row(name);
	return c->row == NULL ? bad("Unknown command") : check_row(s, c);
}

/* All of the command's text, or all up to the literal that it streams. */
static struct outcome
take_command(struct session *s, struct call *c)
{
	struct outcome o = session_line(s, c);

	if (o.result == RESULT_OK)
		o = read_head(s, c);
	while (o.result == RESULT_OK && c->more
	    && (c->row->flags & CMD_STREAM) == 0)
		o = session_hold(s, c);
	return o;
}

/* A refused command may still be coming in. */
static struct outcome
drop_refused(struct session *s, struct call *c, struct outcome o)
{
	struct outcome dropped;

	if (o.result != RESULT_NO && o.result != RESULT_BAD)
		return o;
	dropped = session_drop(s, c);
	return dropped.result == RESULT_GONE ? dropped : o;
}

/* A mailbox that was deleted cannot be told of: RFC 2180 section 3.3. */
static struct outcome
mailbox_lost(struct session *s)
{
	s->end_reason = "mailbox-gone";
	session_unselect(s);
	return (struct outcome){ RESULT_GONE,
	    .text = "The selected mailbox was deleted or made anew" };
}

static struct outcome
run(struct session *s, struct call *c)
{
	unsigned flags = c->row->flags;
	struct outcome o;

	if ((flags & CMD_PROGRESS) != 0)
		progress_begin(s, c->tag);
	o = c->row->run(s, c);
	if ((flags & CMD_PROGRESS) != 0)
		progress_end(s);
	if (o.result == RESULT_OK)
		session_own(s, c->row);
	if (o.result == RESULT_GONE || s->box == NULL
	    || (flags & CMD_NO_TELL) != 0)
		return o;
	if (session_tell(s, (flags & CMD_NO_EXPUNGE) == 0) == 0)
		return o;
	if (errno == ESTALE)
		return mailbox_lost(s);
	log_warn("cannot look for changes: %s", strerror(errno));
	return o;
}

static struct outcome
count_bad(struct session *s, struct outcome o)
{
	s->bad_commands = o.result == RESULT_BAD ? s->bad_commands + 1 : 0;
	if (s->bad_commands < BAD_COMMANDS_MAX)
		return o;
	s->end_reason = "bad-commands";
	return (struct outcome){ RESULT_GONE, .text = "Too many bad commands" };
}

static void
answer(struct session *s, const struct call *c, const struct outcome *o)
{
	static const char *const conditions[] = {
		[RESULT_OK] = "OK", [RESULT_NO] = "NO", [RESULT_BAD] = "BAD",
	};

	if (o->result != RESULT_GONE) {
		put_condition(&s->out, c->tag, conditions[o->result], &o->code,
		    o->text);
		return;
	}
	s->state = STATE_LOGOUT;
	if (o->text != NULL)
		put_condition(&s->out, BYTES(""), "BYE", &o->code, o->text);
}

/* Gives back what belongs to the command. */
static void
end_command(struct session *s)
{
	buf_clear(&s->command);
	if (s->command.cap > IDLE_COMMAND_KEEP)
		buf_free(&s->command);
	arena_reset(&s->arena);
	runs_free(&s->code_set);
	runs_free(&s->code_to);
	runs_free(&s->made);
	/* What was learned is written while the client thinks. */
	if (s->box != NULL && stream_pending(&s->stream).n == 0
	    && stream_flush(&s->stream) == 0)
		mailbox_columns_flush(s->box);
}

static void
output_failed(struct session *s)
{
	s->state = STATE_LOGOUT;
	if (s->stream.out_error == ETIMEDOUT)
		s->end_reason = "write-timeout";
	else if (s->end_reason == NULL)
		s->end_reason = "disconnected";
}

bool
session_command(struct session *s)
{
	struct call c = { 0 };
	struct outcome o;

	s->literals = 0;
	session_deadline(s);
	session_await(s);
	o = take_command(s, &c);
	if (o.result == RESULT_OK)
		o = run(s, &c);
	o = count_bad(s, drop_refused(s, &c, o));
	answer(s, &c, &o);
	session_filter(s);
	end_command(s);
	if (s->stream.out_error != 0)
		output_failed(s);
	return s->state != STATE_LOGOUT;
}

void
session_loop(struct session *s)
{
	while (session_command(s))
		;
	stream_flush(&s->stream);
	session_unselect(s);
	session_unnotify(s);
}
