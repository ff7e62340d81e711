/*
 * A POP3 command line, taken apart (RFC 1939 section 3): pure.
 */
#ifndef POP3_COMMAND_H
#define POP3_COMMAND_H

#include "bytes.h"

/* What may follow the name. Words are separated by spaces. */
enum arguments {
	ARGS_NONE,
	ARGS_MESSAGE,			/* msg */
	ARGS_MAYBE_MESSAGE,		/* [msg] */
	ARGS_MESSAGE_LINES,		/* msg n */
	ARGS_MAYBE_WORD,		/* [word] */
	ARGS_ANY,			/* not looked at */
};

struct command {
	struct bytes name;
	uint32_t message;		/* 0: not given */
	uint32_t uid;			/* the loop puts in whose number it is */
	uint64_t lines;
	struct bytes word;		/* n is 0: not given */
};

/*
 * The name alone, and what follows it in *rest. False when the line holds
 * anything but printable ASCII, or no name.
 */
bool command_name(struct bytes line, struct bytes *name, struct bytes *rest);

/*
 * Reads rest by the rule into c. NULL, or what is wrong with it, for the
 * answer. Pointers in c go into rest.
 */
const char *command_arguments(struct bytes rest, enum arguments rule,
    struct command *c);

#endif
