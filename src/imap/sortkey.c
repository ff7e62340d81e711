/*
 * COLUMN_SORT, COLUMN_TEXTS and COLUMN_ORDERS: making and reading them.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <endian.h>
#include <errno.h>

#include "address.h"
#include "date.h"
#include "fold.h"
#include "hashes.h"
#include "header.h"
#include "sortkey.h"
#include "subject.h"
#include "words.h"

#define KEY_SIZE (1 + 1 + 8 + 8 + 8 + 8)
#define TEXTS_SIZE (1 + 2 + 2 * KEY_END)

/* Scratch while one column is made. */
struct making {
	struct bytes header;
	struct buf text[KEY_END];
	struct buf refs;
	struct buf plain;		/* a text before it is folded */
	struct sortkey key;
	unsigned cut;
	int error;
};

static size_t
text_max(enum sortkey_text i)
{
	return i <= KEY_BCC ? SORTKEY_SEARCH_MAX : SORTKEY_SORT_MAX;
}

/* Length of b cut to max without cutting a character. */
static size_t
cut_length(struct bytes b, size_t max)
{
	if (b.n <= max)
		return b.n;
	while (max > 0 && (b.p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Folds what stands in plain into the text; plain is empty again. */
static void
fold(struct making *m, enum sortkey_text i)
{
	struct buf *text = &m->text[i];

	if (m->plain.error != 0 || fold_text(buf_contents(&m->plain), text) == -1)
		m->error = m->plain.error != 0 ? m->plain.error : errno;
	buf_clear(&m->plain);
	if (text->len > text_max(i)) {
		m->cut |= 1u << i;
		text->len = cut_length(buf_contents(text), text_max(i));
	}
}

/* A comment or a quoted pair may stand inside what an ENVELOPE has in one piece; so may space. */
static bool
is_odd(struct bytes value)
{
	static const char *const signs[] = { "(", "\\", " @", "\t@", "\n@", "@ ", "@\t", "@\r", "@\n" };

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (memmem(value.p, value.n, signs[i], strlen(signs[i])) != NULL)
			return true;
	return false;
}

/*
 * FROM, TO, CC and BCC search what an ENVELOPE has (RFC 9051 section 6.4.4),
 * and here also the text that people see; HEADER only that, up to the NUL.
 */
static void
add_envelope(struct making *m, const char *name)
{
	struct header_cursor c = HEADER_CURSOR(m->header);
	struct header_field field;

	while (header_next_named(&c, bytes_of(name), &field)) {
		if (!is_odd(field.value))
			continue;
		buf_byte(&m->plain, '\0');
		if (address_search_text(field.value, &m->plain) == -1)
			m->error = errno;
	}
}

/* Text of all fields of that name, for searching. */
static void
make_search(struct making *m, enum sortkey_text i, const char *name)
{
	struct header_cursor c = HEADER_CURSOR(m->header);
	struct header_field field;
	bool odd = false;

	while (header_next_named(&c, bytes_of(name), &field)) {
		odd = odd || (i != KEY_SUBJECT && is_odd(field.value));
		if (m->plain.len > 0)
			buf_text(&m->plain, ", ");
		words_decode(field.value, &m->plain);
		if (m->plain.len > 2 * SORTKEY_SEARCH_MAX) {
			m->cut |= 1u << i;
			break;
		}
	}
	if (odd && (m->cut & 1u << i) == 0)
		add_envelope(m, name);
	fold(m, i);
}

static void
make_address(struct making *m, enum sortkey_text i, const char *name,
    int (*sort_form)(struct bytes value, struct buf *out))
{
	struct bytes value;

	if (header_find(m->header, name, &value) && sort_form(value, &m->plain) == -1)
		m->error = errno;
	fold(m, i);
}

static void
make_subject(struct making *m)
{
	struct bytes value;
	bool reply = false;

	if (header_find(m->header, "Subject", &value) &&
	    subject_base(value, &m->plain, &reply) == -1)
		m->error = errno;
	m->key.flags |= reply ? SORTKEY_REPLY : 0;
	fold(m, KEY_BASE);
	if (m->text[KEY_BASE].len > 0)
		m->key.subject = hash_bytes(buf_contents(&m->text[KEY_BASE]));
}

/* The next message id of *rest as a hash; 0 when there is none. */
static uint64_t
next_id(struct making *m, struct bytes *rest)
{
	uint64_t hash = 0;

	buf_clear(&m->plain);
	if (msgid_next(rest, &m->plain) == 1)
		hash = hash_bytes(buf_contents(&m->plain));
	buf_clear(&m->plain);
	return hash;
}

static void
add_reference(struct making *m, uint64_t hash)
{
	if (m->refs.len == SORTKEY_REFERENCES_MAX * sizeof(hash))
		buf_consume(&m->refs, sizeof(hash));
	buf_add(&m->refs, &hash, sizeof(hash));
}

/* RFC 5256 section 3: References, else the first of In-Reply-To. */
static void
make_references(struct making *m)
{
	struct bytes value;
	uint64_t id;

	if (header_find(m->header, "Message-ID", &value))
		m->key.id = next_id(m, &value);
	if (header_find(m->header, "References", &value))
		while ((id = next_id(m, &value)) != 0)
			add_reference(m, id);
	if (m->refs.len == 0 && header_find(m->header, "In-Reply-To", &value) &&
	    (id = next_id(m, &value)) != 0)
		add_reference(m, id);
	if (m->refs.error != 0)
		m->error = m->refs.error;
}

static void
make_date(struct making *m)
{
	struct bytes value;
	struct mail_date date;

	if (!header_find(m->header, "Date", &value) || !date_parse(value, &date))
		return;
	m->key.flags |= SORTKEY_DATE;
	m->key.sent = date.seconds;
	m->key.day = date.day;
}

static void
put_le(struct buf *out, uint64_t v, unsigned size)
{
	for (; size > 0; size--, v >>= 8)
		buf_byte(out, (unsigned char)(v & 0xff));
}

static int
put_key(const struct making *m, struct buf *out)
{
	const struct sortkey *k = &m->key;
	uint64_t ref;
	size_t i;

	put_le(out, SORTKEY_VERSION, 1);
	put_le(out, k->flags, 1);
	put_le(out, (uint64_t)k->sent, 8);
	put_le(out, (uint64_t)k->day, 8);
	put_le(out, k->id, 8);
	put_le(out, k->subject, 8);
	for (i = 0; i < m->refs.len; i += sizeof(ref)) {
		memcpy(&ref, m->refs.data + i, sizeof(ref));
		put_le(out, ref, 8);
	}
	return out->error;
}

static int
put_texts(unsigned cut, const struct bytes text[KEY_END], struct buf *out)
{
	size_t i;

	put_le(out, SORTKEY_VERSION, 1);
	put_le(out, cut, 2);
	for (i = 0; i < KEY_END; i++)
		put_le(out, text[i].n, 2);
	for (i = 0; i < KEY_END; i++)
		buf_bytes(out, text[i]);
	return out->error;
}

static int
put_all_texts(const struct making *m, struct buf *out)
{
	struct bytes text[KEY_END];

	for (size_t i = 0; i < KEY_END; i++)
		text[i] = buf_contents(&m->text[i]);
	return put_texts(m->cut, text, out);
}

int
sorttexts_part(const struct sorttexts *texts, bool sorted, struct buf *out)
{
	struct bytes text[KEY_END];

	for (size_t i = 0; i < KEY_END; i++)
		text[i] = (i >= KEY_SORTED) == sorted ? texts->text[i] : (struct bytes){ 0 };
	errno = put_texts(texts->cut, text, out);
	return errno == 0 ? 0 : -1;
}

static void
make_begin(struct making *m, struct bytes header)
{
	size_t i;

	*m = (struct making){ .header = header };
	m->plain = BUF_INIT(2 * HEADER_MAX);
	m->refs = BUF_INIT(SORTKEY_REFERENCES_MAX * sizeof(uint64_t));
	for (i = 0; i < KEY_END; i++)
		m->text[i] = BUF_INIT(8 * HEADER_MAX);
}

static void
make_end(struct making *m)
{
	size_t i;

	for (i = 0; i < KEY_END; i++)
		buf_free(&m->text[i]);
	buf_free(&m->plain);
	buf_free(&m->refs);
}

int
sortkey_make(struct bytes header, struct buf *key, struct buf *texts)
{
	struct making m;

	make_begin(&m, bytes_first(header, header_length(header, NULL)));
	make_search(&m, KEY_SUBJECT, "Subject");
	make_search(&m, KEY_FROM, "From");
	make_search(&m, KEY_TO, "To");
	make_search(&m, KEY_CC, "Cc");
	make_search(&m, KEY_BCC, "Bcc");
	make_subject(&m);
	make_address(&m, KEY_FROM_MAILBOX, "From", address_sort_mailbox);
	make_address(&m, KEY_TO_MAILBOX, "To", address_sort_mailbox);
	make_address(&m, KEY_CC_MAILBOX, "Cc", address_sort_mailbox);
	make_address(&m, KEY_FROM_DISPLAY, "From", address_sort_display);
	make_address(&m, KEY_TO_DISPLAY, "To", address_sort_display);
	make_references(&m);
	make_date(&m);
	if (m.error == 0)
		m.error = put_key(&m, key);
	if (m.error == 0)
		m.error = put_all_texts(&m, texts);
	make_end(&m);
	errno = m.error;
	return m.error == 0 ? 0 : -1;
}

/* ---- reading ---- */

static uint64_t
get_64(const unsigned char **p)
{
	uint64_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return le64toh(v);
}

static unsigned
get_16(const unsigned char **p)
{
	unsigned v = (unsigned)(*p)[1] << 8 | (*p)[0];

	*p += 2;
	return v;
}

int
sortkey_read(struct bytes in, struct sortkey *out)
{
	const unsigned char *p = in.p;

	errno = EINVAL;
	if (in.n < KEY_SIZE || (in.n - KEY_SIZE) % sizeof(uint64_t) != 0 ||
	    *p++ != SORTKEY_VERSION)
		return -1;
	out->flags = *p++;
	out->sent = (int64_t)get_64(&p);
	out->day = (int64_t)get_64(&p);
	out->id = get_64(&p);
	out->subject = get_64(&p);
	out->refs = p;
	out->n_refs = (unsigned)((in.n - KEY_SIZE) / sizeof(uint64_t));
	return out->n_refs <= SORTKEY_REFERENCES_MAX ? 0 : -1;
}

int
sorttexts_read(struct bytes in, struct sorttexts *out)
{
	const unsigned char *p = in.p;
	size_t need = TEXTS_SIZE, i;

	errno = EINVAL;
	if (in.n < TEXTS_SIZE || *p++ != SORTKEY_VERSION)
		return -1;
	out->cut = get_16(&p);
	for (i = 0; i < KEY_END; i++) {
		out->text[i].n = get_16(&p);
		need += out->text[i].n;
	}
	if (need != in.n)
		return -1;
	for (i = 0; i < KEY_END; p += out->text[i].n, i++)
		out->text[i].p = p;
	return 0;
}

uint64_t
sortkey_ref(const struct sortkey *k, unsigned i)
{
	const unsigned char *p = k->refs + i * sizeof(uint64_t);
	uint64_t v = get_64(&p);

	return v != 0 ? v : 1;	/* 0 means none; a damaged column may hold it */
}
