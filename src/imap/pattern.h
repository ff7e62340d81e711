/*
 * Patterns of LIST: `*` matches anything, `%` anything but the separator.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include "bytes.h"

/* Linear in the product of both lengths. The inbox matches in any case. */
bool pattern_matches(struct bytes pattern, struct bytes name);

#endif
