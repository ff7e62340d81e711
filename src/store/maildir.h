/*
 * What the files of the Maildir format share.
 */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include "layout.h"
#include "name.h"
#include "store.h"

/* Directory numbers as watches and locators know them. */
enum { IN_NEW, IN_CUR };

/*
 * A locator is "new/NAME" or "cur/NAME". The directory's descriptor and the
 * name in it.
 */
int maildir_at(const struct folder *f, const char *where, const char **name);
static inline int
maildir_which(const char *where)
{
	return where[0] == 'n' ? IN_NEW : IN_CUR;
}

/* Fills where and mark for a file of that name in cur/. */
void maildir_locate(const char *name, char where[LOCATOR_MAX], uint64_t *mark);

/* Its tmp/, opened when first needed. */
int maildir_tmp(struct folder *f);

/* Makes folder at path below dir with its three directories, durably. */
int maildir_make(int dir, const char *path, bool is_inbox);

/* maildir_names.c: the directory of that name; EINVAL: there can be none. */
int maildir_disk(const struct store *s, struct bytes name,
    char out[LAYOUT_DISK_MAX + 1]);
int maildir_list(struct store *s, int (*fn)(void *arg, struct bytes name,
    enum listed_as is), void *arg);
int maildir_list_stamp(struct store *s, struct stamp_part *out);
bool maildir_exists(struct store *s, struct bytes name);
int maildir_create(struct store *s, struct bytes name);
int maildir_remove(struct store *s, struct bytes name);
int maildir_rename(struct store *s, struct bytes from, struct bytes to);
int maildir_recover(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to);

/* maildir_scan.c */
int maildir_stamp(struct folder *f, struct stamp *out);
int maildir_glance(struct store *s, struct bytes name, struct glimpse *out);
int maildir_glance_files(struct store *s, struct bytes name, struct glimpse *out);
int maildir_settle(struct folder *f, const struct stamp *known,
    struct stamp *out);
int maildir_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg);
int maildir_marks(struct folder *f, void (*fn)(void *arg, uint64_t mark),
    void *arg);

/* maildir_deliver.c */
int maildir_draft_begin(struct folder *f, struct draft *d);
int maildir_draft_seal(struct folder *f, struct draft *d);
void maildir_draft_start(struct folder *f, struct draft *d);
void maildir_draft_drop(struct folder *f, struct draft *d);
int maildir_deliver(struct folder *f, uint32_t uidvalidity, struct draft *v,
    size_t n);
int maildir_copy(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n, bool move, size_t *done);
void maildir_tidy(struct folder *f);

#endif
