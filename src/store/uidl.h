/*
 * POP3 unique-ids of a folder's messages that are not the usual ones, because
 * another server gave them: lines "UID UNIQUE-ID" in UIDL_FILE.
 */
#ifndef STORE_UIDL_H
#define STORE_UIDL_H

#include "buf.h"

#define UIDL_FILE "mailreeve-uidl"
#define UIDL_FILE_MAX ((size_t)256 << 20)

struct uidls {
	bool loaded;
	struct uidl {
		uint32_t uid;
		struct bytes id;	/* in text */
	} *v;				/* by uid */
	size_t n;
	struct buf text;
};

/* A missing file is an empty list; lines that are none are passed over. */
int uidls_load(struct uidls *u, int dir);
/* The unique-id of a message; empty: the usual one. */
struct bytes uidls_find(const struct uidls *u, uint32_t uid);
void uidls_free(struct uidls *u);

#endif
