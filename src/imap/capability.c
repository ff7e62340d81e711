/*
 * What this server can do, as CAPABILITY and ENABLE see it.
 * Runs as: the mailbox owner.
 */
#include <stdio.h>

#include "commands.h"
#include "messagelimit.h"

/* Capabilities that belong to no command of their own. */
static const struct feature {
	const char *name;
	unsigned enable;		/* enum enabled: what ENABLE turns on; 0: cannot be */
} features[] = {
	{ "IMAP4rev1", 0 },
	{ "IMAP4rev2", ENABLED_REV2 },
	{ "LITERAL+", 0 },
	{ "CHILDREN", 0 },
	{ "SPECIAL-USE", 0 },
	{ "CREATE-SPECIAL-USE", 0 },
	{ "LIST-EXTENDED", 0 },
	{ "LIST-STATUS", 0 },
	{ "STATUS=SIZE", 0 },
	{ "MULTIAPPEND", 0 },
	{ "CATENATE", 0 },
	{ "URL-PARTIAL", 0 },		/* RFC 5550 section 5.7.1 */
	{ "METADATA-SERVER", 0 },
	{ "LIST-METADATA", 0 },
	{ "SEARCHRES", 0 },
	{ "SEARCH=FUZZY", 0 },
	{ "WITHIN", 0 },
	{ "ESORT", 0 },
	{ "CONTEXT=SORT", 0 },
	{ "SORT=DISPLAY", 0 },
	{ "THREAD=ORDEREDSUBJECT", 0 },
	{ "THREAD=REFS", 0 },
	{ "I18NLEVEL=1", 0 },
	{ "BINARY", 0 },
	{ "PREVIEW", 0 },
	{ "OBJECTID", 0 },
	{ "UIDONLY", ENABLED_UIDONLY },
	{ "QUOTA=RES-STORAGE", 0 },
	{ "QUOTA=RES-MESSAGE", 0 },
	{ "SAVEDATE", 0 },
	{ "PARTIAL", 0 },
	{ "INPROGRESS", 0 },
	{ "CONDSTORE", ENABLED_CONDSTORE },
	{ "QRESYNC", ENABLED_QRESYNC | ENABLED_CONDSTORE },
	{ "UTF8=ACCEPT", ENABLED_UTF8 },
};

#define FEATURES (sizeof features / sizeof features[0])
_Static_assert(FEATURES <= 64, "numbers of features are bits of a set");

/* COMPRESS cannot be used twice (RFC 4978 section 3). */
static bool
offered(const struct session *s, const struct command *row)
{
	return row->capability != NULL
	    && (row->run != cmd_compress || s->stream.filter == NULL);
}

/* True when an earlier row has the capability of this one already. */
static bool
named_before(const struct command *row)
{
	for (const struct command *c = commands; c < row; c++)
		if (c->capability != NULL
		    && strcmp(c->capability, row->capability) == 0)
			return true;
	return false;
}

void
put_capabilities(struct session *s)
{
	char limit[sizeof "APPENDLIMIT=" + 20];

	for (size_t i = 0; i < FEATURES; i++)
		put_word(&s->out, features[i].name);
	for (const struct command *c = commands; c->name != NULL; c++)
		if (offered(s, c) && !named_before(c))
			put_word(&s->out, c->capability);
	/* RFC 7889: the same for every mailbox. */
	snprintf(limit, sizeof limit, "APPENDLIMIT=%llu",
	    (unsigned long long)s->conf->append_limit);
	put_word(&s->out, limit);
	put_message_limits(s);
}

int
capability_enables(struct bytes name, const char **canonical, unsigned *bits)
{
	for (size_t i = 0; i < FEATURES; i++) {
		if (features[i].enable == 0
		    || !bytes_case_equal(name, bytes_of(features[i].name)))
			continue;
		*canonical = features[i].name;
		*bits = features[i].enable;
		return (int)i;
	}
	return -1;
}
