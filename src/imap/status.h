/*
 * STATUS and its items, for STATUS and for LIST ... RETURN (STATUS ...).
 */
#ifndef STATUS_H
#define STATUS_H

#include "session.h"

/* "(" status-att *(SP status-att) ")", as a set of bits. */
int status_items(struct lex *x, unsigned *items);

/* "* STATUS name (...)". 0, or -1 with errno and nothing sent. */
int tell_status(struct session *s, struct bytes name, unsigned items);

#endif
