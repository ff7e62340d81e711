/*
 * Response codes and the conditions they stand in (RFC 9051 section 7.1, RFC 5530).
 * Runs as: the mailbox owner.
 */
#include "log.h"
#include "response.h"

enum value {
	NO_VALUE, WORDS, NUMBER, SET, APPENDUID, COPYUID, OBJECT, QUOTED, URL, REACHED, LIST,
};

static const struct {
	const char *name;
	enum value value;
} codes[CODE_END] = {
	[CODE_ALERT] = { "ALERT", NO_VALUE },
	[CODE_BADCHARSET] = { "BADCHARSET", NO_VALUE },
	[CODE_CAPABILITY] = { "CAPABILITY", LIST },
	[CODE_PARSE] = { "PARSE", NO_VALUE },
	[CODE_PERMANENTFLAGS] = { "PERMANENTFLAGS", LIST },
	[CODE_READ_ONLY] = { "READ-ONLY", NO_VALUE },
	[CODE_READ_WRITE] = { "READ-WRITE", NO_VALUE },
	[CODE_TRYCREATE] = { "TRYCREATE", NO_VALUE },
	[CODE_UIDNEXT] = { "UIDNEXT", NUMBER },
	[CODE_UIDVALIDITY] = { "UIDVALIDITY", NUMBER },
	[CODE_UNSEEN] = { "UNSEEN", NUMBER },
	[CODE_CLOSED] = { "CLOSED", NO_VALUE },
	[CODE_APPENDUID] = { "APPENDUID", APPENDUID },
	[CODE_COPYUID] = { "COPYUID", COPYUID },
	[CODE_UIDNOTSTICKY] = { "UIDNOTSTICKY", NO_VALUE },
	[CODE_HASCHILDREN] = { "HASCHILDREN", NO_VALUE },
	[CODE_NOTSAVED] = { "NOTSAVED", NO_VALUE },
	[CODE_UNKNOWN_CTE] = { "UNKNOWN-CTE", NO_VALUE },
	[CODE_TOOBIG] = { "TOOBIG", NO_VALUE },
	[CODE_UNAVAILABLE] = { "UNAVAILABLE", NO_VALUE },
	[CODE_AUTHORIZATIONFAILED] = { "AUTHORIZATIONFAILED", NO_VALUE },
	[CODE_EXPUNGEISSUED] = { "EXPUNGEISSUED", NO_VALUE },
	[CODE_CORRUPTION] = { "CORRUPTION", NO_VALUE },
	[CODE_SERVERBUG] = { "SERVERBUG", NO_VALUE },
	[CODE_CLIENTBUG] = { "CLIENTBUG", NO_VALUE },
	[CODE_CANNOT] = { "CANNOT", NO_VALUE },
	[CODE_LIMIT] = { "LIMIT", NO_VALUE },
	[CODE_OVERQUOTA] = { "OVERQUOTA", NO_VALUE },
	[CODE_ALREADYEXISTS] = { "ALREADYEXISTS", NO_VALUE },
	[CODE_NONEXISTENT] = { "NONEXISTENT", NO_VALUE },
	[CODE_NOPERM] = { "NOPERM", NO_VALUE },
	[CODE_INUSE] = { "INUSE", NO_VALUE },
	[CODE_HIGHESTMODSEQ] = { "HIGHESTMODSEQ", NUMBER },
	[CODE_NOMODSEQ] = { "NOMODSEQ", NO_VALUE },
	[CODE_MODIFIED] = { "MODIFIED", SET },
	[CODE_MAILBOXID] = { "MAILBOXID", OBJECT },
	[CODE_USEATTR] = { "USEATTR", NO_VALUE },
	[CODE_METADATA_LONGENTRIES] = { "METADATA LONGENTRIES", NUMBER },
	[CODE_METADATA_MAXSIZE] = { "METADATA MAXSIZE", NUMBER },
	[CODE_METADATA_TOOMANY] = { "METADATA TOOMANY", NO_VALUE },
	[CODE_BADURL] = { "BADURL", URL },
	[CODE_UIDREQUIRED] = { "UIDREQUIRED", NO_VALUE },
	[CODE_BADEVENT] = { "BADEVENT", WORDS },
	[CODE_NOTIFICATIONOVERFLOW] = { "NOTIFICATIONOVERFLOW", NO_VALUE },
	[CODE_COMPRESSIONACTIVE] = { "COMPRESSIONACTIVE", NO_VALUE },
	[CODE_INPROGRESS] = { "INPROGRESS", LIST },
	[CODE_MESSAGELIMIT] = { "MESSAGELIMIT", REACHED },
	[CODE_TOOFEW] = { "TOOFEW", NO_VALUE },
	[CODE_NOUPDATE] = { "NOUPDATE", QUOTED },
};

void
put_code_open(struct response *r, enum code code)
{
	log_assert(code > CODE_NONE && code < CODE_END);
	put_word(r, "[");
	put_glued(r, bytes_of(codes[code].name));
}

void
put_code_close(struct response *r)
{
	put_glued(r, BYTES("]"));
}

/* url-resp-text (RFC 4469 section 5): what cannot stand there becomes `?`. */
#define URL_MAX 1000

static void
put_url(struct response *r, struct bytes url)
{
	char text[URL_MAX + 1];
	size_t n = url.n < URL_MAX ? url.n : URL_MAX;

	for (size_t i = 0; i < n; i++)
		text[i] = url.p[i] > ' ' && url.p[i] < 0x7f && url.p[i] != ']'
		    ? (char)url.p[i] : '?';
	text[n] = '\0';
	put_word(r, n > 0 ? text : "?");
}

static void
put_value(struct response *r, const struct response_code *c, enum value value)
{
	switch (value) {
	case NO_VALUE:
		break;
	case NUMBER:
		put_number(r, c->number);
		break;
	case SET:
		put_set(r, c->set);
		break;
	case APPENDUID:
		put_number(r, c->number);
		put_set(r, c->set);
		break;
	case COPYUID:
		put_number(r, c->number);
		put_set(r, c->set);
		put_set(r, c->to);
		break;
	case OBJECT:
		put_open(r);
		put_astring(r, c->text);
		put_close(r);
		break;
	case QUOTED:
		put_string(r, c->text);
		break;
	case URL:
		put_url(r, c->text);
		break;
	case WORDS:
		put_open(r);
		put_raw(r, c->text);
		put_close(r);
		break;
	case REACHED:
		put_number(r, c->number);
		if (c->uid != 0)
			put_number(r, c->uid);
		break;
	case LIST:
		log_bug(__FILE__, __LINE__, "a code whose value is a list");
	}
}

void
put_code(struct response *r, const struct response_code *c)
{
	if (c->code == CODE_NONE)
		return;
	put_code_open(r, c->code);
	put_value(r, c, codes[c->code].value);
	put_code_close(r);
}

void
put_condition_begin(struct response *r, struct bytes tag, const char *condition)
{
	log_assert(r->depth == 0 && r->literal == 0 && !r->space);
	put_raw(r, tag.n > 0 ? tag : BYTES("*"));
	put_word(r, condition);
}

void
put_condition(struct response *r, struct bytes tag, const char *condition,
    const struct response_code *c, const char *text)
{
	put_condition_begin(r, tag, condition);
	put_code(r, c);
	put_text(r, text);
	put_end(r);
}
