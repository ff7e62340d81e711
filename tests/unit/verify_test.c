/*
 * Verifiers over the secrets file, by the RFCs' own conversations, and what they
 * do for names that are in no file.
 * Runs as: root.
 */
#include <sys/stat.h>

#include <netinet/in.h>

#include <fcntl.h>
#include <resolv.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "test.h"
#include "verify.h"

#define SHA1 "user SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$" \
	"6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=\n"
#define SHA256 "user SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n"
/* "tanstaaftanstaaf" of RFC 2195, "tanstaaf" of RFC 1939 */
#define SHARED "tim CRAM-MD5$dGFuc3RhYWZ0YW5zdGFhZg==\nmrose CRAM-MD5$dGFuc3RhYWY=\n"
#define EXTERNAL "ann EXTERNAL$sha256:00ff\nbob EXTERNAL$email:b@x\n" \
	"bob EXTERNAL$sha256:00ff\n"

static char path[] = "/tmp/verify-test.XXXXXX";
static struct config conf;
static struct exchange x;
static struct chan_req q;

/* The file is that; an exchange begins with its mechanism. */
static void
begin(const char *text, enum mechanism m)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	log_level(LOG_EMERG);
	CHECK(fd >= 0);
	CHECK_EQ_INT(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	buf_free(&x.challenge);
	x = (struct exchange){ .conf = &conf, .mechanism = m,
	    .challenge = BUF_INIT(CHAN_TOKEN_MAX) };
	q = (struct chan_req){ 0 };
}

/* The file must be root's. */
static bool
setup(void)
{
	static bool done;
	int fd;

	if (geteuid() != 0) {
		test_skip("needs root");
		return false;
	}
	if (done)
		return true;
	done = true;
	fd = mkstemp(path);
	close(fd);
	conf.secrets = path;
	return true;
}

static void
fill(const char *user, const char *authzid, struct bytes secret)
{
	q = (struct chan_req){ 0 };
	chan_put(&q.user, bytes_of(user));
	chan_put(&q.authzid, bytes_of(authzid));
	chan_put(&q.secret, secret);
}

/* In place of what was drawn: the server's words of the RFC. */
static void
say(const char *text)
{
	x.said_n = strlen(text);
	memcpy(x.said, text, x.said_n);
	buf_clear(&x.challenge);
}

static void
scram_is_that_of_the_rfcs(void)
{
	static const struct {
		enum mechanism m;
		const char *file, *said, *before, *behind;
		size_t n;
		const char *proof, *signature;
	} rows[] = {
		{ MECHANISM_SCRAM_SHA_1, SHA1,
		    "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		    "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL",
		    ",r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j", 20,
		    "\xbf\x45\xfc\xbf\x70\x73\xd9\x3d\x02\x24\x66\xc9\x43\x21\x74\x5f"
		    "\xe1\xc8\xe1\x3b",
		    "\xae\x61\x7d\xa6\xa5\x7c\x4b\xbb\x2e\x02\x86\x56\x8d\xae\x1d\x25"
		    "\x19\x05\xb0\xa4" },
		{ MECHANISM_SCRAM_SHA_256, SHA256,
		    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO",
		    ",r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", 32,
		    "\x74\x7c\xdb\x65\xaa\x56\x22\x4e\x23\x52\x13\x7e\x52\xd7\xbd\xca"
		    "\xd6\xa0\xf7\x38\xdf\x30\x78\x2c\xaa\x69\xa2\xcf\xb0\x27\x75\x54",
		    "\xea\xba\xe2\x4d\x10\x62\xdb\x75\xa9\x45\x1f\xf0\xb6\xea\x7e\x98"
		    "\xc8\x54\x65\x49\xff\x74\x1e\x67\x2d\x32\x51\xb2\x39\x7d\xe4\x6e" },
	};

	if (!setup())
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes proof = bytes_make(rows[i].proof, rows[i].n);

		begin(rows[i].file, rows[i].m);
		fill("user", "", BYTES(""));
		CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
		say(rows[i].said);
		fill(rows[i].before, "n", proof);
		CHECK_EQ_INT(verify_scram_step(&x, &q, bytes_of(rows[i].behind)),
		    CHAN_CHALLENGE);
		CHECK_EQ_BYTES(buf_contents(&x.challenge),
		    bytes_make(rows[i].signature, rows[i].n));
		CHECK_EQ_INT(verify_scram_step(&x, &q, BYTES("")), CHAN_OK);
		CHECK(strcmp(x.user, "user") == 0);
	}
}

/* The proof of RFC 5802, and everything that it is not a proof of. */
static void
a_proof_is_of_one_message(void)
{
	static const char before[] = "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL";
	static const char behind[] = ",r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
	static const unsigned char proof[] = "\xbf\x45\xfc\xbf\x70\x73\xd9\x3d\x02\x24"
	    "\x66\xc9\x43\x21\x74\x5f\xe1\xc8\xe1\x3b";
	static const struct {
		const char *name, *said, *before, *behind;
		size_t n;
	} rows[] = {
		{ "user", "3rfcNHYJY1ZVvWVs7k,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 20 },
		{ "user", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", "", behind, 20 },
		{ "user", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, "", 20 },
		{ "user", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 19 },
		{ "user", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 21 },
		{ "user", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 0 },
		{ "users", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 20 },
		{ "", "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", before, behind, 20 },
	};

	if (!setup())
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(SHA1, MECHANISM_SCRAM_SHA_1);
		fill(rows[i].name, "", BYTES(""));
		CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
		say(rows[i].said);
		fill(rows[i].before, "n", bytes_make(proof, rows[i].n));
		CHECK_EQ_INT(verify_scram_step(&x, &q, bytes_of(rows[i].behind)),
		    CHAN_REFUSED);
		CHECK(x.why != NULL && !x.proved);
		CHECK_EQ_INT(x.challenge.len, 0);
	}
}

#define CLIENT_KEY "0123456789abcdefghij"	/* of SHA-1 */

/* The file in which ann has that key. */
static void
make_file(struct buf *text)
{
	struct secret s = { .user = BYTES("ann"), .kind = SECRET_SCRAM_SHA_1,
	    .iterations = 4096, .salt_n = 12 };

	*text = BUF_INIT(4096);
	digest_of(DIGEST_SHA1, BYTES(CLIENT_KEY), BYTES(""), s.stored);
	CHECK_EQ_INT(secrets_print(&s, text), 0);
}

static void
prove_message(const char *message, unsigned char proof[20])
{
	unsigned char stored[DIGEST_MAX], signature[DIGEST_MAX];

	digest_of(DIGEST_SHA1, BYTES(CLIENT_KEY), BYTES(""), stored);
	digest_hmac(DIGEST_SHA1, bytes_make(stored, 20), bytes_of(message), BYTES(""),
	    signature);
	for (int i = 0; i < 20; i++)
		proof[i] = (unsigned char)CLIENT_KEY[i] ^ signature[i];
}

/* What ann's client proves when it signs this header, channel binding and all. */
static void
prove(const char *header, unsigned char proof[20])
{
	char encoded[256], message[1024];

	CHECK(b64_ntop((const unsigned char *)header, strlen(header), encoded,
	    sizeof encoded) > 0);
	snprintf(message, sizeof message, "n=ann,r=x,r=x%.*s,c=%s,r=xy",
	    (int)x.said_n, x.said, encoded);
	prove_message(message, proof);
}

/* Whatever a login that lies makes of it. */
static void
whom_to_act_for_was_signed(void)
{
	static const struct {
		const char *header;		/* the client's */
		const char *authzid, *flag, *binding;	/* login's */
		bool good;
	} rows[] = {
		{ "n,,", "", "n", "", true }, { "y,,", "", "y", "", true },
		{ "n,a=bob,", "bob", "n", "", true },
		{ "n,a=a=2Cb=3D,", "a,b=", "n", "", true },
		{ "p=tls-exporter,,BINDING", "", "p=tls-exporter", "BINDING", true },
		{ "p=x,a=bob,,,,", "bob", "p=x", ",,,", true },
		{ "n,,", "bob", "n", "", false }, { "n,a=bob,", "", "n", "", false },
		{ "n,a=bob,", "eve", "n", "", false },
		{ "n,a=bob,", "bo", "n", "b,", false },
		{ "n,a=bob,", "", "n,a=bob", "", false },
		{ "n,a=bob,,", "", "n,a=bob", "", false },
		{ "p=x,a=bob,q,,r", "", "p=x,a=bob,q", "r", false },
		{ "p=x,,a=bob,", "bob", "p=x,", "", false },
		{ "n,a=a=2Cb,", "a=2Cb", "n", "", false },
		{ "n,,", "", "y", "", false }, { "n,,", "", "n", "x", false },
		{ "n,,", "", "", "", false }, { "n,,", "", "n,", "", false },
	};
	unsigned char secret[64];
	struct buf file;

	if (!setup())
		return;
	make_file(&file);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].binding);

		begin(buf_string(&file), MECHANISM_SCRAM_SHA_1);
		fill("ann", rows[i].authzid, BYTES(""));
		CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
		prove(rows[i].header, secret);
		memcpy(secret + 20, rows[i].binding, n);
		fill("n=ann,r=x,r=x", rows[i].flag, bytes_make(secret, 20 + n));
		if (!CHECK_EQ_INT(verify_scram_step(&x, &q, BYTES(",r=xy")),
		    rows[i].good ? CHAN_CHALLENGE : CHAN_REFUSED))
			printf("# %s\n", rows[i].header);
	}
	buf_free(&file);
}

/* The client signed "n,,", behind what a login added to our words: "n,a=bob,". */
static void
nothing_is_added_to_our_words(void)
{
	static const char *const tokens[] = { ",c=biws,r=xy", ",r=xy,c=biws,r=xy",
	    ",m,c=biws,r=xy" };
	unsigned char proof[20];
	char message[1024];
	struct buf file;

	if (!setup())
		return;
	make_file(&file);
	for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
		begin(buf_string(&file), MECHANISM_SCRAM_SHA_1);
		fill("ann", "bob", BYTES(""));
		CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
		snprintf(message, sizeof message, "n=ann,r=x,r=x%.*s,c=bixhPWJvYiw=%s",
		    (int)x.said_n, x.said, tokens[i]);
		prove_message(message, proof);
		fill("n=ann,r=x,r=x", "n", bytes_make(proof, sizeof proof));
		CHECK_EQ_INT(verify_scram_step(&x, &q, bytes_of(tokens[i])),
		    CHAN_REFUSED);
		CHECK(!x.proved);
	}
	buf_free(&file);
}

static void
copy_words(char out[EXCHANGE_SAID_MAX + 1])
{
	const char *at;

	memcpy(out, x.said, x.said_n);
	out[x.said_n] = '\0';
	at = strchr(out, ',');
	CHECK(at != NULL && at - out == 24);
	memmove(out, at == NULL ? out : at, strlen(at == NULL ? out : at) + 1);
}

#define HOST "* HOST$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define KEYS "6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE="

/* The salt and count that strangerN is told; what is said of its secret. */
static uint32_t
tell_stranger(const char *file, int n, char words[EXCHANGE_SAID_MAX + 1])
{
	char name[32];

	snprintf(name, sizeof name, "stranger%d", n);
	begin(file, MECHANISM_SCRAM_SHA_1);
	fill(name, "", BYTES(""));
	CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
	CHECK(!x.known);
	copy_words(words);
	return x.secret.iterations;
}

/* Salt and count of a stranger: always the same, another for each, as others'. */
static void
strangers_are_steady(void)
{
	static const char file[] = "other SCRAM-SHA-1$5000:QSXCR+Q6sek8bf92$" KEYS
	    "\n" HOST;
	static const char more[] = "# changed\n" SHA256
	    "other SCRAM-SHA-1$5000:QSXCR+Q6sek8bf92$" KEYS "\n" HOST;
	static const struct {
		const char *file;
		int name;
	} rows[] = { { file, 1 }, { more, 1 }, { file, 2 } };
	char words[3][EXCHANGE_SAID_MAX + 1];

	if (!setup())
		return;
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ_INT(tell_stranger(rows[i].file, rows[i].name, words[i]), 5000);
		CHECK_EQ_INT(x.secret.salt_n, 12);
	}
	CHECK(strcmp(words[0], words[1]) == 0);
	CHECK(strcmp(words[0], words[2]) != 0);
}

#define STRANGERS 200

/* n users with a count of 4096 and salts of 12, half as many of 9000 and 16. */
static void
mixed_file(struct buf *text, int n)
{
	*text = BUF_INIT(65536);
	for (int i = 0; i < n; i++) {
		buf_printf(text, "ann%d SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$" KEYS "\n", i);
		if (i % 2 == 0)
			buf_printf(text, "bob%d SCRAM-SHA-1$9000:"
			    "W22ZaJ0SNY7soEsUEjb6gQ==$" KEYS "\n", i);
	}
	buf_text(text, HOST);
}

/* What is rare among users is as rare among strangers, and stays where it was. */
static void
strangers_are_like_users(void)
{
	char before[STRANGERS][EXCHANGE_SAID_MAX + 1], words[EXCHANGE_SAID_MAX + 1];
	struct buf text, more;
	int few = 0, moved = 0;

	if (!setup())
		return;
	mixed_file(&text, 20);
	mixed_file(&more, 22);
	for (int i = 0; i < STRANGERS; i++) {
		uint32_t count = tell_stranger(buf_string(&text), i, before[i]);

		CHECK(count == 4096 ? x.secret.salt_n == 12
		    : count == 9000 && x.secret.salt_n == 16);
		few += count == 9000;
	}
	for (int i = 0; i < STRANGERS; i++) {
		(void)tell_stranger(buf_string(&more), i, words);
		moved += strcmp(words, before[i]) != 0;
	}
	printf("# %d of %d like the third; %d moved\n", few, STRANGERS, moved);
	CHECK(few > STRANGERS / 5 && few < STRANGERS / 2);
	CHECK(moved < STRANGERS / 10);
	buf_free(&text);
	buf_free(&more);
}

static void
without_a_file_nobody_is_proved(void)
{
	if (!setup())
		return;
	begin("", MECHANISM_SCRAM_SHA_1);
	fill("user", "", BYTES(""));
	CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_CHALLENGE);
	CHECK(!x.known);
	CHECK_EQ_INT(chmod(path, 0640), 0);
	CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_UNAVAILABLE);
	CHECK_EQ_INT(verify_kinds(&conf), 0);
	CHECK_EQ_INT(chmod(path, 0600), 0);
	conf.secrets = "/nonexistent/secrets";
	CHECK_EQ_INT(verify_scram_begin(&x, &q, BYTES("")), CHAN_UNAVAILABLE);
	CHECK_EQ_INT(verify_kinds(&conf), 0);
	conf.secrets = path;
}

/* RFC 2195 section 2, RFC 1939 section 7. */
static void
shared_passwords_are_those_of_the_rfcs(void)
{
	static const struct {
		const char *name, *stamp, *digest;
		exchange_step *step;
	} rows[] = {
		{ "tim", "<1896.697170952@postoffice.reston.mci.net>",
		    "\xb9\x13\xa6\x02\xc7\xed\xa7\xa4\x95\xb4\xe6\xe7\x33\x4d\x38\x90",
		    verify_cram_step },
		{ "mrose", "<1896.697170952@dbc.mtview.ca.us>",
		    "\xc4\xc9\x33\x4b\xac\x56\x0e\xcc\x97\x9e\x58\x00\x1b\x3e\x22\xfb",
		    verify_apop },
	};

	if (!setup())
		return;
	for (size_t i = 0; i < 2; i++)
		for (int wrong = 0; wrong < 4; wrong++) {
			struct bytes digest = bytes_make(rows[i].digest,
			    wrong == 2 ? 15 : 16);

			begin(SHARED, MECHANISM_CRAM_MD5);
			x.stamp = rows[i].stamp;
			snprintf(x.said, sizeof x.said, "%s", rows[i].stamp);
			fill(wrong == 1 ? rows[1 - i].name
			    : wrong == 3 ? "nobody" : rows[i].name, "", digest);
			CHECK_EQ_INT(rows[i].step(&x, &q, BYTES("")),
			    wrong == 0 ? CHAN_OK : CHAN_REFUSED);
		}
}

static void
stamps_differ(void)
{
	char a[STAMP_MAX], b[STAMP_MAX];

	verify_stamp(a);
	verify_stamp(b);
	CHECK(strcmp(a, b) != 0);
	CHECK(a[0] == '<' && a[strlen(a) - 1] == '>' && strchr(a, '@') != NULL);
}

static void
certificates_have_owners(void)
{
	static const struct {
		const char *asked, *token, *user;	/* NULL: refused */
	} rows[] = {
		{ "", "sha256:00ff\n", "ann" }, { "bob", "sha256:00ff\n", "bob" },
		{ "eve", "sha256:00ff\n", "ann" }, { "", "email:b@x\n", "bob" },
		{ "", "subject:CN=x\nemail:b@x\n", "bob" }, { "", "", NULL },
		{ "ann", "", NULL }, { "", "sha256:00f\n", NULL },
		{ "", "sha256:00fff\n", NULL }, { "", "email:bb@x\n", NULL },
	};

	if (!setup())
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(EXTERNAL, MECHANISM_EXTERNAL);
		fill(rows[i].asked, "", BYTES(""));
		CHECK_EQ_INT(verify_external(&x, &q, bytes_of(rows[i].token)),
		    rows[i].user != NULL ? CHAN_OK : CHAN_REFUSED);
		if (rows[i].user != NULL)
			CHECK_EQ_BYTES(bytes_of(x.user), bytes_of(rows[i].user));
		CHECK_EQ_INT(x.authzid.n, strlen(rows[i].asked));
	}
}

static void
anonymous_is_who_is_configured(void)
{
	if (!setup())
		return;
	conf.anonymous_user = "guest";
	begin("", MECHANISM_ANONYMOUS);
	CHECK_EQ_INT(verify_anonymous(&x, &q, BYTES("trace")), CHAN_OK);
	CHECK(strcmp(x.user, "guest") == 0 && x.read_only);
}

static void
kinds_are_seen(void)
{
	if (!setup())
		return;
	begin(SHA256 "nonsense\n" EXTERNAL, MECHANISM_ANONYMOUS);
	CHECK_EQ_INT(verify_kinds(&conf), 1 << SECRET_SCRAM_SHA_256
	    | 1 << SECRET_EXTERNAL);
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An exchange that ends in a refusal, many times. */
static double
cost_of(const char *name)
{
	double begun = cpu_seconds();

	for (int i = 0; i < 300; i++) {
		x.proved = x.known = false;
		buf_clear(&x.challenge);
		fill(name, "", BYTES(""));
		(void)verify_scram_begin(&x, &q, BYTES(""));
		fill("n=u,r=1,r=1", ",r=1", bytes_make(path, 20));
		(void)verify_scram_step(&x, &q, BYTES(""));
	}
	return cpu_seconds() - begun;
}

/* The user at the end of a long file, the one at its beginning, and nobody. */
static void
strangers_cost_what_users_cost(void)
{
	struct buf text = BUF_INIT(1 << 20);
	static const char *const names[] = { "first", "user", "nobody" };
	double least[3] = { 1e9, 1e9, 1e9 };

	if (!setup())
		return;
	buf_printf(&text, "first%s", &SHA1[4]);
	for (int i = 0; i < 500; i++)
		buf_printf(&text, "u%d%s", i, &SHA1[4]);
	buf_text(&text, SHA1);
	begin(buf_string(&text), MECHANISM_SCRAM_SHA_1);
	for (int round = 0; round < 7; round++)
		for (int i = 0; i < 3; i++) {
			double cost = cost_of(names[i]);

			least[i] = cost < least[i] ? cost : least[i];
		}
	printf("# us an exchange: first %.1f, last %.1f, nobody %.1f\n",
	    least[0] / 300 * 1e6, least[1] / 300 * 1e6, least[2] / 300 * 1e6);
	for (int i = 0; i < 2; i++)
		CHECK(least[i] < 1.1 * least[2] && least[2] < 1.1 * least[i]);
	buf_free(&text);
	unlink(path);
}

TEST_MAIN(TEST(scram_is_that_of_the_rfcs), TEST(a_proof_is_of_one_message),
    TEST(whom_to_act_for_was_signed), TEST(nothing_is_added_to_our_words),
    TEST(strangers_are_steady), TEST(strangers_are_like_users), TEST(without_a_file_nobody_is_proved),
    TEST(shared_passwords_are_those_of_the_rfcs), TEST(stamps_differ),
    TEST(certificates_have_owners), TEST(anonymous_is_who_is_configured),
    TEST(kinds_are_seen), TEST(strangers_cost_what_users_cost))
