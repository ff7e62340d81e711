/*
 * Threading by RFC 5256 and THREAD=REFS.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/thread.h"
#include "buf.h"
#include "test.h"

/* id, references (0 ends them), subject, reply, sent, arrival */
struct message {
	uint64_t id;
	uint64_t refs[6];
	uint64_t subject;
	bool reply;
	int64_t sent, arrival;
};

static int
collect(void *arg, const void *p, size_t n)
{
	return buf_add(arg, p, n);
}

static const char *
threads(enum thread_algorithm how, const struct message *m, size_t n)
{
	static struct buf text = { .max = 1 << 20 };
	struct thread_message v[64];
	uint64_t refs[64 * 6];
	struct thread_input in = { v, n, refs, 0 };
	struct thread_tree t;

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct thread_message){ .number = (uint32_t)i + 1, .reply = m[i].reply,
		    .sent = m[i].sent, .arrival = m[i].arrival, .id = m[i].id,
		    .subject = m[i].subject, .refs = in.n_refs };
		for (; v[i].n_refs < 6 && m[i].refs[v[i].n_refs] != 0; v[i].n_refs++)
			refs[in.n_refs++] = m[i].refs[v[i].n_refs];
	}
	buf_clear(&text);
	if (thread_build(how, &in, &t) == -1)
		return "failed";
	if (thread_print(&t, &in, collect, &text) == -1)
		return "not printed";
	thread_free(&t);
	return buf_string(&text);
}

#define THREADS(how, ...) \
	threads(how, (struct message[]){ __VA_ARGS__ }, \
	    sizeof((struct message[]){ __VA_ARGS__ }) / sizeof(struct message))

static void
no_messages(void)
{
	CHECK_EQ_TEXT(threads(THREAD_REFERENCES, NULL, 0), "");
	CHECK_EQ_TEXT(threads(THREAD_ORDEREDSUBJECT, NULL, 0), "");
}

/* RFC 5256 section 4: (2)(3 6 (4 23)(44 7 96)), numbered here from 1. */
static void
nesting(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 1 },
	    { .id = 2, .sent = 2 },
	    { .id = 3, .refs = { 2, 5 }, .sent = 4 },
	    { .id = 4, .refs = { 3 }, .sent = 5 },
	    { .id = 5, .refs = { 2 }, .sent = 3 },
	    { .id = 6, .refs = { 2, 5 }, .sent = 6 },
	    { .id = 7, .refs = { 2, 5, 6 }, .sent = 7 }), "(1)(2 5 (3 4)(6 7))");
}

/* RFC 5256 section 4, last example: a parent that is not there. */
static void
missing_parent(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 3, .refs = { 99 }, .sent = 1 },
	    { .id = 5, .refs = { 99 }, .sent = 2 }), "((1)(2))");
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 3, .refs = { 99 }, .sent = 1 }), "(1)");
	/* nested dummies go, their children move up */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 1 },
	    { .id = 3, .refs = { 1, 98, 99 }, .sent = 2 },
	    { .id = 4, .refs = { 1, 98, 99 }, .sent = 3 }), "(1 (2)(3))");
}

static void
duplicate_ids(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 1 }, { .id = 1, .sent = 2 },
	    { .id = 2, .refs = { 1 }, .sent = 3 }), "(1 3)(2)");
	/* without an id */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .sent = 1 }, { .sent = 2 }), "(1)(2)");
}

static void
loops(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .refs = { 1 }, .sent = 1 }), "(1)");
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .refs = { 2 }, .sent = 1 },
	    { .id = 2, .refs = { 1 }, .sent = 2 }), "(2 1)");
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .refs = { 2, 3, 2, 3 }, .sent = 1 },
	    { .id = 2, .refs = { 3, 1 }, .sent = 2 },
	    { .id = 3, .refs = { 1, 2 }, .sent = 3 }), "(2 3 1)");
}

/* Step 1.B: a message's own references are better than others' about it. */
static void
own_references_win(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 1 },
	    { .id = 2, .sent = 2 },
	    { .id = 4, .refs = { 1, 3 }, .sent = 4 },
	    { .id = 3, .refs = { 2 }, .sent = 3 }), "(1)(2 4 3)");
}

static void
same_subject(void)
{
	/* a reply without references goes below the original */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .subject = 7, .sent = 1 },
	    { .id = 2, .subject = 7, .reply = true, .sent = 2 }), "(1 2)");
	/* also when it was sent before it */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .subject = 7, .reply = true, .sent = 1 },
	    { .id = 2, .subject = 7, .sent = 2 }), "(2 1)");
	/* two originals: below a dummy */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .subject = 7, .sent = 1 },
	    { .id = 2, .subject = 7, .sent = 2 },
	    { .id = 3, .subject = 7, .sent = 3 }), "((1)(2)(3))");
	/* two replies: as well */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .subject = 7, .reply = true, .sent = 1 },
	    { .id = 2, .subject = 7, .reply = true, .sent = 2 }), "((1)(2))");
	/* dummies of the same subject become one */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .refs = { 91 }, .subject = 7, .sent = 1 },
	    { .id = 2, .refs = { 91 }, .subject = 7, .sent = 2 },
	    { .id = 3, .refs = { 92 }, .subject = 7, .sent = 3 },
	    { .id = 4, .refs = { 92 }, .subject = 7, .sent = 4 },
	    { .id = 5, .subject = 7, .sent = 5 }), "((1)(2)(3)(4)(5))");
	/* no subject at all says nothing */
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 1 }, { .id = 2, .sent = 2 }), "(1)(2)");
}

static void
sorted_by_sent_date(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_REFERENCES,
	    { .id = 1, .sent = 9 }, { .id = 2, .sent = 1 }, { .id = 3, .sent = 1 },
	    { .id = 4, .refs = { 1 }, .sent = 5 }, { .id = 5, .refs = { 1 }, .sent = 4 }),
	    "(2)(3)(1 (5)(4))");
}

static void
refs(void)
{
	/* by the newest arrival in each thread; subjects do not count */
	CHECK_EQ_TEXT(THREADS(THREAD_REFS,
	    { .id = 1, .subject = 7, .sent = 1, .arrival = 1 },
	    { .id = 2, .subject = 7, .sent = 2, .arrival = 5 },
	    { .id = 3, .refs = { 1 }, .subject = 7, .sent = 9, .arrival = 9 },
	    { .id = 4, .refs = { 1 }, .subject = 7, .sent = 8, .arrival = 2 }),
	    "(2)(1 (4)(3))");
}

static void
ordered_subject(void)
{
	CHECK_EQ_TEXT(THREADS(THREAD_ORDEREDSUBJECT,
	    { .subject = 5, .sent = 3 }, { .subject = 6, .sent = 1 },
	    { .subject = 5, .sent = 2 }, { .subject = 5, .sent = 4 },
	    { .subject = 6, .sent = 9 }, { .subject = 8, .sent = 2 }),
	    "(2 5)(3 (1)(4))(6)");
}

/* Made-up references: a long chain given from its far end costs no quadratic time. */
static void
long_chain(void)
{
	enum { N = 200000 };
	struct thread_message *v = calloc(N, sizeof(*v));
	uint64_t *refs = calloc(N, sizeof(*refs));
	struct thread_input in = { v, N, refs, N };
	struct thread_tree t;
	struct buf text = BUF_INIT(16 << 20);

	for (uint32_t i = 0; i < N; i++) {
		v[i] = (struct thread_message){ .number = i + 1, .id = N - i + 1,
		    .refs = i, .n_refs = 1, .sent = i };
		refs[i] = N - i;
	}
	CHECK(thread_build(THREAD_REFERENCES, &in, &t) == 0);
	CHECK(thread_print(&t, &in, collect, &text) == 0);
	CHECK(text.len > N);
	thread_free(&t);
	buf_free(&text);
	free(v);
	free(refs);
}

TEST_MAIN(TEST(no_messages), TEST(nesting), TEST(missing_parent),
    TEST(duplicate_ids), TEST(loops), TEST(own_references_win), TEST(same_subject),
    TEST(sorted_by_sent_date), TEST(refs), TEST(ordered_subject), TEST(long_chain))
