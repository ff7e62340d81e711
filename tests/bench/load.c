/*
 * A client that costs little: logs in, sends commands, throws the answers away.
 * Runs as: the person who measures.
 *
 *	load [-PRtz] [-c connections] [-l logins] [-n clients] [-r rounds]
 *	    [-b command]... [-a command]... -p port -u user -w secret command ...
 *
 * -P speaks POP3, -t TLS from the first byte, -z compresses, -R resumes TLS
 * sessions. Each of -n processes opens -c connections, sends each of the -b
 * commands once, then all others, one after the other, -r times, then those of
 * -a. With -l the whole visit is repeated that many times instead.
 *
 * Only what lies between -b and -a is timed. The program says `ready` and waits
 * for a line before it, prints seconds, commands and bytes received behind it,
 * and waits for a line again: what the server used is then read from outside.
 *
 * In commands and in the user's name `%` is the number of the process, from 0.
 * Beside the protocol's commands there are:
 *	append MAILBOX OCTETS	a message of that size
 *	many MAILBOX OCTETS N	so many of them in one APPEND (RFC 3502)
 *	retr FIRST:LAST N	RETR of each, N (up to 100) commands at once
 *	idle, done		begin and end IDLE
 *	deliver MAILDIR		while in IDLE: until the delivery is told
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define LIST_MAX 16
#define TEXT_SIZE 4096

struct list {
	const char *v[LIST_MAX];
	size_t n;
};

struct load {
	struct client first;		/* what all connections have in common */
	struct client *c;		/* the connections of this process */
	unsigned long rounds, logins, clients, connections;
	const char *user, *secret;
	struct list before, after;
	char **commands;
	unsigned long number;		/* of this process */
	bool compress;
};

/* ---- commands ---- */

static void
put_message(struct client *c, size_t size)
{
	static const char head[] = "From: load@example.org\r\nSubject: load\r\n\r\n";
	char *body = malloc(size);

	if (body == NULL || size < sizeof head)
		errx(1, "APPEND of %zu octets", size);
	for (size_t i = 0; i < size; i++)
		body[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'a';
	memcpy(body, head, sizeof head - 1);
	client_put(c, body, size);
	free(body);
}

static void
append(struct client *c, const char *mailbox, size_t size, unsigned count)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof text, "APPEND %s {%zu}", mailbox, size);
	client_ask(c, text);
	put_message(c, size);
	snprintf(text, sizeof text, " {%zu}\r\n", size);
	while (--count > 0) {
		client_put(c, text, strlen(text));
		client_answer(c, "APPEND");
		put_message(c, size);
	}
	client_put(c, "\r\n", 2);
	client_answer(c, "APPEND");
}

/* As a delivery agent does it, with the owner of the Maildir. */
static void
deliver(struct client *c, const char *maildir)
{
	static const char message[] = "Subject: new\n\nnew\n";
	static unsigned serial;
	char tmp[TEXT_SIZE], new[TEXT_SIZE];
	const unsigned char *p;
	struct stat st;
	size_t n;
	int fd;

	serial++;
	snprintf(tmp, sizeof tmp, "%s/tmp/%ld.%d_%u.bench", maildir, (long)time(NULL),
	    (int)getpid(), serial);
	snprintf(new, sizeof new, "%s/new/%ld.%d_%u.bench", maildir, (long)time(NULL),
	    (int)getpid(), serial);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || stat(maildir, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 ||
	    write(fd, message, sizeof message - 1) < 0 || close(fd) < 0 ||
	    rename(tmp, new) < 0)
		err(1, "deliver to %s", maildir);
	do
		n = client_line(c, &p);
	while (n < 9 || memcmp(p + n - 9, " EXISTS", 7) != 0);
	c->done++;
}

static void
retr(struct client *c, unsigned first, unsigned last, unsigned at_once)
{
	char text[TEXT_SIZE];

	for (unsigned next; first <= last; first = next) {
		size_t n = 0;

		for (next = first; next <= last && next - first < at_once; next++)
			n += (size_t)snprintf(text + n, sizeof text - n, "RETR %u\r\n", next);
		client_put(c, text, n);
		for (unsigned i = first; i < next; i++)
			client_answer(c, "RETR");
		c->done += next - first;
	}
}

/* `%` becomes the number of the process. */
static void
expand(const struct load *l, const char *text, char out[TEXT_SIZE])
{
	size_t n = 0;

	for (; *text != '\0' && n < TEXT_SIZE - 32; text++)
		if (*text == '%')
			n += (size_t)snprintf(out + n, 32, "%lu", l->number);
		else
			out[n++] = *text;
	out[n] = '\0';
}

static void
command(struct load *l, struct client *c, const char *text)
{
	char line[TEXT_SIZE], word[128];
	size_t size;
	unsigned a, b, n;

	expand(l, text, line);
	if (sscanf(line, "append %127s %zu", word, &size) == 2)
		append(c, word, size, 1);
	else if (sscanf(line, "many %127s %zu %u", word, &size, &a) == 3)
		append(c, word, size, a);
	else if (sscanf(line, "retr %u:%u %u", &a, &b, &n) == 3 && n <= 100)
		retr(c, a, b, n);
	else if (strncmp(line, "deliver ", 8) == 0)
		deliver(c, line + 8);
	else if (strcmp(line, "idle") == 0)
		client_ask(c, "IDLE");
	else if (strcmp(line, "done") == 0) {
		client_put(c, "DONE\r\n", 6);
		client_answer(c, "DONE");
	} else
		client_ask(c, line);
}

/* ---- visits ---- */

static void
log_in(struct load *l, struct client *c)
{
	const unsigned char *p;
	char user[TEXT_SIZE], text[2 * TEXT_SIZE];

	client_open(c);
	(void)client_line(c, &p);
	expand(l, l->user, user);
	snprintf(text, sizeof text, c->pop3 ? "USER %s" : "LOGIN %s %s", user, l->secret);
	client_ask(c, text);
	if (c->pop3) {
		snprintf(text, sizeof text, "PASS %s", l->secret);
		client_ask(c, text);
	}
	if (l->compress)
		client_compress(c);
}

static void
log_out(struct client *c)
{
	client_ask(c, c->pop3 ? "QUIT" : "LOGOUT");
	client_close(c);
}

static void
each(struct load *l, const struct list *list)
{
	for (unsigned long i = 0; i < l->connections; i++)
		for (size_t k = 0; k < list->n; k++)
			command(l, &l->c[i], list->v[k]);
}

static void
commands(struct load *l, struct client *c)
{
	for (char **text = l->commands; *text != NULL; text++)
		command(l, c, *text);
}

static void
visits(struct load *l)
{
	for (unsigned long i = 0; i < l->logins; i++) {
		log_in(l, l->c);
		commands(l, l->c);
		log_out(l->c);
	}
}

static void
work(struct load *l)
{
	if (l->logins > 0) {
		visits(l);
		return;
	}
	for (unsigned long r = 0; r < l->rounds; r++)
		for (unsigned long i = 0; i < l->connections; i++)
			commands(l, &l->c[i]);
}

/* ---- processes: each says a byte when it is ready, and counts when done ---- */

struct counts {
	uint64_t done, received;
};

struct gate {
	int go[2], end[2], said[2];	/* pipes; closing the first two opens them */
};

static void
wait_at(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 0)
		errx(1, "a pipe");
}

static void
child(struct load *l, struct gate *g)
{
	struct counts counts = { 0 };

	close(g->go[1]);
	close(g->end[1]);
	l->c = calloc(l->connections, sizeof *l->c);
	if (l->c == NULL)
		err(1, NULL);
	for (unsigned long i = 0; i < l->connections; i++) {
		l->c[i] = l->first;
		if (l->logins == 0)
			log_in(l, &l->c[i]);
	}
	if (l->first.resume) {		/* the first visit of all gets the ticket */
		log_in(l, l->c);
		log_out(l->c);
	}
	each(l, &l->before);
	for (unsigned long i = 0; i < l->connections; i++)
		l->c[i].done = l->c[i].received = 0;
	if (write(g->said[1], "r", 1) != 1)
		err(1, "a pipe");
	wait_at(g->go[0]);
	work(l);
	for (unsigned long i = 0; i < l->connections; i++) {
		counts.done += l->c[i].done;
		counts.received += l->c[i].received;
	}
	if (write(g->said[1], &counts, sizeof counts) != sizeof counts)
		err(1, "a pipe");
	wait_at(g->end[0]);
	each(l, &l->after);
	for (unsigned long i = 0; i < l->connections && l->logins == 0; i++)
		log_out(&l->c[i]);
	_exit(0);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What is read is all there or a process has died and said why. */
static void
hear(const struct gate *g, void *p, size_t n)
{
	if (read(g->said[0], p, n) != (ssize_t)n)
		exit(1);
}

static void
pause_here(void)
{
	char line[8];

	fflush(stdout);
	(void)!fgets(line, sizeof line, stdin);
}

static void
conduct(struct load *l, struct gate *g)
{
	struct counts one, all = { 0 };
	double begun;
	char byte;

	close(g->said[1]);
	for (unsigned long i = 0; i < l->clients; i++)
		hear(g, &byte, 1);
	puts("ready");
	pause_here();
	begun = now();
	close(g->go[1]);
	for (unsigned long i = 0; i < l->clients; i++) {
		hear(g, &one, sizeof one);
		all.done += one.done;
		all.received += one.received;
	}
	printf("%.6f %llu %llu\n", now() - begun, (unsigned long long)all.done,
	    (unsigned long long)all.received);
	pause_here();
	close(g->end[1]);
	while (read(g->said[0], &byte, 1) > 0)
		;
}

/* ---- options ---- */

static void
add(struct list *list, const char *text)
{
	if (list->n == LIST_MAX)
		errx(1, "more than %d of one option", LIST_MAX);
	list->v[list->n++] = text;
}

static void
option(struct load *l, int letter, char *value)
{
	switch (letter) {
	case 'P': l->first.pop3 = true; break;
	case 'R': l->first.resume = true; break;
	case 't': l->first.tls = true; break;
	case 'z': l->compress = true; break;
	case 'a': add(&l->after, value); break;
	case 'b': add(&l->before, value); break;
	case 'c': l->connections = strtoul(value, NULL, 10); break;
	case 'l': l->logins = strtoul(value, NULL, 10); break;
	case 'n': l->clients = strtoul(value, NULL, 10); break;
	case 'p': l->first.port = atoi(value); break;
	case 'r': l->rounds = strtoul(value, NULL, 10); break;
	case 'u': l->user = value; break;
	case 'w': l->secret = value; break;
	default: errx(2, "usage: see the beginning of load.c");
	}
}

int
main(int argc, char **argv)
{
	static struct load l = { .rounds = 1, .clients = 1, .connections = 1 };
	struct gate g;
	int letter;

	while ((letter = getopt(argc, argv, "PRtza:b:c:l:n:p:r:u:w:")) != -1)
		option(&l, letter, optarg);
	l.commands = argv + optind;
	if (l.user == NULL || l.secret == NULL || l.first.port == 0)
		errx(2, "-p, -u and -w are needed");
	if (l.first.tls && (l.first.ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		errx(1, "no TLS");
	if (pipe(g.go) < 0 || pipe(g.end) < 0 || pipe(g.said) < 0)
		err(1, "pipe");
	for (; l.number < l.clients; l.number++)
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			child(&l, &g);
		}
	conduct(&l, &g);
	return 0;
}
