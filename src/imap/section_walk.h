/*
 * Measuring sections whose size is not known before they were decoded. Private
 * to section.c and section_walk.c.
 */
#ifndef SECTION_WALK_H
#define SECTION_WALK_H

#include "section.h"

/* Sets octets and nul of a BINARY section, from mark when it has them. */
int section_measure(struct facts *f, struct section *s, struct section_mark *mark);

#endif
