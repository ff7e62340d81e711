/*
 * Messages between mailreeved and the connection processes it starts, over a
 * SOCK_SEQPACKET pair whose other end is conn's CONTROL_FD. Both are root.
 *
 * mailreeved sends one control_client with the client's socket attached; then
 * conn may ask, and mailreeved answers each question with one control_answer.
 * The pair ends with conn's execution of the session.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "netaddr.h"

#define CONTROL_FD 5

/* How mailreeved calls it: `conn -m`. */
#define CONTROL_OPTION "-m"

struct control_client {
	uint32_t service;		/* enum service */
};

enum control_kind {
	CONTROL_ADDRESS = 1,	/* a trusted proxy speaks for this address */
	CONTROL_USER,		/* this uid has logged in */
};

/* May this be one more connection of it? From now on it counts as such. */
struct control_question {
	uint32_t kind;			/* enum control_kind */
	uint32_t uid;
	struct netaddr address;
};

struct control_answer {
	uint32_t allowed;		/* 0 or 1 */
};

#endif
