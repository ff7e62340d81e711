/*
 * Files that root alone may have written: keys, certificates, secrets.
 */
#ifndef ROOTFILE_H
#define ROOTFILE_H

#include <sys/stat.h>

#include "buf.h"

/*
 * A secret that others may read is a stolen one; a key may be read by the group
 * that keys of TLS have on many systems; anybody may see a certificate.
 */
#define ROOTFILE_SECRET (S_IRWXO | S_IRWXG)
#define ROOTFILE_KEY (S_IRWXO | S_IWGRP)
#define ROOTFILE_PUBLIC (S_IWGRP | S_IWOTH)

/*
 * A descriptor of the file, which belongs to root and gives nobody a right that
 * is in bad; -1 after a line in the log (at debug level when it is missing).
 */
int rootfile_open(const char *path, mode_t bad);

/* The same without the log: on failure the cause in *wrong, with errno. */
int rootfile_look(const char *path, mode_t bad, const char **wrong);

/* Appends all of the file: 0, or -1 after a line in the log. */
int rootfile_read(const char *path, mode_t bad, struct buf *out);

#endif
