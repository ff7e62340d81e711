/*
 * One IMAP session: its state, the rows of its command table, and what
 * handlers of commands use.
 *
 * A handler reads its arguments with lex_...() from call->args, writes untagged
 * data with put_...() to session->out, and returns an outcome; the loop writes
 * the tagged answer. Before the answer the loop brings the mailbox up to date
 * and tells what changed, as the row's flags allow: handlers never send EXPUNGE,
 * EXISTS or other sessions' flags themselves.
 *
 * Memory: what a handler takes from session->arena lives until the command ends.
 */
#ifndef SESSION_H
#define SESSION_H

#include "lex.h"
#include "mail.h"
#include "response.h"
#include "stream.h"

/* States as a mask, for the rows of the table (RFC 9051 section 3). */
enum state {
	STATE_AUTH = 1,			/* authenticated, nothing selected */
	STATE_SELECTED = 2,
	STATE_LOGOUT = 4,		/* the loop ends */
};
#define STATE_ANY (STATE_AUTH | STATE_SELECTED)

/* What the client enabled by ENABLE or by using it. */
enum enabled {
	ENABLED_CONDSTORE = 1,
	ENABLED_QRESYNC = 2,
	ENABLED_UTF8 = 4,
	ENABLED_REV2 = 8,
	ENABLED_UIDONLY = 16,		/* RFC 9586 */
};

struct session {
	const struct config *conf;
	struct mail *mail;
	struct stream stream;
	struct response out;		/* writes to stream */
	struct arena arena;		/* of the current command */
	struct buf command;		/* its text, literals in place */
	enum state state;
	bool read_only;			/* nothing may be changed: every mailbox is EXAMINEd */
	unsigned enabled;		/* enum enabled */
	struct mailbox *box;		/* selected, or NULL */
	struct context *contexts;	/* searches that go on (RFC 5267) */
	struct runs saved;		/* UIDs of `$` (RFC 5182); emptied by SELECT */
	unsigned bad_commands;		/* in a row */
	unsigned literals;		/* in the current command */
	struct asked_batches {		/* UIDBATCHES in this mailbox (RFC 10022) */
		unsigned times;
		uint64_t messages;	/* that there were, and the last one's UID, */
		uint32_t last_uid;	/* when the count began */
	} batches;
	struct notify *notify;		/* what NOTIFY asked for; NULL: never used */
	struct filter *filter;		/* COMPRESS: begins behind the answer */
	const char *end_reason;		/* one word for the log, once the session ends */
	uint64_t progress_at;		/* clock_ms() when it was told last how far a command is */
	struct bytes progress_tag;	/* the command's */
	uint64_t told_recent;		/* what RECENT said last */
	unsigned told_keywords;		/* how many keywords FLAGS named */
	uint64_t told_whole;		/* all changes up to this mod-sequence were told, expunges too */
	bool told_modseqs;		/* FETCH told mod-sequences since all was compared last */
	/* Sets that a response code of the tagged answer points to. */
	struct runs code_set, code_to;
	struct runs made;		/* UIDs that the command itself put into the selected mailbox */
};

/* ---- outcomes ---- */

enum result {
	RESULT_OK,
	RESULT_NO,
	RESULT_BAD,
	RESULT_GONE,	/* the session ends: BYE with text, nothing without */
};

struct outcome {
	enum result result;
	struct response_code code;
	const char *text;
};

struct outcome ok(const char *text);
struct outcome ok_code(enum code code, const char *text);
struct outcome no(enum code code, const char *text);
struct outcome bad(const char *text);
/*
 * BAD with the reader's own words, [UIDREQUIRED] for EOPNOTSUPP, or NO [LIMIT]
 * when it hit a limit.
 */
struct outcome bad_syntax(const struct lex *x);
/* NO with the response code and text that errno has in one table (outcome.c). */
struct outcome failed(int error);

/* ---- commands ---- */

struct call {
	const struct command *row;
	struct bytes tag;	/* empty until it was read; points to tag_text */
	unsigned char tag_text[LEX_TAG_MAX];
	struct lex args;	/* behind the name and its SP */
	/*
	 * CMD_STREAM only: the text so far ends with the announcement of a
	 * literal (and CRLF) whose octets are still in the stream.
	 */
	bool more;
	struct literal_mark literal;
};

enum command_flags {
	CMD_NO_ARGS = 1,	/* nothing may follow the name */
	CMD_ARGS = 2,		/* SP and arguments must follow (neither: may follow) */
	CMD_UID = 4,		/* the UID form: sets are UIDs, answers carry UID */
	CMD_SEQUENCE = 8,	/* uses message sequence numbers; refused under UIDONLY */
	CMD_NO_EXPUNGE = 16,	/* EXPUNGE may not be told before its answer (RFC 9051 7.5.1) */
	CMD_NO_TELL = 32,	/* changes are not told at its end */
	CMD_CHANGES = 64,	/* changes the mailbox: refused when it was EXAMINEd */
	CMD_STREAM = 128,	/* takes its literals from the stream itself */
	CMD_WRITES = 256,	/* changes mail, whatever is selected: not for who may only read */
	CMD_PROGRESS = 512,	/* may take long in the mailbox: how far it is can be told */
};

struct command {
	const char *name;		/* upper case; "UID FETCH" is a row of its own */
	unsigned states;		/* enum state */
	unsigned flags;			/* enum command_flags */
	const char *capability;		/* what it makes CAPABILITY say, or NULL */
	struct outcome (*run)(struct session *s, struct call *c);
};

/* The table (table.c) ends with a row without a name. */
extern const struct command commands[];

/* True when the call is of a UID form. */
static inline bool
call_uid(const struct call *c)
{
	return (c->row->flags & CMD_UID) != 0;
}

/*
 * Reads a sequence-set (or the UIDs of a UID form, or `$`) and turns it into
 * the UIDs of the view that it names, in memory of its own (runs_free()).
 * 0, or -1 with args.error set. Sequence numbers past the end are an error
 * (RFC 9051 section 9, seq-number); UIDs that are not there are not.
 */
int call_messages(struct session *s, struct call *c, struct runs *uids);

/*
 * The same where the reader stands. Sequence numbers past the end are no error
 * where SEARCH has them (RFC 7377 section 2).
 */
enum set_of { SET_OF_UIDS, SET_OF_NUMBERS, SET_OF_ANY_NUMBERS };
int session_messages(struct session *s, struct lex *x, enum set_of what,
    struct runs *uids);

/* ---- what handlers of message data share (tell.c) ---- */

/*
 * "* n FETCH (" or, for UIDONLY, "* uid UIDFETCH (". The item UID is written
 * first when with_uid (and never for UIDFETCH). fetch_end() closes it.
 */
void fetch_begin(struct session *s, uint64_t sequence, uint32_t uid, bool with_uid);
void fetch_end(struct session *s);

/* FLAGS (...) and MODSEQ (n) as items of a FETCH response. */
void fetch_flags(struct session *s, const struct mail_row *row);
void fetch_modseq(struct session *s, uint64_t modseq);

/*
 * The client used CONDSTORE (a CONDSTORE enabling command, RFC 7162 3.1): from
 * now on MODSEQ goes with FLAGS. Says HIGHESTMODSEQ the first time when
 * a mailbox is selected.
 */
void session_enable_condstore(struct session *s);

/* Messages have UIDs and no numbers any more (RFC 9586). */
static inline bool
session_uidonly(const struct session *s)
{
	return (s->enabled & ENABLED_UIDONLY) != 0;
}

/* MODSEQ is wanted with every FLAGS. */
static inline bool
session_condstore(const struct session *s)
{
	return (s->enabled & ENABLED_CONDSTORE) != 0;
}

/*
 * UID is wanted with FLAGS that no FETCH asked for (RFC 7162 section 3.2.4, RFC
 * 9051 section 7.5.2, RFC 5465 section 5.1).
 */
static inline bool
session_tells_uid(const struct session *s)
{
	return (s->enabled & (ENABLED_CONDSTORE | ENABLED_REV2)) != 0
	    || s->notify != NULL;
}

/*
 * VANISHED of uids, "(EARLIER)" when earlier (RFC 7162 3.2.10). Nothing when
 * empty.
 */
void tell_vanished(struct session *s, const struct runs *uids, bool earlier);

/*
 * Looks for changes and tells them: EXPUNGE or VANISHED only when expunge.
 * 0, or -1 with errno (ESTALE: the mailbox is gone).
 */
int tell_changes(struct session *s, bool expunge);

/* The same for some kinds of change only; the others are told another time. */
enum { TELL_NEW = 1, TELL_EXPUNGE = 2, TELL_FLAGS = 4, TELL_ALL = 7 };
int tell_events(struct session *s, bool expunge, unsigned what);

/* ---- the text of a command (reader.c) ---- */

/* Keeps the tag, which lex_tag() has read, for the answer. */
void call_tag(struct call *c, struct bytes tag);

/*
 * Reads the next line behind the text so far and sets more and literal. OK, or
 * the outcome that ends the command.
 */
struct outcome session_line(struct session *s, struct call *c);

/*
 * Takes the announced literal into the text, and the line behind it: for a
 * CMD_STREAM command that wants this one held. args stay valid, but values
 * read from it before do not.
 */
struct outcome session_hold(struct session *s, struct call *c);

/*
 * Asks for a literal that is to be streamed, if the client waits to be asked;
 * its octets are then taken from the stream.
 */
void session_ask(struct session *s, const struct call *c);

/*
 * Drops n octets of a literal; and, after a refusal, all that the client sends
 * of this command without waiting. An outcome other than OK when the session
 * cannot go on.
 */
struct outcome session_skip(struct session *s, uint64_t n);
struct outcome session_drop(struct session *s, struct call *c);

/* What a failed read of the stream means for the session: always RESULT_GONE. */
struct outcome session_broken(struct session *s, int error);

/* From now on the client has the configured time to send something. */
void session_deadline(struct session *s);

/* ---- what is offered (capability.c) ---- */

/* CAPABILITY's list as tokens; the bits of ENABLE that a capability has, and its number, under 64, or -1. */
void put_capabilities(struct session *s);
int capability_enables(struct bytes name, const char **canonical, unsigned *bits);

/* ---- the selected mailbox (select.c, tell.c, messages.c) ---- */

/* Leaves it without expunging. */
void session_unselect(struct session *s);

/* FLAGS and PERMANENTFLAGS, when keywords appeared that they did not name. */
void tell_keywords(struct session *s);

/* EXISTS, and RECENT when it is another number than was told. */
void tell_exists(struct session *s);

/*
 * FETCH with FLAGS and what is enabled, for the UIDs that are in the view; with
 * UID when with_uid or session_tells_uid().
 */
int tell_flags(struct session *s, const struct runs *uids, bool with_uid);

/* The same without FLAGS: what .SILENT leaves; nothing without CONDSTORE. */
int tell_modseqs(struct session *s, const struct runs *uids, bool with_uid);

/* Sequence numbers of UIDs that are all in the view. */
int session_sequence(struct session *s, const struct runs *uids, struct runs *out);

/* ---- searches that go on (context.c) ---- */

/*
 * Tells what these messages of the view, which arrived, changed, or are about to
 * be told as gone, do to the results of contexts.
 */
enum context_event { CONTEXT_ARRIVED, CONTEXT_CHANGED, CONTEXT_GONE };
void session_contexts(struct session *s, const struct runs *uids,
    enum context_event event);

/*
 * Tells what time did to those that look for OLDER or YOUNGER messages; when,
 * by clock_ms(), it will do something: 0 when never.
 */
void session_contexts_turn(struct session *s);
uint64_t session_contexts_due(const struct session *s);

/* All of them end. */
void session_no_contexts(struct session *s);

/* ---- telling by NOTIFY (notify.c) ---- */

/* tell_changes() of what NOTIFY asked to hear of the selected mailbox, if it did. */
int session_tell(struct session *s, bool expunge);

/*
 * Takes the events off the descriptor and tells what NOTIFY, or IDLE, wants to
 * hear. -1 with ESTALE: the selected mailbox is gone.
 */
int session_look(struct session *s, bool idle);

/*
 * Until the client sends something: tells of what happens, if NOTIFY wants it,
 * and gives memory back when it takes long.
 */
void session_await(struct session *s);

/* This command of the client's own may have changed what NOTIFY looks at. */
void session_own(struct session *s, const struct command *row);

/* The command itself put these into the mailbox of this UIDVALIDITY: no news to the client. */
void session_made(struct session *s, uint32_t uidvalidity, const struct runs *uids);

/* These UIDs joined the view: the FETCH that NOTIFY wants of new messages. */
void session_arrived(struct session *s, const struct runs *uids);

/* NOTIFY wants more than the system can tell of by events. */
bool session_polls(const struct session *s);
void session_unnotify(struct session *s);

/*
 * RFC 9585 (progress.c): between the two calls the mailbox's work is told of;
 * progress_tell() is for work of other kinds.
 */
void progress_begin(struct session *s, struct bytes tag);
void progress_end(struct session *s);
void progress_tell(struct session *s, struct bytes tag, uint64_t done,
    uint64_t total, const char *what);

/*
 * Waits for input or for a change (idle.c): 1 input, 0 look for changes, -1
 * errno. Where the system cannot tell of changes, a time-out short of
 * autologout's stands in; one at due (0: none) is for what else there is to do.
 */
int session_wait(struct session *s, uint64_t autologout, uint64_t due);
/* The same for input alone. */
int session_wait_quietly(struct session *s, uint64_t autologout, uint64_t due);

/* Between two commands: gives back all memory that waiting does not need. */
void session_shrink(struct session *s);

/* FETCH responses with these items, as FETCH takes them (fetch.c). */
void fetch_tell(struct session *s, struct bytes items, const struct runs *uids);

/* ---- COMPRESS (compress.c) ---- */

/* Begins the filter that COMPRESS made, if it did; says BYE when that fails. */
void session_filter(struct session *s);

/* ---- the loop (loop.c) ---- */

/*
 * Reads the next command into s->command, runs it, answers it. False when the
 * session is over.
 */
bool session_command(struct session *s);

/* Runs commands until the end and says BYE. The greeting has been sent. */
void session_loop(struct session *s);

#endif
