/*
 * Threading (RFC 5256, and THREAD=REFS of draft-ietf-morg-inthread): messages
 * in, a forest out. Pure: no session, no storage.
 *
 * Message ids and base subjects come as 64-bit hashes (sortkey.h); 0 means
 * that there is none.
 */
#ifndef THREAD_H
#define THREAD_H

#include "bytes.h"

#define THREAD_NONE UINT32_MAX

enum thread_algorithm { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

struct thread_message {
	uint32_t number;	/* what the client calls it: sequence number or UID */
	bool reply;		/* a reply or forward by its subject */
	int64_t sent;		/* sent date (RFC 5256 section 2.2) */
	int64_t arrival;	/* INTERNALDATE */
	uint64_t id;
	uint64_t subject;	/* base subject */
	size_t refs;		/* its references: refs[refs ... refs + n_refs - 1] */
	uint32_t n_refs;
};

/* The messages in mailbox order, and all their references, oldest first. */
struct thread_input {
	struct thread_message *v;
	size_t n;
	uint64_t *refs;
	size_t n_refs;
};

/* A place in the forest; links are indices of nodes or THREAD_NONE. */
struct thread_node {
	uint32_t parent, child, next, prev;
	uint32_t message;	/* index into the input; THREAD_NONE: a dummy */
};

/* Node 0 is the root, a dummy above all threads. */
struct thread_tree {
	struct thread_node *node;
	size_t n, cap;
};

/*
 * Builds the forest. 0, or -1 with errno ENOMEM or E2BIG (more messages and
 * references than 32 bits can number).
 */
int thread_build(enum thread_algorithm how, const struct thread_input *in,
    struct thread_tree *out);
void thread_free(struct thread_tree *t);

/*
 * Writes the thread-list of RFC 5256 section 5, "(1)(2 (3)(4))", in pieces.
 * Stops with -1 when write does.
 */
int thread_print(const struct thread_tree *t, const struct thread_input *in,
    int (*write)(void *arg, const void *p, size_t n), void *arg);

#endif
