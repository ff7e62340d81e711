/*
 * Messages between mailreeved, the templates that it keeps, and the processes
 * that come from them; all of them are root. mailreeve-privsep(7).
 *
 * A template is a program that has made itself ready and then waits at its
 * door, one end of a SOCK_SEQPACKET pair. Whoever has the other end asks for a
 * fork of it by one byte with a descriptor attached:
 *
 *	conn	the control end of the new conn, whose parent is mailreeved;
 *		the answer at the door is its pid, an int32_t, or -1
 *	login	the channel end of the new login; the answer comes by that
 *		channel: one byte and the descriptor that tells of its end
 *
 * Control is a SOCK_SEQPACKET pair between mailreeved and one conn, at
 * CONTROL_FD of that. conn says CONTROL_READY when its login waits in its cage;
 * then mailreeved sends one control_client with the client's socket attached;
 * then conn may ask, each time with the descriptor attached that tells of the end
 * of login, and mailreeved answers each question with one control_answer. The
 * pair ends with conn's execution of the session.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "netaddr.h"

#define DOOR_FD 5		/* of a template */
#define CONTROL_FD 5		/* of a conn that came from one */
#define SIGNER_DOOR_FD 6	/* conn: the way to the signer (sign.h) */
#define LOGIN_DOOR_FD 7		/* conn: the way to the template of login */

/* How mailreeved calls a template: `conn -m`, `login -m UID GID`. */
#define CONTROL_OPTION "-m"

struct control_client {
	uint32_t service;		/* enum service */
};

enum control_kind {
	CONTROL_ADDRESS = 1,	/* a trusted proxy speaks for this address */
	CONTROL_USER,		/* this uid has logged in */
	CONTROL_READY,		/* no question: a client may come */
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
