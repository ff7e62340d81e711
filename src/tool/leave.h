/*
 * mailreeve leave: what is written for which server.
 */
#ifndef TOOL_LEAVE_H
#define TOOL_LEAVE_H

#include "../store/lists.h"
#include "../store/store.h"
#include "../store/uidl.h"

/* A folder as it is left. */
struct leaving {
	struct folder *f;
	struct state state;
	struct departing {
		uint32_t uid;
		uint32_t letters;
		size_t at;		/* in names: its base, NUL, locator, NUL */
	} *v;				/* by uid, each once */
	size_t n, cap;
	struct buf names;
	struct uid_keywords *extra;	/* keywords without letters */
	size_t n_extra;
	struct uidls uidls;
	uint64_t without;		/* messages that have no UID yet */
};

struct server {
	const char *name;
	bool utf8_names;		/* of directories */
	int (*folder)(const struct leaving *l);
	int (*subscriptions)(struct store *s, const struct name_list *names);
};

extern const struct server dovecot_server, courier_server;

static inline const char *
leaving_name(const struct leaving *l, size_t i)
{
	return (const char *)l->names.data + l->v[i].at;
}

static inline const char *
leaving_where(const struct leaving *l, size_t i)
{
	const char *name = leaving_name(l, i);

	return name + strlen(name) + 1;
}

/* Writes a file durably, when all of its text could be made. */
int leave_file(int dir, const char *name, const struct buf *text);

#endif
