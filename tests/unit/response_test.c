/*
 * The writer of responses: what comes out is grammatical whatever goes in.
 * Runs as: the person who builds.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "../../src/imap/response.h"
#include "test.h"

/* A stream into a socket, and what arrives at its other end. */
struct wire {
	struct stream stream;
	struct response r;
	int fd[2];
	char text[8192];
};

static struct response *
wire_open(struct wire *w)
{
	*w = (struct wire){ 0 };
	if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, w->fd) == 0))
		_exit(1);
	stream_init(&w->stream, w->fd[0], w->fd[0]);
	w->r.out = &w->stream;
	return &w->r;
}

static const char *
wire_close(struct wire *w)
{
	ssize_t n;
	size_t have = 0;

	stream_flush(&w->stream);
	stream_free(&w->stream);
	close(w->fd[0]);
	while ((n = read(w->fd[1], w->text + have, sizeof w->text - 1 - have)) > 0)
		have += (size_t)n;
	close(w->fd[1]);
	return w->text;
}

static void
spaces(void)
{
	struct wire w;
	struct response *r = wire_open(&w);

	put_untagged_number(r, 12, "FETCH");
	put_open(r);
	put_word(r, "FLAGS");
	put_open(r);
	put_system_flags(r, FLAG_SEEN | FLAG_DRAFT);
	put_flag(r, BYTES("$Work"));
	put_flag(r, BYTES("not an atom"));
	put_flag(r, BYTES("\\"));
	put_close(r);
	put_word(r, "BODY[");
	put_glued(r, BYTES("]"));
	put_nil(r);
	put_open(r);
	put_close(r);
	put_close(r);
	put_end(r);
	CHECK_EQ_TEXT(wire_close(&w),
	    "* 12 FETCH (FLAGS (\\Seen \\Draft $Work) BODY[] NIL ())\r\n");
}

struct string_case {
	struct bytes in;
	bool utf8;
	const char *want;
};

#define IN(s) { (const unsigned char *)(s), sizeof(s) - 1 }

static void
written(const struct string_case *v, size_t n, void (*put)(struct response *, struct bytes))
{
	for (size_t i = 0; i < n; i++) {
		struct wire w;
		struct response *r = wire_open(&w);

		r->utf8 = v[i].utf8;
		put(r, v[i].in);
		put_end(r);
		const char *got = wire_close(&w);

		CHECK_EQ_BYTES(bytes_first(bytes_of(got), strlen(got) - 2),
		    bytes_of(v[i].want));
	}
}

static void
strings(void)
{
	static const struct string_case v[] = {
		{ IN(""), false, "\"\"" }, { IN("a b"), false, "\"a b\"" },
		{ IN("a\"b\\"), false, "\"a\\\"b\\\\\"" },
		{ IN("a\r\nb"), false, "{4}\r\na\r\nb" },
		{ IN("\xc3\xa4"), false, "{2}\r\n\xc3\xa4" },
		{ IN("\xc3\xa4"), true, "\"\xc3\xa4\"" },
		{ IN("\xe4"), true, "{1}\r\n\xe4" },
		{ IN("a\0b"), false, "{3}\r\na?b" }, { IN("\0"), false, "{1}\r\n?" },
	}, astrings[] = {
		{ IN("INBOX"), false, "INBOX" }, { IN("a]b"), false, "a]b" },
		{ IN("nil"), false, "\"nil\"" }, { IN(""), false, "\"\"" },
		{ IN("a b"), false, "\"a b\"" }, { IN("a*"), false, "\"a*\"" },
	}, names[] = {
		{ IN("INBOX"), false, "INBOX" }, { IN("a&b"), false, "a&-b" },
		{ IN("\xc3\xa4"), false, "&AOQ-" }, { IN("\xc3\xa4"), true, "\"\xc3\xa4\"" },
		{ IN("a&b"), true, "a&b" }, { IN("\xe4"), false, "\"?\"" },
	};

	written(v, sizeof v / sizeof v[0], put_string);
	written(astrings, sizeof astrings / sizeof astrings[0], put_astring);
	written(names, sizeof names / sizeof names[0], put_mailbox);
}

static void
long_string(void)
{
	unsigned char big[1025];
	struct wire w;
	struct response *r = wire_open(&w);

	memset(big, 'x', sizeof big);
	put_string(r, bytes_make(big, 1024));
	put_string(r, bytes_make(big, 1025));
	put_nstring(r, (struct bytes){ 0 });
	put_end(r);

	const char *got = wire_close(&w);

	CHECK(got[0] == '"' && got[1025] == '"');
	CHECK(strncmp(got + 1026, " {1025}\r\nx", 10) == 0);
	CHECK(strcmp(got + 1026 + 9 + 1025, " NIL\r\n") == 0);
}

static void
literal_in_pieces(void)
{
	struct wire w;
	struct response *r = wire_open(&w);

	put_word(r, "BODY[]");
	put_literal_begin(r, 6);
	put_octets(r, "abc", 3);
	put_octets(r, "def", 3);
	CHECK(put_literal_end(r));
	put_literal8_begin(r, 4);
	put_octets(r, "a", 1);
	CHECK(!put_literal_end(r));
	put_end(r);
	CHECK_EQ_TEXT(wire_close(&w), "BODY[] {6}\r\nabcdef ~{4}\r\na   \r\n");
}

static void
codes(void)
{
	struct runs from = RUNS_INIT, to = RUNS_INIT;
	struct wire w;
	struct response *r = wire_open(&w);

	runs_add(&from, 4, 6);
	runs_add(&from, 9, 9);
	runs_add(&to, 1, 4);
	put_condition(r, BYTES("a1"), "OK", &(struct response_code){
	    .code = CODE_COPYUID, .number = 7, .set = &from, .to = &to }, "Done");
	put_condition(r, BYTES(""), "OK", &(struct response_code){
	    .code = CODE_UIDNEXT, .number = 10 }, "Next \x80\n");
	put_condition(r, BYTES(""), "OK", &(struct response_code){
	    .code = CODE_MAILBOXID, .text = BYTES("F1-2") }, "Id");
	put_condition(r, BYTES("b"), "NO", &(struct response_code){
	    .code = CODE_NONE }, "Why");
	put_condition_begin(r, BYTES(""), "OK");
	put_code_open(r, CODE_PERMANENTFLAGS);
	put_open(r);
	put_word(r, "\\*");
	put_close(r);
	put_code_close(r);
	put_text(r, "x");
	put_end(r);
	CHECK_EQ_TEXT(wire_close(&w),
	    "a1 OK [COPYUID 7 4:6,9 1:4] Done\r\n"
	    "* OK [UIDNEXT 10] Next ??\r\n"
	    "* OK [MAILBOXID (F1-2)] Id\r\n"
	    "b NO Why\r\n"
	    "* OK [PERMANENTFLAGS (\\*)] x\r\n");
	runs_free(&from);
	runs_free(&to);
}

static void
dates(void)
{
	struct wire w;
	struct response *r = wire_open(&w);

	put_word(r, "INTERNALDATE");
	put_date_time(r, 837596665);
	put_end(r);
	CHECK_EQ_TEXT(wire_close(&w),
	    "INTERNALDATE \"17-Jul-1996 09:44:25 +0000\"\r\n");
}

TEST_MAIN(TEST(spaces), TEST(strings), TEST(long_string),
    TEST(literal_in_pieces), TEST(codes), TEST(dates))
