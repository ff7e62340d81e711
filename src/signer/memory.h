/*
 * Where keys lie, as the system can hide it.
 */
#ifndef SIGNER_MEMORY_H
#define SIGNER_MEMORY_H

#include <stddef.h>

/* Zeroed pages for keys; NULL with errno. */
void *memory_region(size_t n);

#endif
