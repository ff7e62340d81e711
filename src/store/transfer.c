/*
 * New messages in a folder.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "transfer.h"

#define ROWS_IN_ONE 10000

static bool
any_live(void *arg, uint32_t uid)
{
	(void)arg;
	(void)uid;
	return true;
}

/*
 * Keywords without a letter are written before the message is there: it never
 * lacks them, also after a power cut; a line for a UID that never comes is
 * harmless.
 */
static int
write_extra(struct bound *to, const struct draft *v, size_t n)
{
	struct uid_keywords *k;
	size_t some = 0;
	int rc = 0;

	if (to->folder->store->ops->keywords_inside)
		return 0;
	k = reallocarray(NULL, n, sizeof *k);
	if (k == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		k[some] = (struct uid_keywords){ v[i].uid, v[i].keywords };
		k[some].set.bits[0] &= ~(uint64_t)keywords_letters(&k[some].set);
		some += keywords_need_flags(&k[some].set);
	}
	if (some > 0)
		rc = keywords_flags_add(to->folder->dir, k, some, any_live, NULL) < 0
		    || keywords_flags_sync(to->folder->dir) < 0 ? -1 : 0;
	free(k);
	return rc;
}

int
transfer_reserve(struct bound *to, struct draft *v, size_t n, uint64_t *modseq)
{
	if (bound_reserve(to, (uint32_t)n, modseq) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		v[i].uid = to->rec.uid_next + (uint32_t)i;
	to->dirty = true;
	return write_extra(to, v, n);
}

static int
index_some(struct bound *to, const struct draft *v, size_t n, uint64_t modseq)
{
	struct runs added = RUNS_INIT;
	int rc = bound_begin(to);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct index_row row = { .uid = v[i].uid, .flags = v[i].flags,
		    .keywords = v[i].keywords, .mark = v[i].mark,
		    .size = v[i].wire_size, .date = v[i].date,
		    .saved = time(NULL) };

		memcpy(row.where, v[i].where, sizeof row.where);
		rc = bound_put_row(to, NULL, &row, modseq);
		if (rc == 0)
			rc = runs_add(&added, row.uid, row.uid);
		to->rec.uid_next = row.uid + 1;
	}
	if (rc == 0)
		rc = index_runs_change(to->mail->db, to->rec.number, &added, NULL);
	if (rc == 0)
		rc = bound_commit(to);
	else
		bound_abort(to);
	runs_free(&added);
	return rc;
}

int
transfer_index(struct bound *to, const struct draft *v, size_t n, uint64_t modseq)
{
	for (size_t i = 0; i < n; i += ROWS_IN_ONE)
		if (index_some(to, v + i, n - i < ROWS_IN_ONE ? n - i
		    : ROWS_IN_ONE, modseq) < 0)
			return -1;
	return 0;
}

int
transfer_keyword(struct folder *to, struct bytes name, struct keyword_set *set)
{
	int i = keywords_number(&to->keywords, to->dir, name, false);

	if (i < 0 && errno == ENOENT) {
		if (folder_lock(to) < 0)
			return -1;
		i = keywords_number(&to->keywords, to->dir, name, true);
		folder_unlock(to);
	}
	if (i < 0)
		return -1;
	keyword_put(set, (unsigned)i);
	return 0;
}
