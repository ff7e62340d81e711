/*
 * What the verifiers have in common: the frame around one exchange.
 */
#ifndef VERIFY_VERIFIER_H
#define VERIFY_VERIFIER_H

#include "config.h"
#include "outside.h"

struct verify_program {
	const char *name;		/* in the log */
	/* As root: reads what only root can. 0, or -1 after a line in the log. */
	int (*prepare)(const struct config *conf, const char *how);
	int (*cage)(const char *root, uid_t uid, gid_t gid);
	/*
	 * In the cage: one message of the client, answered in *out, which is
	 * all zero. 0, or -1 after a line in the log: no answer, the end.
	 */
	int (*step)(struct bytes in, struct outside_answer *out);
};

/* The whole life of a verifier; the exit status. */
int verifier_run(const struct verify_program *v, int argc, char **argv);

/* Fill in an answer. */
void verifier_refuse(struct outside_answer *out, const char *why);
int verifier_challenge(struct outside_answer *out, struct bytes text);

/*
 * True when name can be an account: 1 to 255 bytes of UTF-8 without control
 * characters. Which account it is, conn finds out.
 */
bool verifier_name(struct bytes name);

#endif
