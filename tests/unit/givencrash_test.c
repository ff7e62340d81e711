/*
 * Every change of the mail, cut short before each of its system calls, as
 * storecrash_test.c does it, on files that have no UID in their names.
 * Runs as: the person who builds.
 */
#define MANY 1
#define PART "cur"
#define INFO ":2,"

#include "storecrash_test.c"
