/*
 * Names of message files: UNIQUE,S=size,W=crlfsize,U=uidvalidity.uid:2,flags
 * (mailreeve-maildir(5)).
 *
 * Fields stand in any order; those we do not know are kept. Flags we do not
 * know are kept too.
 */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include "bytes.h"

#define FILE_NAME_MAX 255
#define FILE_SIZE_UNKNOWN UINT64_MAX

struct file_name {
	struct bytes base;		/* before the info part */
	uint32_t uidvalidity, uid;	/* U=; both 0 without a good one */
	uint64_t size, wire_size;	/* S=, W= as they claim */
	unsigned flags;			/* enum mail_flags */
	uint32_t letters;		/* bit 0: keyword letter a */
	uint32_t others;		/* bit 0: flag A, for those without meaning here */
};

void name_parse(struct bytes file, struct file_name *out);

/*
 * The name with this identity and these flags instead of its own; letters and
 * flags are taken from n. uid 0 leaves U= out. Returns its length, or 0 when
 * it would be longer than FILE_NAME_MAX.
 */
size_t name_format(const struct file_name *n, uint32_t uidvalidity, uint32_t uid,
    char out[FILE_NAME_MAX + 1]);

/* A new UNIQUE part: no other file anywhere has it. Returns its length. */
#define UNIQUE_MAX 80
size_t name_unique(char out[UNIQUE_MAX + 1]);

/*
 * Bits that differ when the name does: the upper half for what stands before
 * the info part, the lower half for the rest. Never 0.
 */
#define NAME_MARK_MASK (UINT64_MAX >> 1)
uint64_t name_mark(const char *folder_part, struct bytes file);

/* What no program changes of a file's name: all before a field or the info part. */
struct bytes name_unique_part(struct bytes file);

/* The time of its delivery, with which names begin. */
uint64_t name_age(struct bytes file);
/* The order in which files without a UID are given one: by age, then name. */
int name_order(struct bytes a, struct bytes b);

#endif
