/*
 * mailreeve leave: files of Dovecot.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include "../store/foreign.h"
#include "../store/layout.h"
#include "leave.h"

#define LIST_MAX ((size_t)8 << 20)

static int
write_uidlist(const struct leaving *l)
{
	struct buf text = BUF_INIT(FOREIGN_FILE_MAX);
	int rc;

	buf_printf(&text, "3 V%u N%u G%08x%08x%08x%08x\n", l->state.uidvalidity,
	    l->state.uid_bound, arc4random(), arc4random(), arc4random(),
	    arc4random());
	for (size_t i = 0; i < l->n; i++) {
		struct bytes id = uidls_find(&l->uidls, l->v[i].uid);

		buf_number(&text, l->v[i].uid);
		if (id.n > 0)
			buf_printf(&text, " P%.*s", (int)id.n, (const char *)id.p);
		buf_printf(&text, " :%s\n", leaving_name(l, i));
	}
	rc = leave_file(l->f->dir, DOVECOT_UIDLIST, &text);
	buf_free(&text);
	return rc;
}

/* Those that have letters; Dovecot has the others in its index only. */
static int
write_keywords(const struct leaving *l)
{
	struct buf text = BUF_INIT(LIST_MAX);
	int rc = 0;

	for (unsigned i = 0; i < KEYWORD_LETTERS; i++)
		if (l->f->keywords.name[i] != NULL)
			buf_printf(&text, "%u %s\n", i, l->f->keywords.name[i]);
	if (text.len > 0)
		rc = leave_file(l->f->dir, DOVECOT_KEYWORDS, &text);
	buf_free(&text);
	return rc;
}

static int
dovecot_folder(const struct leaving *l)
{
	return write_keywords(l) < 0 ? -1 : write_uidlist(l);
}

/* Levels between tabs, in modified UTF-7, as version 2 has them. */
static int
dovecot_subscriptions(struct store *s, const struct name_list *names)
{
	char disk[LAYOUT_DISK_MAX + 1];
	struct buf text = BUF_INIT(LIST_MAX);
	int rc;

	buf_text(&text, "V\t2\n\n");
	for (size_t i = 0; i < names->n; i++) {
		if (layout_inbox(bytes_of(names->v[i].name))) {
			buf_text(&text, "INBOX\n");
			continue;
		}
		if (layout_to_disk(bytes_of(names->v[i].name), disk) < 0)
			continue;
		for (const char *c = disk + 1; *c != '\0'; c++)
			buf_byte(&text, *c == '.' ? '\t' : (unsigned char)*c);
		buf_byte(&text, '\n');
	}
	rc = leave_file(s->root, DOVECOT_SUBSCRIPTIONS, &text);
	buf_free(&text);
	return rc;
}

const struct server dovecot_server = {
	.name = "dovecot",
	.folder = dovecot_folder,
	.subscriptions = dovecot_subscriptions,
};
