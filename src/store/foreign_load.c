/*
 * Reading what another server left in a folder.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "foreign.h"
#include "log.h"
#include "text.h"

#define UPDATE_MAX ((size_t)65536)	/* of the keywords of one message */
#define UPDATES_MAX ((size_t)1000000)

/* What is no file says nothing. */
static bool
is_file(int dir, const char *name, struct stat *st)
{
	return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0
	    && S_ISREG(st->st_mode);
}

static bool
younger(int dir, const char *a, const char *b)
{
	struct stat x, y;

	if (!is_file(dir, a, &x))
		return false;
	if (!is_file(dir, b, &y))
		return true;
	return x.st_mtim.tv_sec != y.st_mtim.tv_sec
	    ? x.st_mtim.tv_sec > y.st_mtim.tv_sec
	    : x.st_mtim.tv_nsec >= y.st_mtim.tv_nsec;
}

/*
 * 1 when there is such a file, 0, -1. A directory or a device of that name has
 * no UIDs that could be lost by opening the mail without it.
 */
static int
load(int dir, const char *name, size_t max, struct buf *out)
{
	*out = BUF_INIT(max);
	if (text_load(dir, name, out) == 0)
		return 1;
	return errno == ENOENT || errno == ELOOP || errno == EILSEQ
	    || errno == ENXIO ? 0 : -1;
}

/* ---- Courier's keywords ---- */

struct update {
	struct foreign_message *m;
	uint64_t tick;
	char *file;
};

static int
by_message_and_tick(const void *a, const void *b)
{
	const struct update *x = a, *y = b;

	if (x->m != y->m)
		return x->m < y->m ? -1 : 1;
	return x->tick < y->tick ? -1 : x->tick > y->tick;
}

static int
gather_updates(DIR *d, const struct foreign *f, struct update **out, size_t *n)
{
	struct update *v = NULL, *more;
	struct dirent *e;
	struct bytes key;
	uint64_t tick;
	size_t cap = 0;

	*out = NULL;
	while ((e = readdir(d)) != NULL && *n < UPDATES_MAX) {
		struct foreign_message *m;

		if (!foreign_courier_update(bytes_of(e->d_name), &tick, &key)
		    || (m = foreign_find(f, key)) == NULL)
			continue;
		if (*n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			more = reallocarray(v, cap, sizeof *v);
			if (more == NULL)
				break;
			v = more;
		}
		v[*n] = (struct update){ m, tick, strdup(e->d_name) };
		if (v[*n].file == NULL)
			break;
		++*n;
	}
	*out = v;
	return e == NULL || *n == UPDATES_MAX ? 0 : -1;
}

/* The last one for a message counts, so they are read in their order. */
static int
load_updates(int dir, struct foreign *f)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct update *v = NULL;
	struct buf text;
	size_t n = 0;

	if (d == NULL)
		return -1;
	rc = gather_updates(d, f, &v, &n);
	if (n > 0)
		qsort(v, n, sizeof *v, by_message_and_tick);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && load(dir, v[i].file, UPDATE_MAX, &text) > 0)
			foreign_courier_message(buf_contents(&text), f, v[i].m);
		if (rc == 0)
			buf_free(&text);
		free(v[i].file);
	}
	free(v);
	closedir(d);
	return rc;
}

static int
courier_keywords(int dir, struct foreign *f)
{
	int fd = openat(dir, COURIER_KEYWORDS,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct buf text;
	int rc;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? 0 : -1;
	rc = load(fd, COURIER_KEYWORDS_LIST, FOREIGN_FILE_MAX, &text);
	if (rc > 0)
		foreign_courier_keywords(buf_contents(&text), f);
	buf_free(&text);
	if (rc >= 0)
		rc = load_updates(fd, f);
	close(fd);
	return rc < 0 ? -1 : 0;
}

/* ---- a folder ---- */

/* A list that begins with nothing we know is no list. */
static int
parsed(int rc)
{
	if (rc == 0)
		return 1;
	return errno == EILSEQ ? 0 : -1;
}

static int
load_dovecot(int dir, struct foreign *f)
{
	int rc = load(dir, DOVECOT_UIDLIST, FOREIGN_FILE_MAX, &f->text[0]);

	if (rc > 0)
		rc = parsed(foreign_uidlist(buf_contents(&f->text[0]), f));
	if (rc <= 0)
		return rc;
	f->source = DOVECOT_UIDLIST;
	rc = load(dir, DOVECOT_KEYWORDS, FOREIGN_SMALL_FILE_MAX, &f->text[1]);
	if (rc > 0)
		foreign_dovecot_keywords(buf_contents(&f->text[1]), f);
	return rc < 0 ? -1 : 1;
}

static int
load_courier(int dir, struct foreign *f)
{
	int imap, pop3;

	f->courier = true;
	imap = load(dir, COURIER_UIDLIST, FOREIGN_FILE_MAX, &f->text[0]);
	if (imap > 0)
		imap = parsed(foreign_uidlist(buf_contents(&f->text[0]), f));
	pop3 = imap < 0 ? -1
	    : load(dir, COURIER_SIZES, FOREIGN_FILE_MAX, &f->text[2]);
	if (pop3 > 0)
		pop3 = parsed(foreign_courier_sizes(buf_contents(&f->text[2]), f));
	if (imap < 0 || pop3 < 0)
		return -1;
	if (imap == 0 && pop3 == 0)
		return 0;
	f->source = imap > 0 ? COURIER_UIDLIST : COURIER_SIZES;
	if (f->uid_next == 0)
		f->uid_next = 1;
	return courier_keywords(dir, f) < 0 ? -1 : 1;
}

int
foreign_load(int dir, struct foreign *out)
{
	bool dovecot = younger(dir, DOVECOT_UIDLIST, COURIER_UIDLIST)
	    && younger(dir, DOVECOT_UIDLIST, COURIER_SIZES);
	struct stat st;
	int rc;

	*out = (struct foreign){ 0 };
	if (!is_file(dir, DOVECOT_UIDLIST, &st)
	    && fstatat(dir, DOVECOT_UIDLIST, &st, AT_SYMLINK_NOFOLLOW) == 0)
		log_warn(DOVECOT_UIDLIST " is not a file, passed over");
	rc = dovecot ? load_dovecot(dir, out) : load_courier(dir, out);
	if (rc <= 0) {
		int saved = errno;

		foreign_free(out);
		errno = saved;
	}
	return rc;
}
