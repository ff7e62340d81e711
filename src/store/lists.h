/*
 * Small lists about a user's mailboxes, as text in the root of the store:
 * what is subscribed, and which mailbox serves which special use (RFC 6154).
 */
#ifndef STORE_LISTS_H
#define STORE_LISTS_H

#include "store.h"

#define SUBSCRIPTIONS_FILE "mailreeve-subscriptions"
#define USES_FILE "mailreeve-special-use"

/* Names, sorted, each with the bits of its uses (0 in the subscriptions). */
struct name_list {
	struct listed {
		char *name;
		unsigned uses;
	} *v;
	size_t n;
};

void name_list_free(struct name_list *l);
/* Adds a name at the end, without sorting. */
int name_list_add(struct name_list *l, struct bytes name);
const struct listed *name_list_find(const struct name_list *l, struct bytes name);

/* A missing file is an empty list. */
int lists_subscribed(struct store *s, struct name_list *out);
int lists_uses(struct store *s, struct name_list *out);

/* All under the lock on names. */
int lists_subscribe(struct store *s, struct bytes name, bool on);
/* Those of the list too, in one step. */
int lists_subscribe_all(struct store *s, const struct name_list *more);
int lists_set_use(struct store *s, struct bytes name, unsigned uses);
/* A mailbox was renamed, with all below it; or deleted (to is empty). */
int lists_renamed(struct store *s, struct bytes from, struct bytes to);

/* Makes an empty list of uses, which says that the user was here. */
int lists_begin_uses(struct store *s);
/* True when the list of uses was never made: the user is here first time. */
bool lists_first_visit(struct store *s);

#endif
