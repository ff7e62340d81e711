/*
 * LIST responses that nobody asked for.
 * Runs as: the mailbox owner.
 */
#include "oldname.h"

static void
put_oldname(struct response *r, struct bytes given)
{
	put_open(r);
	put_string(r, BYTES("OLDNAME"));
	put_open(r);
	put_mailbox(r, given);
	put_close(r);
	put_close(r);
}

void
tell_list(struct session *s, const char *attribute, struct bytes name,
    struct bytes given)
{
	struct response *r = &s->out;

	put_untagged(r, "LIST");
	put_open(r);
	if (attribute != NULL)
		put_word(r, attribute);
	put_close(r);
	put_string(r, BYTES("/"));
	put_mailbox(r, name);
	if (!bytes_equal(name, given))
		put_oldname(r, given);
	put_end(r);
}

void
tell_oldname(struct session *s, const char *attribute, struct bytes name,
    struct bytes given)
{
	if ((s->enabled & ENABLED_REV2) != 0 && !bytes_equal(name, given))
		tell_list(s, attribute, name, given);
}
