/*
 * Pages of forks that are as their template's, on FreeBSD: they keep them.
 * Runs as: _mailreeve (root: template, which has no client).
 */
#include "snapshot.h"

void
snapshot_take(void)
{
}

void
snapshot_return(void)
{
}
