/*
 * Addresses of header fields (RFC 5322 section 3.4, with the obsolete syntax
 * of section 4.4 and 8-bit text of RFC 6532).
 *
 * Any bytes give some list of addresses in time linear to their number. Encoded
 * words stay encoded. A comment behind an address without a name is its name.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "buf.h"

enum address_kind {
	ADDRESS_MAILBOX = 1,
	ADDRESS_GROUP,			/* begins: mailbox is the group's name */
	ADDRESS_GROUP_END,		/* every group that begins also ends */
};

/* Texts are without quoting, comments and folds. */
struct address {
	enum address_kind kind;
	struct bytes name;		/* display name; n is 0 when there is none */
	struct bytes route;		/* obs-route as written: @a,@b */
	struct bytes mailbox;		/* local part; may be empty */
	struct bytes host;		/* domain; empty when it is missing */
};

struct addresses {
	struct bytes rest;
	struct buf text;
	struct buf comment;
	bool in_group;
	bool end_due;			/* a group ends before the next address */
	bool no_quote;			/* no quoted string ends in rest: quotes are text */
	bool no_comment;
};

/* Begins with the value of a field as stored. */
void addresses_begin(struct addresses *a, struct bytes value);

/* 1 and the next, whose texts are valid until the next call; 0 at the end; -1. */
int addresses_next(struct addresses *a, struct address *out);

void addresses_end(struct addresses *a);

/*
 * Sort keys from a field's first address: its mailbox (RFC 5256 section 3), and
 * what is displayed for it (RFC 5957): decoded name or mailbox@host. UTF-8, not
 * folded; nothing is appended for an empty list.
 */
int address_sort_mailbox(struct bytes value, struct buf *out);
int address_sort_display(struct bytes value, struct buf *out);

/* Appends all addresses as an ENVELOPE has them, "name <mailbox@host>, ", decoded. */
int address_search_text(struct bytes value, struct buf *out);

#endif
