/*
 * mailreeve adopt: takes a Maildir over from Dovecot or Courier.
 * Runs as: the mailbox owner.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../store/lists.h"
#include "../store/takeover.h"
#include "each.h"
#include "tool.h"

static void
tell(const char *name, const struct takeover *t)
{
	char validity[16] = "new";

	if (t->uidvalidity != 0)
		snprintf(validity, sizeof validity, "%u", t->uidvalidity);
	tool_print(name);
	printf(": %s: %llu messages, %llu others, UIDVALIDITY %s, next UID %u, "
	    "%u keywords, %llu unique-ids\n", t->source,
	    (unsigned long long)t->messages, (unsigned long long)t->others,
	    validity, t->uid_next, t->keywords,
	    (unsigned long long)t->unique_ids);
}

/* Under the folder's lock. A state of ours says that we were here before. */
static int
adopt_locked(struct folder *f, bool dry, struct takeover *t)
{
	struct state st;
	int rc;

	if (state_load(f->dir, &st) == 0)
		return 2;
	if (errno != ENOENT && errno != EILSEQ)
		return -1;
	rc = takeover_folder(f, dry ? NULL : &st, t);
	if (rc <= 0 || dry)
		return rc;
	/* The next session notes whose directory it is (bound.c). */
	state_new_id(st.id);
	return state_save(f->dir, &st) < 0 ? -1 : 1;
}

static int
adopt_folder(void *arg, struct folder *f)
{
	const bool *dry = arg;
	struct takeover t;
	int rc;

	if (folder_lock(f) < 0)
		return -1;
	rc = adopt_locked(f, *dry, &t);
	folder_unlock(f);
	if (rc == 1) {
		tell(f->name, &t);
	} else if (rc >= 0) {
		tool_print(f->name);
		printf(": %s\n", rc == 2 ? "Mailreeve's already"
		    : "nobody was here before");
	}
	return rc;
}

static void
tell_name(void *arg, const char *name, const char *to)
{
	(void)arg;
	printf("%s ", to != NULL ? "rename" : "subscribed:");
	tool_print(name);
	if (to != NULL)
		printf(" to %s", to);
	printf("\n");
}

/* At the first visit only: what was unsubscribed here since stays so. */
static int
adopt_lists(struct store *s, bool dry)
{
	int lock = dry ? -1 : store_lock_names(s), rc = 0;

	if (lock < 0 && !dry)
		return -1;
	if (lists_first_visit(s))
		rc = takeover_store(s, dry, tell_name, NULL);
	if (lock >= 0)
		store_unlock_names(lock);
	return rc;
}

static int
adopt(const struct config *conf, const struct subject *who, bool dry)
{
	struct store *store;
	size_t failed = 0;

	if (store_open(conf, &maildir_ops, who->maildir, &store) < 0) {
		warn("%s", who->maildir);
		return EX_NOINPUT;
	}
	if (adopt_lists(store, dry) < 0
	    || each_mailbox(store, adopt_folder, &dry, &failed) < 0) {
		warn("%s", who->maildir);
		failed++;
	}
	store_close(store);
	return fflush(stdout) != 0 ? EX_IOERR : failed > 0 ? TOOL_FOUND : TOOL_CLEAN;
}

int
adopt_main(const struct config *conf, int argc, char **argv)
{
	bool dry = argc > 0 && strcmp(argv[0], "--dry-run") == 0;
	struct subject who = { 0 };
	int rc;

	if (argc != 1 + dry || argv[dry][0] == '-')
		return tool_usage("adopt");
	rc = subject_enter(conf, argv[dry], false, &who);
	if (rc == 0)
		rc = adopt(conf, &who, dry);
	subject_free(&who);
	return rc;
}
