/*
 * LIST and UIDL: one line, or one line for each message.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdio.h>

#include "log.h"
#include "session.h"

/* One line of the answer; -1 with errno when the message has none. */
typedef int line_function(struct session *s, const struct drop_entry *e,
    char *text, size_t size);

static int
scan_line(struct session *s, const struct drop_entry *e, char *text, size_t size)
{
	(void)s;
	snprintf(text, size, "%u %llu", e->number, (unsigned long long)e->octets);
	return 0;
}

static int
unique_line(struct session *s, const struct drop_entry *e, char *text, size_t size)
{
	char id[UIDL_MAX + 1];

	if (mailbox_uidl(s->drop.box, e->uid, id) < 0)
		return -1;
	snprintf(text, size, "%u %s", e->number, id);
	return 0;
}

/* Room for a number, a space and the longer of the two. */
#define LINE_TEXT_MAX (UIDL_MAX + 16)

/* Half an answer cannot be taken back: only the end tells the client. */
static struct outcome
cut_short(void)
{
	log_error("listing cut short: %s", strerror(errno));
	return outcome_of(RESULT_GONE);
}

static struct outcome
list_all(struct session *s, bool sizes, line_function *line)
{
	char text[LINE_TEXT_MAX];
	struct drop_walk w;
	struct lines l;

	drop_walk(&w, &s->drop, sizes);
	/* What is wrong mostly shows at the first line, when it can be said. */
	if (drop_batch(&w) < 0 || (w.n > 0
	    && line(s, &w.entry[0], text, sizeof text) < 0 && errno != ENOENT))
		return failed(errno);
	lines_begin(&l, s, "listing follows");
	for (;;) {
		for (size_t i = 0; i < w.n; i++)
			if (line(s, &w.entry[i], text, sizeof text) == 0)
				lines_printf(&l, "%s", text);
			else if (errno != ENOENT)
				return cut_short();
		if (w.last)
			return lines_end(&l);
		lines_more(&l);
		if (drop_batch(&w) < 0)
			return cut_short();
	}
}

static struct outcome
list_one(struct session *s, struct drop_entry e, line_function *line)
{
	char text[LINE_TEXT_MAX];

	if (line(s, &e, text, sizeof text) < 0)
		return failed(errno);
	return ok("%s", text);
}

struct outcome
run_list(struct session *s, const struct command *c)
{
	struct drop_entry e = { .number = c->message, .uid = c->uid };

	if (c->message == 0)
		return list_all(s, true, scan_line);
	if (drop_size(&s->drop, c->uid, &e.octets) < 0)
		return failed(errno);
	return list_one(s, e, scan_line);
}

struct outcome
run_uidl(struct session *s, const struct command *c)
{
	struct drop_entry e = { .number = c->message, .uid = c->uid };

	return c->message == 0 ? list_all(s, false, unique_line)
	    : list_one(s, e, unique_line);
}
