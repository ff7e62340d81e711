/*
 * How much mail a user may have.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "mailbox.h"
#include "quota.h"
#include "text.h"

#define SIZE_FILE "maildirsize"
/* Maildir++ says that the file is made anew when it is larger than 5120. */
#define SIZE_FILE_MAX ((size_t)65536)

struct limits {
	uint64_t octets, messages;	/* 0: none */
};

static uint64_t
stricter(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* "1000000S,500C": what ends in another letter is not for us. */
static void
read_definition(struct bytes line, struct limits *l)
{
	while (line.n > 0) {
		struct bytes part = bytes_split(&line, ',');
		uint64_t n;

		if (part.n < 2 || bytes_number(bytes_first(part, part.n - 1),
		    INT64_MAX, &n) < 0)
			continue;
		if (part.p[part.n - 1] == 'S')
			l->octets = stricter(l->octets, n);
		else if (part.p[part.n - 1] == 'C')
			l->messages = stricter(l->messages, n);
	}
}

static struct limits
limits_of(struct mail *m)
{
	struct limits l = { m->conf->quota_storage, m->conf->quota_messages };
	struct buf text = BUF_INIT(SIZE_FILE_MAX);
	struct bytes rest, line;

	if (text_load(m->store->root, SIZE_FILE, &text) == 0) {
		rest = buf_contents(&text);
		if (text_line(&rest, &line))
			read_definition(line, &l);
	}
	buf_free(&text);
	return l;
}

bool
quota_is_set(struct mail *m)
{
	struct limits l = limits_of(m);

	return l.octets != 0 || l.messages != 0;
}

/* ---- usage ---- */

struct usage {
	struct mail *mail;
	uint64_t octets, messages;
};

static int
add_counters(struct mailbox *b, struct usage *u)
{
	struct mailbox_status st;

	if (b->b.rec.sizes_unknown == 0) {
		u->octets += b->b.rec.size;
		u->messages += b->b.rec.messages;
		return 0;
	}
	if (mailbox_status_now(b, STATUS_SIZES, &st) < 0)
		return -1;
	u->octets += st.size;
	u->messages += st.messages;
	return 0;
}

static int
add_mailbox(void *arg, const struct mailbox_name *name)
{
	struct mailbox b = { .read_only = true, .exclusive = -1 };
	struct usage *u = arg;
	int rc, saved;

	if (name->attributes & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT))
		return 0;
	/* One that goes while we count counts no more. */
	if (bound_open(u->mail, name->name, &b.b) < 0)
		return errno == ENOENT ? 0 : -1;
	rc = bound_sync(&b.b);
	if (rc == 0)
		rc = add_counters(&b, u);
	saved = errno;
	pending_free(&b.pending);
	bound_close(&b.b);
	errno = saved;
	return rc < 0 && errno == ESTALE ? 0 : rc;
}

/* From the index, which looks where something changed: nothing adds up wrongly. */
static int
count_usage(struct mail *m, struct usage *u)
{
	*u = (struct usage){ .mail = m };
	return mail_list(m, add_mailbox, u);
}

static bool
over(uint64_t used, uint64_t more, uint64_t limit)
{
	return limit != 0 && more > 0 && (used > limit || more > limit - used);
}

int
quota_room(struct mail *m, uint64_t octets, uint64_t messages)
{
	struct limits l = limits_of(m);
	struct usage u;

	if (l.octets == 0 && l.messages == 0)
		return 0;
	if (count_usage(m, &u) < 0)
		return -1;
	if (!over(u.octets, octets, l.octets)
	    && !over(u.messages, messages, l.messages))
		return 0;
	errno = EDQUOT;
	return -1;
}

int
mail_quota(struct mail *m, struct mail_quota v[MAIL_QUOTA_ROOTS_MAX])
{
	struct limits l = limits_of(m);
	struct usage u;
	int n = 0;

	if (l.octets != 0 || l.messages != 0) {
		if (count_usage(m, &u) < 0)
			return -1;
		v[n++] = (struct mail_quota){ .root = "mail",
		    .octets_limit = l.octets, .octets_used = u.octets,
		    .messages_limit = l.messages, .messages_used = u.messages };
	}
	v[n] = (struct mail_quota){ .root = "filesystem" };
	if (quota_of_system(m->store->root, m->store->path, &v[n].octets_used,
	    &v[n].octets_limit))
		n++;
	return n;
}
