/*
 * Counts connections of each address and of each user.
 * Runs as: root.
 *
 * A tree and no hash table: clients choose their addresses.
 */
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>

#include "master.h"

struct tally_node {
	RB_ENTRY(tally_node) entry;
	struct netaddr key;
	uint64_t count;
};

static int
compare(struct tally_node *a, struct tally_node *b)
{
	if (a->key.family != b->key.family)
		return a->key.family < b->key.family ? -1 : 1;
	return memcmp(a->key.ip, b->key.ip, sizeof a->key.ip);
}

RB_PROTOTYPE(tally_tree, tally_node, entry, compare)
RB_GENERATE(tally_tree, tally_node, entry, compare)

int
tally_add(struct tally *t, const struct netaddr *key, uint64_t max)
{
	struct tally_node wanted = { .key = *key }, *n;

	n = RB_FIND(tally_tree, &t->tree, &wanted);
	if (n == NULL) {
		n = calloc(1, sizeof *n);
		if (n == NULL)
			return -1;
		n->key = *key;
		RB_INSERT(tally_tree, &t->tree, n);
	}
	if (n->count >= max) {
		errno = EAGAIN;
		return -1;
	}
	n->count++;
	return 0;
}

void
tally_remove(struct tally *t, const struct netaddr *key)
{
	struct tally_node wanted = { .key = *key }, *n;

	n = RB_FIND(tally_tree, &t->tree, &wanted);
	if (n == NULL || --n->count > 0)
		return;
	RB_REMOVE(tally_tree, &t->tree, n);
	free(n);
}

struct netaddr
tally_user(uid_t uid)
{
	struct netaddr key = { .family = AF_LOCAL };

	memcpy(key.ip, &uid, sizeof uid);
	return key;
}

void
tally_free(struct tally *t)
{
	struct tally_node *n;

	while ((n = RB_MIN(tally_tree, &t->tree)) != NULL) {
		RB_REMOVE(tally_tree, &t->tree, n);
		free(n);
	}
}
