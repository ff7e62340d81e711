/*
 * The configuration: defaults, values, refusals with line, cause and cure.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "test.h"

static int
parse(struct config *c, const char *text, struct buf *why)
{
	buf_clear(why);
	return config_parse(c, bytes_of(text), "test.conf", why);
}

static void
defaults(void)
{
	struct buf why = BUF_INIT(4096);
	struct config c;

	CHECK_EQ_INT(parse(&c, "", &why), 0);
	CHECK_EQ_TEXT(c.imap_listen, "*:143");
	CHECK_EQ_INT(c.minimum_uid, 1000);
	CHECK_EQ_INT(c.pam_timeout, 30);
	CHECK_EQ_INT(c.cleartext_login, TRI_LOCAL);
	config_free(&c);
	CHECK_EQ_INT(config_load(&c, "/nonexistent/x", true, &why), 0);
	config_free(&c);
	CHECK_EQ_INT(config_load(&c, "/nonexistent/x", false, &why), -1);
	config_free(&c);
	buf_free(&why);
}

static void
values(void)
{
	struct buf why = BUF_INIT(4096);
	struct config c;

	CHECK_EQ_INT(parse(&c, "# comment\n\n imap-listen  none \r\n"
	    "imap-timeout 29m\nappend-limit 3M\npam-session yes\n"
	    "cleartext-login no\nmaildir a b\nmaildir c\n", &why), 0);
	CHECK_EQ_TEXT(c.imap_listen, "none");
	CHECK_EQ_INT(c.imap_timeout, 29 * 60);
	CHECK_EQ_INT(c.append_limit, 3 << 20);
	CHECK(c.pam_session);
	CHECK_EQ_INT(c.cleartext_login, TRI_NO);
	CHECK_EQ_TEXT(c.maildir, "c");
	config_free(&c);
	buf_free(&why);
}

/* Each is refused on the line it stands on, and says what would be right. */
static void
refusals(void)
{
	static const struct {
		const char *line, *cause;
	} rows[] = {
		{ "colour blue", "unknown keyword colour" },
		{ "imap-listen 143", "give none, or" },
		{ "imaps-listen", "give none, or" },
		{ "trusted-proxies mail.example.org", "give addresses" },
		{ "max-connections 0", "from 1 to" },
		{ "max-connections 1000001", "from 1 to" },
		{ "max-connections -1", "from 1 to" },
		{ "max-connections 99999999999999999999", "from 1 to" },
		{ "pam-timeout 20y", "a time such as" },
		{ "pam-timeout 18446744073709551615d", "a time such as" },
		{ "append-limit lots", "a size such as" },
		{ "pam-session maybe", "give yes or no" },
		{ "tls-minimum 1.1", "give one of 1.2 1.3" },
		{ "mail-format mh", "give one of" },
	};
	struct buf why = BUF_INIT(4096);
	char text[256];
	struct config c;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "maildir x\n%s\nmaildir y\n",
		    rows[i].line);
		CHECK_EQ_INT(parse(&c, text, &why), -1);
		config_free(&c);
		CHECK(strncmp(buf_string(&why), "test.conf:2: ", 13) == 0);
		if (!CHECK(strstr(buf_string(&why), rows[i].cause) != NULL))
			printf("# %s\n", buf_string(&why));
	}
	buf_free(&why);
}

static void
lines(void)
{
	struct buf why = BUF_INIT(4096);
	struct config c;

	CHECK_EQ_INT(parse(&c, "maildir x\n\nmaildir y\n# z\nimap-timeout 5m", &why), 0);
	CHECK_EQ_INT(config_line(&c, "maildir"), 3);
	CHECK_EQ_INT(config_line(&c, "imap-timeout"), 5);
	CHECK_EQ_INT(config_line(&c, "pop3-timeout"), 0);
	CHECK_EQ_INT(config_line(&c, "nonsense"), 0);
	config_where(&c, "pop3-timeout", &why);
	config_where(&c, "maildir", &why);
	CHECK_EQ_TEXT(buf_string(&why), "test.conf:3: ");
	config_free(&c);
	buf_free(&why);
}

/* Of whoever reads it, as none of us need be root here. */
static void
rights(void)
{
	static const struct {
		mode_t mode;
		int result;
	} rows[] = {
		{ 0644, 0 }, { 0600, 0 }, { 0444, 0 },
		{ 0664, -1 }, { 0646, -1 }, { 0666, -1 }, { 0620, -1 }, { 0602, -1 },
	};
	char path[] = "/tmp/config_test.XXXXXX";
	struct buf why = BUF_INIT(4096);
	int fd = mkstemp(path);
	struct config c;

	CHECK(fd >= 0 && write(fd, "maildir x\n", 10) == 10);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&why);
		CHECK_EQ_INT(fchmod(fd, rows[i].mode), 0);
		if (!CHECK_EQ_INT(config_load(&c, path, true, &why), rows[i].result))
			printf("# mode %o\n", rows[i].mode);
		CHECK(rows[i].result == 0 || strstr(buf_string(&why),
		    ": cannot read: others may write to it: chmod go-w it") != NULL);
		config_free(&c);
	}
	close(fd);
	unlink(path);
	buf_free(&why);
}

/* What conn hands to a session says the same there. */
static void
dump_and_back(void)
{
	struct buf why = BUF_INIT(4096), text = BUF_INIT(65536), all = BUF_INIT(65536);
	struct buf all2 = BUF_INIT(65536);
	struct config a, b;

	CHECK_EQ_INT(parse(&a, "imap-timeout 29m\ntrusted-proxies 10.0.0.0/8\n"
	    "spare-connections 0\n", &why), 0);
	CHECK_EQ_INT(config_dump(&a, false, &text), 0);
	CHECK_EQ_TEXT(buf_string(&text), "spare-connections 0\n"
	    "trusted-proxies 10.0.0.0/8\nimap-timeout 1740\n");
	CHECK_EQ_INT(parse(&b, buf_string(&text), &why), 0);
	CHECK(config_dump(&a, true, &all) == 0 && config_dump(&b, true, &all2) == 0);
	CHECK_EQ_TEXT(buf_string(&all2), buf_string(&all));
	config_free(&a);
	config_free(&b);
	buf_free(&why);
	buf_free(&text);
	buf_free(&all);
	buf_free(&all2);
}

TEST_MAIN(TEST(defaults), TEST(values), TEST(refusals), TEST(lines), TEST(rights), TEST(dump_and_back))
