/*
 * Every change of the mail, cut short before each of its system calls, as
 * storecrash_test.c does it, on mbox files.
 * Runs as: the person who builds.
 */
#define MAILDIRS_OPTIONS "special-folders no\nmail-format mbox\nmbox-inbox inbox\n"
#define MAILDIRS_ROOT "mail/.mailreeve"
#define CRASH_MBOX
/* A mailbox is a file, and has no children. */
#define OLD_CHILD "T/B"
#define NEW_CHILD "T/B"

#include "storecrash_test.c"
