/*
 * Every system call by which storage changes the disk.
 *
 * Each returns what the call returns, or 0 where it only succeeds or fails.
 * Tests set sys_before to be asked before each call: it may end the process,
 * or return an errno with which the call then fails without being made.
 */
#ifndef STORE_SYS_H
#define STORE_SYS_H

#include "bytes.h"

extern int (*sys_before)(const char *call);

/* A new file, 0600, for writing; EEXIST when the name is taken. */
int sys_create(int dir, const char *name);
/* One that may be there already, for reading and writing. */
int sys_open(int dir, const char *name);
/* Writes all n bytes. */
int sys_write(int fd, const void *p, size_t n);
/* The same at an offset; and the length of a file. */
int sys_write_at(int fd, const void *p, size_t n, uint64_t at);
int sys_truncate(int fd, uint64_t size);
/* Makes a file longer by n zeros at its end, with room for them on the disk. */
int sys_allocate(int fd, uint64_t end, uint64_t n);
int sys_fsync(int fd);
/* Lets the system begin with what sys_fsync() will wait for. */
void sys_start_writing(int fd);
int sys_mkdir(int dir, const char *name);
int sys_rmdir(int dir, const char *name);
int sys_rename(int from_dir, const char *from, int to_dir, const char *to);
/* The same, failing with EEXIST instead of replacing. */
int sys_rename_new(int from_dir, const char *from, int to_dir, const char *to);
/* The same from one folder to another, which may be another file system's: EXDEV. */
int sys_move(int from_dir, const char *from, int to_dir, const char *to);
int sys_link(int from_dir, const char *from, int to_dir, const char *to);
int sys_unlink(int dir, const char *name);
/* Sets both times of an open file; seconds and nanoseconds since 1970. */
int sys_times(int fd, int64_t sec, long nsec);
/* The bytes of one file into another, as a clone where the system can. */
int sys_copy(int from, int to);

/* True for an errno that says: one cannot write here, now or ever. */
bool sys_unwritable(int error);

#endif
