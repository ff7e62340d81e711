/*
 * Client text in a log line cannot pose as a field, and lines wait for nobody.
 * Runs as: the person who builds.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "test.h"

/* What the next lines leave at descriptor 2, until heard() ends it. */
static int
hear(int pair[2])
{
	int old = dup(DIAGNOSTICS_FD);

	if (pipe(pair) < 0 || dup2(pair[1], DIAGNOSTICS_FD) < 0)
		return -1;
	return old;
}

static void
heard(int pair[2], int old, char *text, size_t size)
{
	ssize_t n = read(pair[0], text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	dup2(old, DIAGNOSTICS_FD);
	close(old);
	close(pair[0]);
	close(pair[1]);
}

static void
errors_name_whose_they_are(void)
{
	char text[4096], name[2000];
	int pair[2], old = hear(pair);

	log_context("user=ann session=x");
	log_info("news");
	log_warn("trouble\n: %s", "no");
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	log_context(name);
	log_warn("%s", name);
	heard(pair, old, text, sizeof text);
	CHECK(strstr(text, "]: news\n") != NULL);
	CHECK(strstr(text, "]: trouble?: no user=ann session=x\n") != NULL);
	CHECK(text[strlen(text) - 1] == '\n');
	log_context("");
}

static void
quoting_leaves_no_field_end(void)
{
	CHECK_EQ_TEXT(log_quote(BYTES("alice")), "alice");
	CHECK_EQ_TEXT(log_quote(BYTES("x rip=10.0.0.1")),
	    "x\\20rip\\3d10.0.0.1");
	CHECK_EQ_TEXT(log_quote(BYTES("a\r\nb\x1b\"\\")), "a\\0d\\0ab\\1b\\22\\5c");
	CHECK_EQ_TEXT(log_quote(BYTES("\xc3\xa4%s")), "\\c3\\a4%s");
}

static void
quoting_cuts_long_text(void)
{
	unsigned char big[1000];
	const char *q;

	memset(big, 0xff, sizeof big);
	q = log_quote(bytes_make(big, sizeof big));
	CHECK_EQ_INT(strlen(q), 3 * LOG_QUOTE_MAX + 3);
	memset(big, 'a', sizeof big);
	q = log_quote(bytes_make(big, LOG_QUOTE_MAX));
	CHECK_EQ_INT(strlen(q), LOG_QUOTE_MAX);
}

/* --- syslog, as slow as we like --- */

#define ROOM 65536

/* A socket at LOG_FD, full, and the one that it is sent to. */
static int
slow_syslog(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t n = sizeof name;
	int in = socket(AF_UNIX, SOCK_DGRAM, 0), out = socket(AF_UNIX, SOCK_DGRAM, 0);

	/* Without a path the kernel gives it a name of its own. */
	CHECK_EQ_INT(bind(in, (struct sockaddr *)&name, sizeof name.sun_family), 0);
	CHECK_EQ_INT(getsockname(in, (struct sockaddr *)&name, &n), 0);
	CHECK_EQ_INT(connect(out, (struct sockaddr *)&name, n), 0);
	CHECK_EQ_INT(dup2(out, LOG_FD), LOG_FD);
	if (out != LOG_FD)
		close(out);
	while (send(LOG_FD, "old", 3, MSG_DONTWAIT) == 3)
		continue;
	log_inherit("test");
	return in;
}

/* Whether the line is among what comes, until there is no more for now. */
static bool
has_come(int in, const char *line, int flags)
{
	char text[ROOM];
	ssize_t n;

	while ((n = recv(in, text, sizeof text - 1, flags)) > 0) {
		text[n] = '\0';
		if (strstr(text, line) != NULL)
			return true;
	}
	return false;
}

static void
a_full_syslog_holds_nobody_up(void)
{
	int in = slow_syslog();
	uint64_t begun = clock_ms();

	log_info("lost");
	log_patience(50);
	log_info("lost too");
	CHECK(clock_ms() - begun >= 50);
	log_patience(0);
	CHECK(!has_come(in, "lost", MSG_DONTWAIT));
	log_info("kept");
	CHECK(has_come(in, "kept", MSG_DONTWAIT));
	close(in);
	close(LOG_FD);
}

static void
who_is_patient_loses_no_line(void)
{
	int in = slow_syslog(), status = -1;
	pid_t reader = fork();

	if (reader == 0) {
		alarm(60);
		_exit(has_come(in, "waited for", 0) ? 0 : 1);
	}
	log_patience(60000);
	errno = ENOTTY;
	log_info("waited for");
	CHECK_EQ_INT(errno, ENOTTY);
	log_patience(0);
	CHECK_EQ_INT(waitpid(reader, &status, 0), reader);
	CHECK_EQ_INT(status, 0);
	close(in);
	close(LOG_FD);
}

TEST_MAIN(TEST(quoting_leaves_no_field_end), TEST(quoting_cuts_long_text),
    TEST(errors_name_whose_they_are), TEST(a_full_syslog_holds_nobody_up),
    TEST(who_is_patient_loses_no_line))
