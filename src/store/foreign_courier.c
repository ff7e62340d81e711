/*
 * Files of Courier: courierimapkeywords, courierimapsubscribed,
 * courierpop3dsizelist. Its courierimapuiddb is read in foreign_dovecot.c.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "foreign.h"
#include "layout.h"
#include "text.h"

/* ---- courierimapkeywords ---- */

static bool
good_keyword(struct bytes name)
{
	return name.n > 0 && name.n <= MAIL_KEYWORD_LENGTH_MAX;
}

/* "NAME:0 3 5", the numbers by place in the list above. */
static void
take_numbers(struct foreign *out, struct bytes line, const int *number, size_t n)
{
	size_t colon = line.n;
	struct foreign_message *m;
	uint64_t i;

	while (colon > 0 && line.p[colon - 1] != ':')
		colon--;
	m = foreign_find(out, foreign_key(bytes_first(line, colon)));
	line = bytes_from(line, colon);
	while (m != NULL && line.n > 0)
		if (bytes_number(bytes_split(&line, ' '), MAIL_KEYWORDS_MAX - 1,
		    &i) == 0 && i < n && number[i] >= 0)
			keyword_put(&m->keywords, (unsigned)number[i]);
}

/* Names, an empty line, then messages and the numbers of their keywords. */
void
foreign_courier_keywords(struct bytes text, struct foreign *out)
{
	int number[MAIL_KEYWORDS_MAX];
	struct bytes line;
	size_t n = 0;

	while (text_line(&text, &line) && line.n > 0)
		if (n < MAIL_KEYWORDS_MAX)
			number[n++] = good_keyword(line)
			    ? foreign_keyword(out, line) : -1;
	while (text_line(&text, &line))
		take_numbers(out, line, number, n);
}

void
foreign_courier_message(struct bytes text, struct foreign *out,
    struct foreign_message *m)
{
	struct bytes line;

	m->keywords = (struct keyword_set){ 0 };
	while (text_line(&text, &line)) {
		int i = good_keyword(line) ? foreign_keyword(out, line) : -1;

		if (i >= 0)
			keyword_put(&m->keywords, (unsigned)i);
	}
}

/* ".TICK.NAME"; or the name alone, which is newer than any tick. */
bool
foreign_courier_update(struct bytes file, uint64_t *tick, struct bytes *key)
{
	*tick = UINT64_MAX;
	if (file.n == 0 || file.p[0] == ':')
		return false;
	if (file.p[0] == '.') {
		file = bytes_from(file, 1);
		if (bytes_number(bytes_split(&file, '.'), UINT64_MAX - 1, tick) < 0)
			return false;
	}
	*key = foreign_key(file);
	return key->n > 0;
}

/* ---- courierpop3dsizelist ---- */

/* The unique-id of the first releases: the file's name, what is odd as +XX. */
static char *
uidl_of_name(struct bytes key)
{
	struct buf out = BUF_INIT(UIDL_MAX);
	char *made = NULL;

	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < 0x21 || key.p[i] > 0x7e
		    || strchr("'\"+", key.p[i]) != NULL)
			buf_printf(&out, "+%02X", key.p[i]);
		else
			buf_byte(&out, key.p[i]);
	if (out.error == 0)
		made = strndup((const char *)out.data, out.len);
	buf_free(&out);
	return made;
}

static char *
uidl_of(struct bytes key, uint64_t n, uint64_t validity)
{
	char *made;
	int rc;

	if (n == 0)
		return uidl_of_name(key);
	rc = validity == 0 ? asprintf(&made, "UID%llu", (unsigned long long)n)
	    : asprintf(&made, "UID%llu-%llu", (unsigned long long)n,
	    (unsigned long long)validity);
	return rc < 0 ? NULL : made;
}

/* "NAME SIZE NUMBER:VALIDITY[:UTF8]"; only the name may hold spaces. */
static int
take_size(struct foreign *out, size_t known, struct bytes line)
{
	struct foreign sorted = { .v = out->v, .n = known };
	size_t at[2], found = 0;
	struct foreign_message *m;
	uint64_t n, validity;
	struct bytes rest, key;

	for (size_t i = line.n; i-- > 0 && found < 2;)
		if (line.p[i] == ' ')
			at[found++] = i;
	if (found < 2)
		return 0;
	rest = bytes_from(line, at[0] + 1);
	key = foreign_key(bytes_first(line, at[1]));
	if (bytes_number(bytes_split(&rest, ':'), UINT32_MAX, &n) < 0
	    || bytes_number(bytes_split(&rest, ':'), UINT32_MAX, &validity) < 0
	    || key.n == 0)
		return 0;
	m = foreign_find(&sorted, key);
	if (m == NULL) {
		if (foreign_add(out, key, 0) < 0)
			return -1;
		m = &out->v[out->n - 1];
	}
	free(m->uidl);
	m->uidl = uidl_of(key, n, validity);
	return 0;
}

int
foreign_courier_sizes(struct bytes text, struct foreign *out)
{
	size_t known = out->n;
	struct bytes line;
	uint64_t version;

	if (!text_line(&text, &line) || line.n < 2 || line.p[0] != '/') {
		errno = EILSEQ;
		return -1;
	}
	line = bytes_from(line, 1);
	if (bytes_number(bytes_split(&line, ' '), 3, &version) < 0) {
		errno = EILSEQ;
		return -1;
	}
	while (text_line(&text, &line))
		if (take_size(out, known, line) < 0)
			return -1;
	foreign_sort(out);
	return 0;
}

/* ---- courierimapsubscribed ---- */

/*
 * "INBOX" and "INBOX.A.B", in UTF-8 since release 5 and before that in
 * modified UTF-7: what is a name in that is one.
 */
static bool
our_name(struct bytes line, struct buf *name)
{
	struct buf disk = BUF_INIT(LAYOUT_DISK_MAX);
	const char *path;
	bool good;

	buf_clear(name);
	if (bytes_equal(line, BYTES("INBOX")))
		return buf_text(name, "INBOX") == 0;
	if (!bytes_starts(line, BYTES("INBOX.")))
		return false;
	line = bytes_from(line, 5);
	buf_bytes(&disk, line);
	path = buf_string(&disk);
	good = path != NULL && strlen(path) == line.n
	    && layout_from_disk(path, name) == 0;
	if (!good) {
		buf_clear(name);
		for (size_t i = 1; i < line.n; i++)
			buf_byte(name, line.p[i] == '.' ? '/' : line.p[i]);
		good = layout_good(buf_contents(name));
	}
	buf_free(&disk);
	return good;
}

int
foreign_courier_subscriptions(struct bytes text,
    int (*fn)(void *arg, struct bytes name), void *arg)
{
	struct buf name = BUF_INIT(LAYOUT_NAME_MAX * 2);
	struct bytes line;
	int rc = 0;

	while (rc == 0 && text_line(&text, &line))
		if (our_name(line, &name))
			rc = fn(arg, buf_contents(&name));
	buf_free(&name);
	return rc;
}
