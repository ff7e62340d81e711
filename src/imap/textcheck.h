/*
 * Looking at IMAP text that comes out of a column before it is sent.
 */
#ifndef TEXTCHECK_H
#define TEXTCHECK_H

#include "bytes.h"

/*
 * True when b is one parenthesised list: parentheses balanced, quoted strings
 * closed, literals of the announced length, nothing else than printable ASCII
 * outside of literals.
 */
bool textcheck_list(struct bytes b);

#endif
