/*
 * THREAD and UID THREAD (RFC 5256).
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "messagelimit.h"
#include "search.h"
#include "search_answer.h"
#include "thread.h"

/* References of all messages together. */
#define REFERENCES_MAX ((size_t)64 << 20)

static const struct {
	const char *name;
	enum thread_algorithm how;
} algorithms[] = {
	{ "ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT },
	{ "REFERENCES", THREAD_REFERENCES },
	{ "REFS", THREAD_REFS },
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

struct collected {
	struct thread_input in;
	size_t cap, refs_cap;
	bool by_uid;
};

/* The array with room for need elements, perhaps moved; NULL with errno. */
static void *
room_for(void *array, size_t *cap, size_t need, size_t size)
{
	size_t grown = *cap == 0 ? 1024 : *cap;

	if (need <= *cap)
		return array;
	while (grown < need)
		grown *= 2;
	array = reallocarray(array, grown, size);
	if (array != NULL)
		*cap = grown;
	return array;
}

static int
add(struct collected *c, const struct thread_message *m, const struct sortkey *key)
{
	struct thread_input *in = &c->in;
	struct thread_message *v;
	uint64_t *refs;
	unsigned i;

	v = room_for(in->v, &c->cap, in->n + 1, sizeof(*v));
	if (v == NULL)
		return -1;
	in->v = v;
	refs = room_for(in->refs, &c->refs_cap, in->n_refs + key->n_refs + 1, sizeof(*refs));
	if (refs == NULL)
		return -1;
	in->refs = refs;
	if (in->n_refs + key->n_refs > REFERENCES_MAX) {
		errno = E2BIG;
		return -1;
	}
	in->v[in->n] = *m;
	in->v[in->n].refs = in->n_refs;
	in->v[in->n++].n_refs = key->n_refs;
	for (i = 0; i < key->n_refs; i++)
		in->refs[in->n_refs++] = sortkey_ref(key, i);
	return 0;
}

/* A message whose header cannot be read stands alone; one that went is left out. */
static int
collect(void *arg, const struct mail_row *row, uint64_t sequence, struct facts *facts)
{
	struct collected *c = arg;
	struct thread_message m = {
		.number = c->by_uid ? row->uid : (uint32_t)sequence,
		.arrival = row->internaldate, .sent = row->internaldate,
	};
	struct sortkey key;

	if (facts_sortkey(facts, &key) == -1) {
		if (errno == ENOENT)
			return 0;
		key = (struct sortkey){ 0 };
	}
	if (key.flags & SORTKEY_DATE)
		m.sent = key.sent;
	m.reply = (key.flags & SORTKEY_REPLY) != 0;
	m.id = key.id;
	m.subject = key.subject;
	return add(c, &m, &key);
}

/* The first piece is a token, the others stand right behind it. */
struct printing {
	struct response *out;
	bool begun;
};

static int
print(void *arg, const void *p, size_t n)
{
	struct printing *w = arg;

	if (w->begun)
		put_glued(w->out, bytes_make(p, n));
	else
		put_raw(w->out, bytes_make(p, n));
	w->begun = true;
	return 0;
}

static int
answer(struct session *s, enum thread_algorithm how, const struct thread_input *in)
{
	struct printing w = { &s->out, false };
	struct thread_tree tree;

	if (thread_build(how, in, &tree) == -1)
		return -1;
	put_untagged(&s->out, "THREAD");
	thread_print(&tree, in, print, &w);
	put_end(&s->out);
	thread_free(&tree);
	return 0;
}

static struct outcome
run(struct session *s, const struct call *c, enum thread_algorithm how,
    struct search_program *program)
{
	static const struct search_return nothing = { 0 };
	struct collected found = { .by_uid = call_uid(c) };
	const struct search_sink sink = { collect, &found, true, false };
	struct search_run search;
	struct outcome o = ok("THREAD completed");
	int r;

	if (program->modseq)
		session_enable_condstore(s);
	r = search_begin(&search, s, c->tag, program);
	if (r == 0)
		r = search_all(&search, &sink);
	if (r == -1 || answer(s, how, &found.in) == -1)
		o = search_failed(s, &nothing, errno);
	search_end(&search);
	free(found.in.v);
	free(found.in.refs);
	return o;
}

static int
parse(struct lex *x, enum thread_algorithm *how, struct bytes *charset)
{
	size_t i;

	for (i = 0; i < ALGORITHMS && !lex_word(x, algorithms[i].name); i++)
		;
	if (i == ALGORITHMS)
		return lex_fail(x, EINVAL, "Unknown threading algorithm");
	*how = algorithms[i].how;
	if (lex_space(x) == -1 || lex_astring(x, charset) == -1)
		return -1;
	return lex_space(x);
}

struct outcome
cmd_thread(struct session *s, struct call *c)
{
	enum thread_algorithm how;
	struct search_program program;
	struct bytes charset;
	struct outcome o;

	if (parse(&c->args, &how, &charset) == -1)
		return bad_syntax(&c->args);
	o = search_parse(s, &c->args, &charset, &program);
	if (o.result != RESULT_OK)
		return o;
	/* RFC 9738 section 3.3: threads are of the whole mailbox. */
	if (limit_exceeded(s, mailbox_view(s->box)->count))
		o = limit_refused(s->conf->message_limit, 0);
	else
		o = run(s, c, how, &program);
	search_free(&program);
	return o;
}
