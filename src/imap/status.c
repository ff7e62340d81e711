/*
 * STATUS.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "status.h"

enum kind { COUNT32, COUNT64, OBJECT, LIMIT };

/* RFC 3501, 9051, 7162, 7889, 8438, 8474, 9208. */
static const struct {
	const char *name;
	enum kind kind;
	size_t at;			/* offset in struct mailbox_status */
	unsigned want;
	bool condstore;			/* asking for it turns CONDSTORE on (RFC 7162 3.1) */
} items[] = {
#define AT(field) offsetof(struct mailbox_status, field)
	{ "MESSAGES", COUNT64, AT(messages), STATUS_COUNTS, false },
	{ "RECENT", COUNT64, AT(recent), STATUS_COUNTS, false },
	{ "UIDNEXT", COUNT32, AT(uidnext), STATUS_COUNTS, false },
	{ "UIDVALIDITY", COUNT32, AT(uidvalidity), STATUS_COUNTS, false },
	{ "UNSEEN", COUNT64, AT(unseen), STATUS_COUNTS, false },
	{ "DELETED", COUNT64, AT(deleted), STATUS_COUNTS, false },
	{ "SIZE", COUNT64, AT(size), STATUS_SIZES, false },
	{ "DELETED-STORAGE", COUNT64, AT(deleted_size), STATUS_SIZES, false },
	{ "HIGHESTMODSEQ", COUNT64, AT(highest_modseq), STATUS_COUNTS, true },
	{ "MAILBOXID", OBJECT, AT(id), STATUS_COUNTS, false },
	{ "APPENDLIMIT", LIMIT, 0, STATUS_COUNTS, false },
#undef AT
};

#define ITEMS (sizeof items / sizeof items[0])

static int
status_item(struct lex *x, unsigned *set)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		if (!lex_word(x, items[i].name))
			continue;
		*set |= 1u << i;
		return 0;
	}
	return lex_fail(x, EINVAL, "Unknown STATUS item");
}

int
status_items(struct lex *x, unsigned *set)
{
	*set = 0;
	if (lex_char(x, '(') < 0)
		return -1;
	do
		if (status_item(x, set) < 0)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')');
}

static void
put_item(struct session *s, const struct mailbox_status *st, size_t i)
{
	const void *at = (const char *)st + items[i].at;
	struct response *r = &s->out;

	put_word(r, items[i].name);
	switch (items[i].kind) {
	case COUNT32:
		put_number(r, *(const uint32_t *)at);
		break;
	case COUNT64:
		put_number(r, *(const uint64_t *)at);
		break;
	case OBJECT:
		put_open(r);
		put_astring(r, bytes_make(at, strnlen(at, MAILBOX_ID_MAX)));
		put_close(r);
		break;
	case LIMIT:
		put_number(r, s->conf->append_limit);
		break;
	}
}

int
tell_status(struct session *s, struct bytes name, unsigned set)
{
	struct mailbox_status st;
	unsigned want = STATUS_COUNTS;
	bool condstore = false;

	for (unsigned i = 0; i < ITEMS; i++) {
		if ((set & 1u << i) == 0)
			continue;
		want |= items[i].want;
		condstore = condstore || items[i].condstore;
	}
	if (mail_status(s->mail, name, want, &st) < 0)
		return -1;
	if (condstore)
		session_enable_condstore(s);
	put_untagged(&s->out, "STATUS");
	put_mailbox(&s->out, name);
	put_open(&s->out);
	for (unsigned i = 0; i < ITEMS; i++)
		if ((set & 1u << i) != 0)
			put_item(s, &st, i);
	put_close(&s->out);
	put_end(&s->out);
	return 0;
}

struct outcome
cmd_status(struct session *s, struct call *c)
{
	struct bytes name;
	unsigned set;

	if (lex_mailbox(&c->args, &name) < 0 || lex_space(&c->args) < 0
	    || status_items(&c->args, &set) < 0 || lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	if (tell_status(s, name, set) < 0)
		return failed(errno);
	return ok("STATUS completed");
}
