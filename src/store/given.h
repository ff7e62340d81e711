/*
 * UIDs that were given to messages whose file names do not show them yet:
 * mailreeve-uids, a line "uidvalidity N" and then lines "UID UNIQUE".
 *
 * Renaming a hundred thousand files takes seconds, writing down who they are
 * does not. A file is known by the unique part of its name, which no program
 * changes: mutt and others rename files for their flags, and what they rename
 * keeps its UID. A U= in the name counts before any line here; so the lines of
 * files that were renamed since are of no account, and the file goes when no
 * name lacks its UID any more. Lines are only added, under the folder's lock.
 */
#ifndef STORE_GIVEN_H
#define STORE_GIVEN_H

#include "store.h"

#define GIVEN_FILE "mailreeve-uids"
#define GIVEN_FILE_MAX ((size_t)128 << 20)
/* No more lines than this: 16 MB of memory. Further files are renamed. */
#define GIVEN_LINES_MAX ((size_t)3 << 19)

/* What it says, read anew when the file changed. -1 with errno. */
int given_load(struct folder *f);
/*
 * The same for one who will ask for few files: those are looked for in the
 * file when they are asked for, which costs little where it is long.
 */
int given_glance(struct folder *f);
/* Closes the file until it is asked for again; and forgets it. */
void given_rest(struct folder *f);
void given_free(struct folder *f);

/* Of which UIDVALIDITY the UIDs are (0: nothing was given), and the highest. */
uint32_t given_validity(const struct folder *f);
uint32_t given_highest(const struct folder *f);

/* The UID given to a file of that unique part; 0: none. -1 with errno. */
int given_find(struct folder *f, struct bytes unique, uint32_t *uid);

/*
 * Adds n lines; given_durable() makes them so. Those that cannot be, since the
 * unique part is taken, get error EEXIST; -1 when nothing was written at all.
 */
struct given_uid {
	struct bytes unique;
	uint32_t uid;
	int error;
};
int given_add(struct folder *f, uint32_t uidvalidity, struct given_uid *v,
    size_t n);
int given_durable(struct folder *f);

/* Every name shows its UID now, durably: the file goes. */
int given_end(struct folder *f);

#endif
