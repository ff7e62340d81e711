/*
 * Mail that other hosts may change.
 */
#ifndef STORE_SHARED_H
#define STORE_SHARED_H

#include <stdbool.h>

/*
 * True when the directory lies on a file system that other hosts may have too:
 * events tell only of what this host does there.
 */
bool shared_by_hosts(int dir);

#endif
