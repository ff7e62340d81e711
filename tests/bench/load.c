/*
 * A client that costs little: logs in, sends commands, throws the answers away.
 * Runs as: the person who measures.
 *
 *	load [-Pt] [-r rounds] [-l logins] [-b command]... -p port -u user -w secret
 *	    command ...
 *
 * -P speaks POP3, -t TLS from the first byte. -b commands are sent once after
 * the login and not timed; then all others, one after the other, -r times. With
 * -l the whole visit is repeated that many times and timed from connect to end.
 * Prints: seconds, commands timed, bytes received.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define BEFORE_MAX 8
#define IN_SIZE ((size_t)1 << 20)

struct load {
	bool pop3, tls;
	int port;
	unsigned long rounds, logins;
	const char *user, *secret;
	const char *before[BEFORE_MAX];
	size_t n_before;
	char **commands;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	unsigned char in[IN_SIZE];
	size_t at, end;			/* unread bytes of in */
	uint64_t received, done;
};

static void
link_up(struct load *l)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)l->port) };
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0)
		err(1, "connect to port %d", l->port);
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	l->at = l->end = 0;
	if (!l->tls)
		return;
	l->ssl = SSL_new(l->ctx);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1 ||
	    SSL_connect(l->ssl) != 1)
		errx(1, "no TLS at port %d", l->port);
}

static void
link_down(struct load *l)
{
	if (l->tls) {
		SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
	}
	close(l->fd);
}

static void
put(struct load *l, const char *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r) {
		r = l->tls ? SSL_write(l->ssl, p, n > 1 << 20 ? 1 << 20 : (int)n)
		    : write(l->fd, p, n);
		if (r <= 0)
			err(1, "write");
	}
}

static void
fill(struct load *l)
{
	ssize_t r;

	if (l->at > 0) {
		memmove(l->in, l->in + l->at, l->end - l->at);
		l->end -= l->at;
		l->at = 0;
	}
	if (l->end == IN_SIZE)
		errx(1, "a line that is too long");
	r = l->tls ? SSL_read(l->ssl, l->in + l->end, (int)(IN_SIZE - l->end))
	    : read(l->fd, l->in + l->end, IN_SIZE - l->end);
	if (r <= 0)
		errx(1, "the server closed the connection");
	l->end += (size_t)r;
	l->received += (uint64_t)r;
}

/* The next line with its LF; valid until the next one. */
static size_t
line(struct load *l, const unsigned char **p)
{
	unsigned char *lf;

	while ((lf = memchr(l->in + l->at, '\n', l->end - l->at)) == NULL)
		fill(l);
	*p = l->in + l->at;
	l->at = (size_t)(lf - l->in) + 1;
	return (size_t)(lf - *p) + 1;
}

static void
skip(struct load *l, uint64_t n)
{
	while (n > 0) {
		size_t have = l->end - l->at;

		if (have == 0) {
			l->at = l->end = 0;
			fill(l);
			continue;
		}
		if (have > n)
			have = (size_t)n;
		l->at += have;
		n -= have;
	}
}

/* Octets of the literal that a line announces, or 0. */
static uint64_t
literal(const unsigned char *p, size_t n)
{
	uint64_t size = 0, ten = 1;

	if (n < 5 || p[n - 3] != '}')
		return 0;
	for (n -= 4; p[n] >= '0' && p[n] <= '9' && n > 0; n--, ten *= 10)
		size += (uint64_t)(p[n] - '0') * ten;
	return p[n] == '{' ? size : 0;
}

/* Reads up to the tagged response, or to `+` when one is waited for. */
static void
imap_answer(struct load *l, const char *what)
{
	const unsigned char *p;
	size_t n;
	uint64_t body;

	for (;;) {
		n = line(l, &p);
		if (p[0] == 'x' || p[0] == '+')
			break;
		while ((body = literal(p, n)) > 0) {
			skip(l, body);
			n = line(l, &p);
		}
	}
	if (p[0] == 'x' && memcmp(p, "x OK", 4) != 0)
		errx(1, "%.60s: %.*s", what, (int)n, (const char *)p);
}

/* A multi-line answer ends with a dot on a line of its own. */
static void
pop3_answer(struct load *l, const char *what)
{
	bool many = strncmp(what, "RETR", 4) == 0 || strncmp(what, "TOP", 3) == 0 ||
	    strcmp(what, "LIST") == 0 || strcmp(what, "UIDL") == 0;
	const unsigned char *p;
	size_t n = line(l, &p);

	if (p[0] != '+')
		errx(1, "%.60s: %.*s", what, (int)n, (const char *)p);
	while (many) {
		n = line(l, &p);
		many = !(n == 3 && p[0] == '.');
	}
}

static void
ask(struct load *l, const char *command)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "%s%s\r\n", l->pop3 ? "" : "x ", command);

	if (n < 0 || (size_t)n >= sizeof text)
		errx(1, "a command that is too long");
	put(l, text, (size_t)n);
	if (l->pop3)
		pop3_answer(l, command);
	else
		imap_answer(l, command);
	l->done++;
}

/* APPEND mailbox octets: a message of that size as a literal. */
static void
append(struct load *l, const char *mailbox, size_t size)
{
	static const char head[] = "From: load@example.org\r\nSubject: load\r\n\r\n";
	char text[256], *body = malloc(size);

	if (body == NULL || size < sizeof head)
		errx(1, "APPEND of %zu octets", size);
	for (size_t i = 0; i < size; i++)
		body[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'a';
	memcpy(body, head, sizeof head - 1);
	snprintf(text, sizeof text, "APPEND %s {%zu}", mailbox, size);
	ask(l, text);
	put(l, body, size);
	put(l, "\r\n", 2);
	imap_answer(l, "APPEND");
	free(body);
}

static void
command(struct load *l, const char *text)
{
	char mailbox[128];
	size_t size;
	unsigned first, last;

	if (sscanf(text, "append %127s %zu", mailbox, &size) == 2) {
		append(l, mailbox, size);
	} else if (sscanf(text, "retr %u:%u", &first, &last) == 2) {
		for (; first <= last; first++) {
			snprintf(mailbox, sizeof mailbox, "RETR %u", first);
			ask(l, mailbox);
		}
	} else {
		ask(l, text);
	}
}

static void
log_in(struct load *l)
{
	const unsigned char *p;
	char text[512];

	link_up(l);
	(void)line(l, &p);
	snprintf(text, sizeof text, l->pop3 ? "USER %s" : "LOGIN %s %s", l->user, l->secret);
	ask(l, text);
	if (l->pop3) {
		snprintf(text, sizeof text, "PASS %s", l->secret);
		ask(l, text);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
visit(struct load *l)
{
	double begun = now(), timed;

	log_in(l);
	for (size_t i = 0; i < l->n_before; i++)
		command(l, l->before[i]);
	if (l->logins == 0) {
		l->done = l->received = 0;
		begun = now();
	}
	for (unsigned long r = 0; r < l->rounds; r++)
		for (char **c = l->commands; *c != NULL; c++)
			command(l, *c);
	timed = now() - begun;
	ask(l, l->pop3 ? "QUIT" : "LOGOUT");
	link_down(l);
	return l->logins > 0 ? now() - begun : timed;
}

static void
options(struct load *l, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "Ptp:r:l:u:w:b:")) != -1)
		switch (c) {
		case 'P':
			l->pop3 = true;
			break;
		case 't':
			l->tls = true;
			break;
		case 'p':
			l->port = atoi(optarg);
			break;
		case 'r':
			l->rounds = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			l->logins = strtoul(optarg, NULL, 10);
			break;
		case 'u':
			l->user = optarg;
			break;
		case 'w':
			l->secret = optarg;
			break;
		case 'b':
			if (l->n_before == BEFORE_MAX)
				errx(1, "more than %d -b", BEFORE_MAX);
			l->before[l->n_before++] = optarg;
			break;
		default:
			errx(2, "usage: see the beginning of load.c");
		}
	l->commands = argv + optind;
}

int
main(int argc, char **argv)
{
	static struct load l = { .rounds = 1 };
	double seconds = 0;

	options(&l, argc, argv);
	if (l.user == NULL || l.secret == NULL || l.port == 0)
		errx(2, "-p, -u and -w are needed");
	if (l.tls && (l.ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		errx(1, "no TLS");
	for (unsigned long i = 0; i < (l.logins > 0 ? l.logins : 1); i++)
		seconds += visit(&l);
	printf("%.6f %llu %llu\n", seconds, (unsigned long long)l.done,
	    (unsigned long long)l.received);
	return 0;
}
