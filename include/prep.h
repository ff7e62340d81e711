/*
 * Which UTF-8 texts can be names and passwords (RFC 4013 section 2.3).
 */
#ifndef PREP_H
#define PREP_H

#include "bytes.h"

/* UTF-8, and none of the characters that SASLprep prohibits. */
bool prep_allowed(struct bytes text);

#endif
