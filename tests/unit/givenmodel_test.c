/*
 * Two sessions and other programs, as storemodel_test.c has them, with files
 * that have no UID in their names: each is given one beside its name, and the
 * names get theirs later, by STORE and in between.
 * Runs as: the person who builds.
 */
#define MANY 1

#include "storemodel_test.c"
