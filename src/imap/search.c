/*
 * SEARCH and UID SEARCH.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "commands.h"
#include "context.h"
#include "messagelimit.h"
#include "relevancy.h"
#include "search.h"
#include "search_answer.h"

struct noting {
	const struct search_program *program;
	struct search_found *found;
};

static int
note(void *arg, const struct mail_row *row, uint64_t sequence, struct facts *facts)
{
	const struct noting *n = arg;
	struct search_found *found = n->found;

	(void)sequence;
	if (found->relevancy && buf_byte(&found->scores,
	    (unsigned char)relevancy(n->program, facts)) == -1)
		return -1;
	if (found->uids.n == 0)
		found->modseq_first = row->modseq;
	found->modseq_last = row->modseq;
	if (row->modseq > found->modseq)
		found->modseq = row->modseq;
	return runs_add(&found->uids, row->uid, row->uid);
}

int
search_find(struct session *s, const struct call *c, struct search_program *program,
    struct search_found *found, bool *gone)
{
	struct noting noting = { program, found };
	const struct search_sink sink = { note, &noting, false, !found->relevancy };
	struct search_run run;
	int r = search_begin(&run, s, c->tag, program);

	if (r == 0)
		r = limit_cut_to(found->most, &run.candidates, &found->lowest);
	found->looked_at = run.candidates.count;
	if (r == 0 && search_is_decided(&run) && !found->relevancy)
		r = runs_copy(&found->uids, &run.candidates);
	else if (r == 0)
		r = search_all(&run, &sink);
	*gone = run.gone;
	search_end(&run);
	return r;
}

/* RFC 5530: the client that keeps its numbers may want to ask what went. */
static struct outcome
completed(const struct call *c, bool gone)
{
	return gone && !call_uid(c)
	    ? ok_code(CODE_EXPUNGEISSUED, "SEARCH completed") : ok("SEARCH completed");
}

static struct outcome
run(struct session *s, struct call *c, const struct search_return *ret,
    const struct lex *keys, struct search_program *program)
{
	const struct context_wish wish = { .ret = ret, .keys = *keys };
	struct search_found found = SEARCH_FOUND(ret);
	struct context *context = context_new(s, c, &wish);
	struct outcome o;
	bool gone;

	found.most = limit_of(s);
	if (program->modseq)
		session_enable_condstore(s);
	if (search_find(s, c, program, &found, &gone) == -1 ||
	    search_save(s, ret, &found) == -1 ||
	    search_answer(s, c, ret, &found, program->modseq) == -1) {
		o = search_failed(s, ret, errno);
		context_free(context);
	} else {
		o = limit_said(s, found.lowest, completed(c, gone));
		context_keep(s, context, &found.uids, NULL);
	}
	search_found_free(&found);
	return o;
}

struct outcome
cmd_search(struct session *s, struct call *c)
{
	struct search_return ret;
	struct search_program program;
	struct lex keys;
	const char *wrong;
	struct outcome o;

	if (search_return_parse(s, &c->args, &ret) == -1)
		return bad_syntax(&c->args);
	keys = c->args;
	o = search_parse(s, &c->args, NULL, &program);
	if (o.result == RESULT_NO && (ret.options & RETURN_SAVE))
		runs_clear(&s->saved);
	if (o.result != RESULT_OK)
		return o;
	wrong = relevancy_wrong(&ret, &program);
	if (wrong == NULL)
		wrong = context_wrong(s, c, &ret);
	o = wrong != NULL ? bad(wrong) : run(s, c, &ret, &keys, &program);
	search_free(&program);
	return o;
}
