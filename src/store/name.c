/*
 * Names of message files.
 * Runs as: the mailbox owner.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mail.h"
#include "name.h"

static const struct {
	char letter;
	unsigned flag;
} flag_letters[] = {
	{ 'D', FLAG_DRAFT }, { 'F', FLAG_FLAGGED }, { 'R', FLAG_ANSWERED },
	{ 'S', FLAG_SEEN }, { 'T', FLAG_DELETED },
};
#define FLAG_LETTERS (sizeof flag_letters / sizeof flag_letters[0])

/* Offset of the info part's colon, or the length when there is none. */
static size_t
info_at(struct bytes file)
{
	for (size_t i = file.n; i-- > 0;)
		if (file.p[i] == ':')
			return i;
	return file.n;
}

static void
parse_flag(struct file_name *out, unsigned char c)
{
	if (c >= 'a' && c <= 'z')
		out->letters |= (uint32_t)1 << (c - 'a');
	if (c < 'A' || c > 'Z')
		return;
	for (size_t i = 0; i < FLAG_LETTERS; i++)
		if (flag_letters[i].letter == c) {
			out->flags |= flag_letters[i].flag;
			return;
		}
	out->others |= (uint32_t)1 << (c - 'A');
}

static void
parse_uid(struct bytes value, struct file_name *out)
{
	struct bytes validity = bytes_split(&value, '.');
	uint64_t v, u;

	if (bytes_number(validity, UINT32_MAX, &v) < 0
	    || bytes_number(value, UINT32_MAX, &u) < 0 || v == 0 || u == 0)
		return;
	out->uidvalidity = (uint32_t)v;
	out->uid = (uint32_t)u;
}

static void
parse_field(struct bytes field, struct file_name *out)
{
	struct bytes value = bytes_from(field, 2);

	if (field.n < 3 || field.p[1] != '=')
		return;
	if (field.p[0] == 'U')
		parse_uid(value, out);
	else if (field.p[0] == 'S')
		bytes_number(value, INT64_MAX, &out->size);
	else if (field.p[0] == 'W')
		bytes_number(value, INT64_MAX, &out->wire_size);
}

void
name_parse(struct bytes file, struct file_name *out)
{
	size_t colon = info_at(file);
	struct bytes base = bytes_first(file, colon), info = bytes_from(file, colon);
	struct bytes field;

	*out = (struct file_name){ .base = base,
	    .size = FILE_SIZE_UNKNOWN, .wire_size = FILE_SIZE_UNKNOWN };
	for (const unsigned char *comma = memchr(base.p, ',', base.n); comma != NULL;) {
		field = bytes_from(base, (size_t)(comma + 1 - base.p));
		comma = memchr(field.p, ',', field.n);
		if (comma != NULL)
			field.n = (size_t)(comma - field.p);
		parse_field(field, out);
	}
	if (bytes_starts(info, BYTES(":2,")))
		for (size_t i = 3; i < info.n; i++)
			parse_flag(out, info.p[i]);
}

static bool
is_uid_field(struct bytes field)
{
	return field.n >= 2 && field.p[0] == 'U' && field.p[1] == '=';
}

/* The base without U= fields; longer than room is cut, which the caller sees. */
static size_t
put_base(struct bytes base, char *out, size_t room)
{
	size_t n = 0;
	bool first = true;

	while (base.n > 0) {
		struct bytes field = bytes_split(&base, ',');

		if (!first && is_uid_field(field))
			continue;
		if (n + field.n + 1 > room)
			return room + 1;
		if (!first)
			out[n++] = ',';
		memcpy(out + n, field.p, field.n);
		n += field.n;
		first = false;
	}
	return n;
}

/* In ASCII order, as maildir(5) wants them. */
static size_t
put_flags(const struct file_name *f, char *out)
{
	uint32_t upper = f->others;
	size_t n = 0;

	for (size_t i = 0; i < FLAG_LETTERS; i++)
		if (f->flags & flag_letters[i].flag)
			upper |= (uint32_t)1 << (flag_letters[i].letter - 'A');
	for (; upper != 0; upper &= upper - 1)
		out[n++] = (char)('A' + __builtin_ctz(upper));
	for (uint32_t lower = f->letters; lower != 0; lower &= lower - 1)
		out[n++] = (char)('a' + __builtin_ctz(lower));
	return n;
}

static size_t
put_number(char *out, uint32_t v)
{
	char digits[10];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return n;
}

/* ",U=VALIDITY.UID", or nothing where there is none, and what flags follow. */
static size_t
put_uid(uint32_t uidvalidity, uint32_t uid, char *out)
{
	size_t n = 0;

	if (uid != 0) {
		memcpy(out, ",U=", 3);
		n = 3 + put_number(out + 3, uidvalidity);
		out[n++] = '.';
		n += put_number(out + n, uid);
	}
	memcpy(out + n, ":2,", 3);
	return n + 3;
}

size_t
name_format(const struct file_name *f, uint32_t uidvalidity, uint32_t uid,
    char out[FILE_NAME_MAX + 1])
{
	char flags[64], tail[128];
	size_t n, flags_n = put_flags(f, flags), tail_n;

	/* Mostly only flags change. */
	if (uid != 0 && f->uid == uid && f->uidvalidity == uidvalidity
	    && f->base.n <= FILE_NAME_MAX) {
		memcpy(out, f->base.p, f->base.n);
		n = f->base.n;
		tail_n = put_uid(0, 0, tail);
	} else {
		n = put_base(f->base, out, FILE_NAME_MAX);
		tail_n = put_uid(uidvalidity, uid, tail);
	}
	if (n + tail_n + flags_n > FILE_NAME_MAX)
		return 0;
	memcpy(out + n, tail, tail_n);
	memcpy(out + n + tail_n, flags, flags_n);
	n += tail_n + flags_n;
	out[n] = '\0';
	return n;
}

/* Host names with bytes that mean something in a file name lose them. */
static void
host_part(char *out, size_t n)
{
	if (gethostname(out, n) < 0)
		snprintf(out, n, "localhost");
	out[n - 1] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if (*c == '/' || *c == ':' || *c == ',' || *c <= ' ')
			*c = '_';
}

size_t
name_unique(char out[UNIQUE_MAX + 1])
{
	static unsigned count;
	static char host[25];
	static uint32_t random;		/* of this process: the count does the rest */
	struct timespec now;
	int n;

	if (host[0] == '\0') {
		host_part(host, sizeof host);
		random = arc4random();
	}
	clock_gettime(CLOCK_REALTIME, &now);
	n = snprintf(out, UNIQUE_MAX + 1, "%lld.M%ldP%dQ%uR%08x.%s",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (int)getpid(), ++count,
	    random, host);
	return (size_t)n;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t
hash(uint64_t h, struct bytes b)
{
	uint64_t v = 0;

	for (; b.n >= sizeof v; b = bytes_from(b, sizeof v)) {
		memcpy(&v, b.p, sizeof v);
		h = mix(h, v);
	}
	v = b.n;
	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return mix(h, v);
}

uint64_t
name_mark(const char *folder_part, struct bytes file)
{
	size_t colon = info_at(file);
	uint64_t base = hash(1, bytes_first(file, colon));
	uint64_t info = hash((unsigned char)folder_part[0], bytes_from(file, colon));
	uint64_t mark = (base << 32 | (info & UINT32_MAX)) & NAME_MARK_MASK;

	return mark != 0 ? mark : 1;
}

struct bytes
name_unique_part(struct bytes file)
{
	const unsigned char *colon = memchr(file.p, ':', file.n), *comma;

	if (colon != NULL)
		file.n = (size_t)(colon - file.p);
	comma = memchr(file.p, ',', file.n);
	return comma == NULL ? file : bytes_first(file, (size_t)(comma - file.p));
}

uint64_t
name_age(struct bytes file)
{
	uint64_t age = 0;

	for (size_t i = 0; i < file.n && i < 18 && ascii_digit(file.p[i]); i++)
		age = age * 10 + (file.p[i] - (uint64_t)'0');
	return age;
}

int
name_order(struct bytes a, struct bytes b)
{
	uint64_t at = name_age(a), bt = name_age(b);

	return at != bt ? (at < bt ? -1 : 1) : bytes_compare(a, b);
}
