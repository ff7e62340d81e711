/*
 * What all forks of a template share, kept as it was, so that a fork which once
 * wrote to a page and put back what was there has no copy of its own.
 */
#ifndef LOGIN_SNAPSHOT_H
#define LOGIN_SNAPSHOT_H

/*
 * In the template, which has one thread, before the first fork: from here on
 * what it has in writable memory, without its stack, is a file in memory that
 * nobody can change. Where that fails, all stays as it is.
 */
void snapshot_take(void);

/* In a fork, and harmless elsewhere: gives back the pages that are as they were. */
void snapshot_return(void);

#endif
