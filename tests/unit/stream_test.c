/*
 * The client stream: lines, limits, deadlines, on real descriptors.
 * Runs as: the person who builds.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream.h"
#include "test.h"

struct pair {
	struct stream s;
	int peer;
	int own;
};

static bool
open_pair(struct pair *p)
{
	int fd[2];

	if (!CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0))
		return false;
	p->own = fd[0];
	p->peer = fd[1];
	stream_init(&p->s, p->own, p->own);
	p->s.read_deadline = clock_ms() + 5000;
	return true;
}

static void
close_pair(struct pair *p)
{
	stream_free(&p->s);
	close(p->own);
	if (p->peer >= 0)
		close(p->peer);
}

static void
give(struct pair *p, const char *text)
{
	CHECK_EQ_INT(write(p->peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void
lines_end_in_lf_or_crlf(void)
{
	struct pair p;
	struct bytes line;

	if (!open_pair(&p))
		return;
	give(&p, "one\r\ntwo\n\r\nfour");
	CHECK_EQ_INT(stream_line(&p.s, 100, &line), 0);
	CHECK_EQ_BYTES(line, BYTES("one"));
	CHECK_EQ_INT(stream_line(&p.s, 100, &line), 0);
	CHECK_EQ_BYTES(line, BYTES("two"));
	CHECK_EQ_INT(stream_line(&p.s, 100, &line), 0);
	CHECK_EQ_BYTES(line, BYTES(""));
	shutdown(p.peer, SHUT_WR);
	CHECK_EQ_INT(stream_line(&p.s, 100, &line), -1);
	CHECK_EQ_INT(errno, EPIPE);
	CHECK_EQ_BYTES(stream_pending(&p.s), BYTES("four"));
	close_pair(&p);
}

static void
a_long_line_is_refused_and_can_be_skipped(void)
{
	struct pair p;
	struct bytes line;

	if (!open_pair(&p))
		return;
	give(&p, "0123456789ABC\nnext\n");
	CHECK_EQ_INT(stream_line(&p.s, 10, &line), -1);
	CHECK_EQ_INT(errno, E2BIG);
	CHECK_EQ_INT(stream_skip_line(&p.s), 0);
	CHECK_EQ_INT(stream_line(&p.s, 10, &line), 0);
	CHECK_EQ_BYTES(line, BYTES("next"));
	close_pair(&p);
}

static void
reading_keeps_its_deadline(void)
{
	struct pair p;
	struct bytes line;

	if (!open_pair(&p))
		return;
	give(&p, "half");
	p.s.read_deadline = clock_ms() + 30;
	CHECK_EQ_INT(stream_line(&p.s, 10, &line), -1);
	CHECK_EQ_INT(errno, ETIMEDOUT);
	close_pair(&p);
}

static void
writing_keeps_its_deadline(void)
{
	struct pair p;
	char block[4096] = { 0 };
	int r = 0;

	if (!open_pair(&p))
		return;
	p.s.write_timeout = 30;
	for (int i = 0; i < 1000 && r == 0; i++)
		r = stream_write(&p.s, block, sizeof block);
	CHECK_EQ_INT(r, -1);
	CHECK_EQ_INT(errno, ETIMEDOUT);
	/* And every later write fails at once. */
	CHECK_EQ_INT(stream_text(&p.s, "x"), -1);
	close_pair(&p);
}

static void
waiting_for_input_sends_output_first(void)
{
	struct pair p;
	char got[8];

	if (!open_pair(&p))
		return;
	p.s.read_deadline = clock_ms() + 10;
	CHECK_EQ_INT(stream_text(&p.s, "hello"), 0);
	CHECK_EQ_INT(stream_fill(&p.s), -1);
	CHECK_EQ_INT(recv(p.peer, got, sizeof got, MSG_DONTWAIT), 5);
	close_pair(&p);
}

static void
a_wake_descriptor_ends_the_wait_but_not_half_a_line(void)
{
	struct pair p;
	int wake[2];

	if (!open_pair(&p) || !CHECK_EQ_INT(pipe2(wake, O_CLOEXEC), 0))
		return;
	CHECK_EQ_INT(write(wake[1], "!", 1), 1);
	p.s.wake_fd = wake[0];
	CHECK_EQ_INT(stream_fill(&p.s), 0);
	give(&p, "x");
	CHECK_EQ_INT(stream_fill(&p.s), 1);
	close(wake[0]);
	close(wake[1]);
	close_pair(&p);
}

static void
a_pipe_works_too(void)
{
	int in[2], out[2];
	struct stream s;
	struct bytes line;
	char got[100];

	if (!CHECK_EQ_INT(pipe2(in, O_CLOEXEC), 0)
	    || !CHECK_EQ_INT(pipe2(out, O_CLOEXEC), 0))
		return;
	stream_init(&s, in[0], out[1]);
	CHECK_EQ_INT(write(in[1], "a\r\n", 3), 3);
	CHECK_EQ_INT(stream_line(&s, 10, &line), 0);
	CHECK_EQ_INT(stream_text(&s, "7 "), 0);
	CHECK_EQ_INT(stream_number(&s, 1234567), 0);
	CHECK_EQ_INT(stream_flush(&s), 0);
	CHECK_EQ_INT(read(out[0], got, sizeof got), 9);
	stream_free(&s);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
}

/* A connection over TCP: only there an unread byte can destroy an answer. */
static bool
open_tcp(int *ours, int *theirs)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&at, n) < 0
	    || listen(listener, 1) < 0
	    || getsockname(listener, (struct sockaddr *)&at, &n) < 0
	    || connect(*theirs, (struct sockaddr *)&at, n) < 0)
		return false;
	*ours = accept(listener, NULL, NULL);
	close(listener);
	return *ours >= 0;
}

static void
last_words_arrive_though_input_is_unread(void)
{
	static const char noise[100000];
	struct bytes line;
	struct stream s;
	int ours, theirs;
	char got[16];

	if (!CHECK(open_tcp(&ours, &theirs)))
		return;
	stream_init(&s, ours, ours);
	CHECK_EQ_INT(write(theirs, "x\n", 2), 2);
	CHECK_EQ_INT(stream_line(&s, 10, &line), 0);
	CHECK_EQ_INT(write(theirs, noise, sizeof noise), sizeof noise);
	CHECK_EQ_INT(shutdown(theirs, SHUT_WR), 0);
	CHECK_EQ_INT(stream_text(&s, "bye"), 0);
	stream_end(&s);
	stream_free(&s);
	close(ours);
	CHECK_EQ_INT(read(theirs, got, sizeof got), 3);
	CHECK_EQ_INT(read(theirs, got, sizeof got), 0);
	close(theirs);
}

/* In a child: takes a little now and then, until nothing more comes. */
static void
sip(int fd)
{
	static char some[2048];

	while (read(fd, some, sizeof some) > 0)
		usleep(40000);
	_exit(0);
}

static void
a_reader_of_little_gains_no_time(void)
{
	static char much[STREAM_OUT_SIZE];
	struct pair p;
	uint64_t begin;
	int size = 4096;
	pid_t pid;

	if (!open_pair(&p))
		return;
	CHECK_EQ_INT(setsockopt(p.own, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	p.s.write_timeout = 400;
	pid = fork();
	if (pid == 0) {
		close(p.own);
		sip(p.peer);
	}
	close(p.peer);
	p.peer = -1;
	begin = clock_ms();
	CHECK_EQ_INT(stream_write(&p.s, much, sizeof much), -1);
	CHECK_EQ_INT(errno, ETIMEDOUT);
	CHECK(clock_ms() - begin >= 400);
	CHECK(p.s.out_total > 4096);		/* each wait had an end */
	close_pair(&p);
	CHECK_EQ_INT(waitpid(pid, NULL, 0), pid);
}

TEST_MAIN(
	TEST(lines_end_in_lf_or_crlf),
	TEST(a_long_line_is_refused_and_can_be_skipped),
	TEST(reading_keeps_its_deadline),
	TEST(writing_keeps_its_deadline),
	TEST(a_reader_of_little_gains_no_time),
	TEST(waiting_for_input_sends_output_first),
	TEST(a_wake_descriptor_ends_the_wait_but_not_half_a_line),
	TEST(last_words_arrive_though_input_is_unread),
	TEST(a_pipe_works_too)
)
