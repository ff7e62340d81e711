/*
 * Keywords of a folder.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keywords.h"
#include "sys.h"
#include "text.h"

#define NAMES_FILE_MAX \
	((size_t)MAIL_KEYWORDS_MAX * (MAIL_KEYWORD_LENGTH_MAX + 8))
#define FLAGS_FILE_MAX ((size_t)64 << 20)
#define FLAGS_LINE_MAX 512		/* 102 numbers and a UID */
/* A file smaller than this is never worth writing anew. */
#define FLAGS_REWRITE_MIN 65536

uint64_t
keywords_file_mark(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return KEYWORDS_NO_FILE;
	return ((uint64_t)st.st_ino * 31 + (uint64_t)st.st_size) * 31
	    + (uint64_t)st.st_mtim.tv_sec * 1000000000
	    + (uint64_t)st.st_mtim.tv_nsec + 2;
}


/* An atom (RFC 9051 section 9), so that what we read may be sent. */
static bool
is_atom(struct bytes name)
{
	if (name.n == 0 || name.n > MAIL_KEYWORD_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 127
		    || strchr("(){%*\"\\]", name.p[i]) != NULL)
			return false;
	return true;
}

static void
forget(struct keywords *k)
{
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		free(k->name[i]);
		k->name[i] = NULL;
	}
}

void
keywords_free(struct keywords *k)
{
	forget(k);
	k->file_mark = 0;
}

static int
find(const struct keywords *k, struct bytes name)
{
	for (int i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (k->name[i] != NULL
		    && bytes_case_equal(bytes_of(k->name[i]), name))
			return i;
	return -1;
}

static void
take_line(struct keywords *k, struct bytes line)
{
	struct bytes number = bytes_split(&line, ' ');
	uint64_t i;

	if (bytes_number(number, MAIL_KEYWORDS_MAX - 1, &i) < 0 || !is_atom(line)
	    || k->name[i] != NULL || find(k, line) >= 0)
		return;
	k->name[i] = strndup((const char *)line.p, line.n);
}

/* Names that stay keep their place in memory: callers hold pointers to them. */
static void
take_over(struct keywords *k, struct keywords *fresh)
{
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		if (k->name[i] != NULL && fresh->name[i] != NULL
		    && strcmp(k->name[i], fresh->name[i]) == 0)
			continue;
		free(k->name[i]);
		k->name[i] = fresh->name[i];
		fresh->name[i] = NULL;
	}
	forget(fresh);
}

void
keywords_load(struct keywords *k, int dir)
{
	struct buf text = BUF_INIT(NAMES_FILE_MAX);
	uint64_t mark = keywords_file_mark(dir, KEYWORDS_FILE);
	struct keywords fresh = { 0 };
	struct bytes rest, line;

	if (mark == k->file_mark)
		return;
	k->file_mark = mark;
	if (text_load(dir, KEYWORDS_FILE, &text) == 0) {
		rest = buf_contents(&text);
		while (text_line(&rest, &line))
			take_line(&fresh, line);
	}
	take_over(k, &fresh);
	buf_free(&text);
}

unsigned
keywords_count(const struct keywords *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (k->name[i] != NULL)
			n = i + 1;
	return n;
}

static int
save(struct keywords *k, int dir)
{
	struct buf text = BUF_INIT(NAMES_FILE_MAX);
	int rc;

	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (k->name[i] != NULL)
			buf_printf(&text, "%u %s\n", i, k->name[i]);
	rc = text.error != 0 ? -1
	    : text_replace(dir, KEYWORDS_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

static int
first_free(const struct keywords *k)
{
	for (int i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (k->name[i] == NULL)
			return i;
	errno = E2BIG;
	return -1;
}

static int
make(struct keywords *k, int dir, struct bytes name)
{
	int i;

	if (!is_atom(name)) {
		errno = EINVAL;
		return -1;
	}
	if ((i = first_free(k)) < 0)
		return -1;
	k->name[i] = strndup((const char *)name.p, name.n);
	if (k->name[i] == NULL)
		return -1;
	if (save(k, dir) < 0) {
		free(k->name[i]);
		k->name[i] = NULL;
		return -1;
	}
	k->file_mark = keywords_file_mark(dir, KEYWORDS_FILE);
	return i;
}

int
keywords_number(struct keywords *k, int dir, struct bytes name, bool create)
{
	int i;

	keywords_load(k, dir);
	i = find(k, name);
	if (i >= 0)
		return i;
	if (create)
		return make(k, dir, name);
	errno = ENOENT;
	return -1;
}

bool
keywords_need_flags(const struct keyword_set *set)
{
	uint64_t rest = set->bits[0] >> KEYWORD_LETTERS;

	for (size_t i = 1; i < MAIL_KEYWORDS_MAX / 64; i++)
		rest |= set->bits[i];
	return rest != 0;
}

static bool
parse_flags(struct bytes line, struct uid_keywords *out)
{
	uint64_t n;

	*out = (struct uid_keywords){ 0 };
	if (bytes_number(bytes_split(&line, ' '), UINT32_MAX, &n) < 0 || n == 0)
		return false;
	out->uid = (uint32_t)n;
	while (line.n > 0)
		if (bytes_number(bytes_split(&line, ' '), MAIL_KEYWORDS_MAX - 1,
		    &n) == 0 && n >= KEYWORD_LETTERS)
			keyword_put(&out->set, (unsigned)n);
	return true;
}

struct numbered {
	struct uid_keywords v;
	size_t line;			/* later lines win */
};

static int
by_uid_then_line(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->v.uid != y->v.uid)
		return x->v.uid < y->v.uid ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static size_t
count_lines(struct bytes text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

/* Sorted, and of each UID the last line only. */
static int
parse_flags_file(struct bytes text, struct uid_keywords **v, size_t *n)
{
	struct numbered *all = reallocarray(NULL, count_lines(text), sizeof *all);
	struct bytes line;
	size_t lines = 0;

	*n = 0;
	if (all == NULL)
		return -1;
	while (text_line(&text, &line))
		if (parse_flags(line, &all[lines].v)) {
			all[lines].line = lines;
			lines++;
		}
	qsort(all, lines, sizeof *all, by_uid_then_line);
	*v = reallocarray(NULL, lines + 1, sizeof **v);
	for (size_t i = 0; *v != NULL && i < lines; i++)
		if (i + 1 == lines || all[i + 1].v.uid != all[i].v.uid)
			(*v)[(*n)++] = all[i].v;
	free(all);
	return *v == NULL ? -1 : 0;
}

int
keywords_flags_load(int dir, struct uid_keywords **v, size_t *n)
{
	struct buf text = BUF_INIT(FLAGS_FILE_MAX);
	int rc = text_load(dir, FLAGS_FILE, &text);

	*v = NULL;
	*n = 0;
	while (text.len > 0 && text.data[text.len - 1] != '\n')
		text.len--;
	if (rc < 0 && errno == ENOENT)
		rc = 0;
	else if (rc == 0)
		rc = parse_flags_file(buf_contents(&text), v, n);
	buf_free(&text);
	return rc;
}

static void
print_flags(struct buf *out, const struct uid_keywords *k)
{
	buf_number(out, k->uid);
	for (unsigned i = KEYWORD_LETTERS; i < MAIL_KEYWORDS_MAX; i++)
		if (keyword_has(&k->set, i)) {
			buf_byte(out, ' ');
			buf_number(out, i);
		}
	buf_byte(out, '\n');
}

/* Where the last whole line ends. */
static int
whole_end(int fd, uint64_t size, uint64_t *out)
{
	char end[FLAGS_LINE_MAX];
	uint64_t from = size > sizeof end ? size - sizeof end : 0;
	ssize_t n = pread(fd, end, sizeof end, (off_t)from);
	const char *last = n <= 0 ? NULL : memrchr(end, '\n', (size_t)n);

	*out = last == NULL ? from : from + (uint64_t)(last + 1 - end);
	return n < 0 ? -1 : 0;
}

/* All of the text or nothing; what an earlier crash cut short goes. */
static int
append_at(int fd, uint64_t size, struct bytes text)
{
	uint64_t end;
	int saved;

	if (whole_end(fd, size, &end) < 0)
		return -1;
	if ((end == size || sys_truncate(fd, end) == 0)
	    && sys_write_at(fd, text.p, text.n, end) == 0)
		return 0;
	saved = errno;
	sys_truncate(fd, end);
	errno = saved;
	return -1;
}

static int
append(int dir, struct bytes text)
{
	int fd = sys_open(dir, FLAGS_FILE), rc = -1;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0)
		rc = append_at(fd, (uint64_t)st.st_size, text);
	close(fd);
	return rc;
}

static int
rewrite(int dir, const struct uid_keywords *v, size_t n,
    bool (*live)(void *arg, uint32_t uid), void *arg)
{
	struct buf text = BUF_INIT(FLAGS_FILE_MAX);
	int rc;

	for (size_t i = 0; i < n; i++)
		if (keywords_need_flags(&v[i].set) && live(arg, v[i].uid))
			print_flags(&text, &v[i]);
	rc = text.error != 0 ? -1
	    : text_replace(dir, FLAGS_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

/* Once the file has doubled since it was last written, by its lines. */
static int
tidy(int dir, bool (*live)(void *arg, uint32_t uid), void *arg)
{
	struct uid_keywords *v;
	struct stat st;
	size_t n;
	int rc = 0;

	if (fstatat(dir, FLAGS_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0
	    || st.st_size < FLAGS_REWRITE_MIN
	    || keywords_flags_load(dir, &v, &n) < 0)
		return 0;
	if ((size_t)st.st_size / 64 > n)
		rc = rewrite(dir, v, n, live, arg);
	free(v);
	return rc;
}

int
keywords_flags_add(int dir, const struct uid_keywords *v, size_t n,
    bool (*live)(void *arg, uint32_t uid), void *arg)
{
	struct buf text = BUF_INIT(FLAGS_FILE_MAX);
	int rc;

	for (size_t i = 0; i < n; i++)
		print_flags(&text, &v[i]);
	rc = text.error != 0 ? -1 : append(dir, buf_contents(&text));
	buf_free(&text);
	return rc < 0 ? -1 : tidy(dir, live, arg);
}

int
keywords_flags_sync(int dir)
{
	int fd = openat(dir, FLAGS_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK);
	int rc = fd < 0 ? -1 : sys_fsync(fd);

	if (fd >= 0)
		close(fd);
	/* The file may be a new one. */
	return rc < 0 ? -1 : sys_fsync(dir);
}
