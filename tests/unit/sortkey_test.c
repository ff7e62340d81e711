/*
 * COLUMN_SORT: made from headers, read as hostile input.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/hashes.h"
#include "../../src/imap/sortkey.h"
#include "test.h"

static struct buf column = { .max = 1 << 20 }, texts = { .max = 1 << 20 };

static bool
make(const char *header, struct sortkey *k, struct sorttexts *t)
{
	buf_clear(&column);
	buf_clear(&texts);
	return CHECK(sortkey_make(bytes_of(header), &column, &texts) == 0) &&
	    CHECK(sortkey_read(buf_contents(&column), k) == 0) &&
	    CHECK(sorttexts_read(buf_contents(&texts), t) == 0);
}

static void
all_of_it(void)
{
	struct sortkey k;
	struct sorttexts t;

	if (!make("Subject: Re: [list] =?utf-8?q?h=C3=A4?= llo\r\n"
	    "From: \"Ann B\" <ann@example.org>\r\nTo: bob@x, c@y\r\nTo: d@z\r\nCc: Carl <carl@x>\r\n"
	    "Date: Mon, 1 Jan 2001 23:30:00 -0800\r\nMessage-ID: <1@x>\r\n"
	    "References: <a@x>\r\n <b@x>\r\nIn-Reply-To: <c@x>\r\n\r\nSubject: body\r\n", &k, &t))
		return;
	CHECK(k.flags == (SORTKEY_REPLY | SORTKEY_DATE));
	CHECK_EQ_INT(k.day, 978307200);			/* 1 Jan 2001 as written */
	CHECK_EQ_INT(k.sent, 978307200 + 31 * 3600 + 1800);	/* 2 Jan in UTC */
	CHECK_EQ_BYTES(t.text[KEY_SUBJECT], BYTES("RE: [LIST] HA\xcc\x88 LLO"));
	CHECK_EQ_BYTES(t.text[KEY_BASE], BYTES("HA\xcc\x88 LLO"));
	CHECK_EQ_BYTES(t.text[KEY_TO], BYTES("BOB@X, C@Y, D@Z"));
	CHECK_EQ_BYTES(t.text[KEY_FROM_MAILBOX], BYTES("ANN"));
	CHECK_EQ_BYTES(t.text[KEY_TO_MAILBOX], BYTES("BOB"));
	CHECK_EQ_BYTES(t.text[KEY_CC_MAILBOX], BYTES("CARL"));
	CHECK_EQ_BYTES(t.text[KEY_FROM_DISPLAY], BYTES("ANN B"));
	CHECK_EQ_BYTES(t.text[KEY_TO_DISPLAY], BYTES("BOB@X"));
	CHECK(k.id == hash_bytes(BYTES("1@x")));
	CHECK(k.subject == hash_bytes(t.text[KEY_BASE]));
	CHECK_EQ_INT(k.n_refs, 2);
	CHECK(sortkey_ref(&k, 0) == hash_bytes(BYTES("a@x")));
	CHECK(sortkey_ref(&k, 1) == hash_bytes(BYTES("b@x")));
}

static void
odd_addresses(void)
{
	struct sortkey k;
	struct sorttexts t;

	if (!make("From: <ann (c)@ (d) x.org>\nTo: Bob <b@y>\nTo: c@z (Carl)\n"
	    "Cc: \"D\" <d@x>\nSubject: (a) @ b\n\n", &k, &t))
		return;
	CHECK_EQ_BYTES(t.text[KEY_FROM], BYTES("<ANN (C)@ (D) X.ORG>\0D <ANN@X.ORG>, "));
	CHECK_EQ_BYTES(t.text[KEY_TO], BYTES("BOB <B@Y>, C@Z (CARL)\0CARL <C@Z>, "));
	CHECK_EQ_BYTES(t.text[KEY_CC], BYTES("\"D\" <D@X>"));
	CHECK_EQ_BYTES(t.text[KEY_SUBJECT], BYTES("(A) @ B"));
}

/* RFC 5256 section 3: In-Reply-To counts when References has no message id. */
static void
references(void)
{
	struct sortkey k;
	struct sorttexts t;

	if (make("In-Reply-To: your mail <c@x> of <d@x>\nReferences: nonsense\n\n", &k, &t)) {
		CHECK_EQ_INT(k.n_refs, 1);
		CHECK(sortkey_ref(&k, 0) == hash_bytes(BYTES("c@x")));
	}
	if (make("In-Reply-To: your mail\n\n", &k, &t))
		CHECK_EQ_INT(k.n_refs, 0);
	/* a quoted local part is the same message id */
	if (make("Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\n\n", &k, &t))
		CHECK(k.id == hash_bytes(BYTES("01KF8JCEOCBS0045PS@xxx.yyy.com")));
}

static void
many_references(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct sortkey k;
	struct sorttexts t;

	buf_text(&b, "References:");
	for (int i = 0; i < SORTKEY_REFERENCES_MAX + 50; i++)
		buf_printf(&b, " <%d@x>\r\n", i);
	buf_text(&b, "\r\n");
	if (make(buf_string(&b), &k, &t)) {
		CHECK_EQ_INT(k.n_refs, SORTKEY_REFERENCES_MAX);
		CHECK(sortkey_ref(&k, 0) == hash_bytes(BYTES("50@x")));
	}
	buf_free(&b);
}

static void
nothing(void)
{
	struct sortkey k;
	struct sorttexts t;

	if (!make("\r\nSubject: body\r\n", &k, &t))
		return;
	CHECK(k.flags == 0 && k.id == 0 && k.subject == 0 && k.n_refs == 0);
	for (int i = 0; i < KEY_END; i++)
		CHECK(t.text[i].n == 0);
}

/* Long texts are cut between characters and say so. */
static void
long_texts(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct sortkey k;
	struct sorttexts t;

	buf_text(&b, "Subject: ");
	for (int i = 0; i < 20000; i++)
		buf_text(&b, "\xe2\x82\xac");
	buf_text(&b, "\r\nTo: ");
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "person%d@example.org,\r\n ", i);
	buf_text(&b, "x@y\r\n\r\n");
	if (make(buf_string(&b), &k, &t)) {
		CHECK(t.cut & 1u << KEY_SUBJECT);
		CHECK(t.cut & 1u << KEY_TO);
		CHECK(!(t.cut & 1u << KEY_TO_MAILBOX));
		CHECK(t.text[KEY_SUBJECT].n <= SORTKEY_SEARCH_MAX && t.text[KEY_SUBJECT].n % 3 == 0);
		CHECK(t.text[KEY_BASE].n <= SORTKEY_SORT_MAX && t.text[KEY_BASE].n % 3 == 0);
		CHECK(column.len + texts.len <= SORTKEY_MAX);
	}
	buf_free(&b);
}

/* Cuts a column everywhere; none of the pieces may be taken for it. */
static void
cut_up(const struct buf *b, bool (*taken)(struct bytes in), size_t step)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char *copy = malloc(i + 1);	/* exactly sized, for the sanitizer */

		memcpy(copy, b->data, i);
		CHECK(!taken(bytes_make(copy, i)) || (b->len - i) % step == 0);
		free(copy);
	}
}

static bool
key_taken(struct bytes in)
{
	struct sortkey k;
	uint64_t sum = 0;

	if (sortkey_read(in, &k) == -1)
		return false;
	for (unsigned i = 0; i < k.n_refs; i++)
		sum |= sortkey_ref(&k, i);
	return k.n_refs == 0 || sum != 0;
}

static bool
texts_taken(struct bytes in)
{
	struct sorttexts t;

	return sorttexts_read(in, &t) == 0;
}

/* Every column that is shorter, longer or of another version is refused. */
static void
hostile(void)
{
	struct sortkey k;
	struct sorttexts t;

	if (!make("Subject: a\r\nReferences: <1@x> <2@x>\r\n\r\n", &k, &t))
		return;
	cut_up(&column, key_taken, sizeof(uint64_t));
	cut_up(&texts, texts_taken, SIZE_MAX);
	column.data[0]++;
	texts.data[0]++;
	CHECK(!key_taken(buf_contents(&column)) && !texts_taken(buf_contents(&texts)));
	column.data[0]--;
	texts.data[0]--;
	buf_byte(&column, 0);
	buf_byte(&texts, 0);
	CHECK(!key_taken(buf_contents(&column)) && !texts_taken(buf_contents(&texts)));
	while (column.len < (SORTKEY_REFERENCES_MAX + 1) * sizeof(uint64_t) + 34)
		buf_byte(&column, 0);
	CHECK(!key_taken(buf_contents(&column)));
}

/* What is searched and what is sorted by stand in columns of their own. */
static void
two_kinds_of_texts(void)
{
	struct buf search = BUF_INIT(1000), sorted = BUF_INIT(1000);
	struct sorttexts all, t;
	struct sortkey k;

	if (!CHECK(make("Subject: Re: b\nFrom: Ann <ann@x>\nTo: b@x\n\n", &k, &all)))
		return;
	CHECK_EQ_INT(sorttexts_part(&all, false, &search), 0);
	CHECK_EQ_INT(sorttexts_part(&all, true, &sorted), 0);
	CHECK_EQ_INT(sorttexts_read(buf_contents(&search), &t), 0);
	CHECK_EQ_BYTES(t.text[KEY_SUBJECT], BYTES("RE: B"));
	CHECK_EQ_BYTES(t.text[KEY_TO], BYTES("B@X"));
	CHECK_EQ_INT(t.text[KEY_BASE].n + t.text[KEY_TO_MAILBOX].n, 0);
	CHECK_EQ_INT(sorttexts_read(buf_contents(&sorted), &t), 0);
	CHECK_EQ_BYTES(t.text[KEY_BASE], BYTES("B"));
	CHECK_EQ_BYTES(t.text[KEY_FROM_DISPLAY], BYTES("ANN"));
	CHECK_EQ_INT(t.text[KEY_SUBJECT].n + t.text[KEY_BCC].n, 0);
	buf_free(&search);
	buf_free(&sorted);
}

TEST_MAIN(TEST(all_of_it), TEST(odd_addresses), TEST(references), TEST(many_references), TEST(nothing),
    TEST(long_texts), TEST(hostile),
    TEST(two_kinds_of_texts))
