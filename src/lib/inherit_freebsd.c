/*
 * What forks find in place, on FreeBSD: what its fork(2) copies.
 * Runs as: root (template).
 */
#include "inherit.h"

void
inherit_code(void)
{
}
