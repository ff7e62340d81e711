/*
 * MESSAGELIMIT and SAVELIMIT (RFC 9738).
 * Runs as: the mailbox owner.
 */
#include <stdio.h>

#include "limits.h"
#include "messagelimit.h"

static uint64_t
message_limit(const struct session *s)
{
	return s->conf->message_limit;
}

uint64_t
append_messages_max(const struct session *s)
{
	return limit_exceeded(s, APPEND_MESSAGES_MAX) ? message_limit(s)
	    : APPEND_MESSAGES_MAX;
}

static void
put_limit(struct session *s, const char *name, uint64_t limit)
{
	char text[sizeof "MESSAGELIMIT=" + 20];

	snprintf(text, sizeof text, "%s=%llu", name, (unsigned long long)limit);
	put_word(&s->out, text);
}

void
put_message_limits(struct session *s)
{
	if (message_limit(s) != 0)
		put_limit(s, "MESSAGELIMIT", message_limit(s));
	if (append_messages_max(s) != message_limit(s))
		put_limit(s, "SAVELIMIT", append_messages_max(s));
}

bool
limit_exceeded(const struct session *s, uint64_t messages)
{
	return message_limit(s) != 0 && messages > message_limit(s);
}

uint64_t
limit_of(const struct session *s)
{
	return message_limit(s) != 0 ? message_limit(s) : UINT64_MAX;
}

int
limit_cut_to(uint64_t most, struct runs *uids, uint32_t *lowest)
{
	uint32_t first;

	*lowest = 0;
	if (uids->count <= most)
		return 0;
	if (most == 0) {
		runs_clear(uids);
		*lowest = UINT32_MAX;
		return 0;
	}
	first = runs_nth(uids, uids->count - most + 1);
	if (runs_remove(uids, 1, first - 1) < 0)
		return -1;
	*lowest = first;
	return 0;
}

int
limit_cut(const struct session *s, struct runs *uids, uint32_t *lowest)
{
	return limit_cut_to(limit_of(s), uids, lowest);
}

static struct response_code
reached(uint64_t limit, uint32_t lowest)
{
	return (struct response_code){ .code = CODE_MESSAGELIMIT,
	    .number = limit, .uid = lowest };
}

struct outcome
limit_refused(uint64_t limit, uint32_t lowest)
{
	struct outcome o = no(CODE_MESSAGELIMIT, "Too many messages for one command");

	o.code = reached(limit, lowest);
	return o;
}

struct outcome
limit_said(struct session *s, uint32_t lowest, struct outcome o)
{
	struct response_code code = reached(message_limit(s), lowest);
	bool partly = o.code.code == CODE_EXPUNGEISSUED || o.code.code == CODE_MODIFIED;

	if (lowest == 0 || (o.result != RESULT_OK && !partly))
		return o;
	o.result = RESULT_OK;
	if (o.code.code != CODE_NONE) {
		put_condition(&s->out, BYTES(""), "NO", &code,
		    "Only the messages with the highest UIDs");
		return o;
	}
	o.code = code;
	return o;
}
