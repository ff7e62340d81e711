/*
 * Logging that never blocks and never lets a client write a field.
 *
 * Lines go to syslog through a non-blocking datagram socket, at descriptor
 * LOG_FD when the process inherited one, and to descriptor 2 when it was asked
 * for (foreground) or when there is no syslog. A line that cannot be sent at
 * once, or within log_patience(), is dropped: a full or absent syslog must not
 * hold up mail. errno is kept by every function here.
 */
#ifndef LOG_H
#define LOG_H

#include <stdnoreturn.h>
#include <syslog.h>

#include "buf.h"

/* Where every process of ours finds its descriptors (mailreeve-privsep(7)). */
enum {
	CLIENT_IN_FD = 0,
	CLIENT_OUT_FD = 1,
	DIAGNOSTICS_FD = 2,
	CHANNEL_FD = 3,
	LOG_FD = 4,
};

/*
 * name is what appears before [pid]. log_open() makes the syslog socket and
 * puts it at LOG_FD; log_inherit() takes the one that is there already. With
 * log_to_stderr(true) lines go to descriptor 2 as well.
 */
void log_open(const char *name);
void log_inherit(const char *name);
void log_to_stderr(bool on);

/*
 * A syslog socket of its own for what this process becomes: who shares one can
 * shut it down for all. Without one when there is no syslog now.
 */
void log_part(void);

/* LOG_FD when the syslog socket is there, to be handed on; else -1. */
int log_fd(void);

/* How long a line may wait for syslog to have room; 0 at first. */
void log_patience(unsigned ms);

/* Priorities below this one are dropped; default LOG_INFO. */
void log_level(int priority);

/* Whose work this is: stands behind every warning and error from now on. */
void log_context(const char *what);

/*
 * One line. Never give it bytes of a client except through log_quote().
 */
void log_line(int priority, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...)	log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

/* A line at LOG_ERR, then exit(status). For start-up failures. */
noreturn void log_fatal(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A broken invariant: says that it is our bug, then abort(). */
noreturn void log_bug(const char *file, int line, const char *what);
#define log_assert(cond) \
	((cond) ? (void)0 : log_bug(__FILE__, __LINE__, #cond))

/*
 * Client bytes made safe for one field of a line: anything outside printable
 * ASCII, and `"`, `\`, `=` and space, becomes \xx; cut after LOG_QUOTE_MAX
 * bytes. Returns one of a few static buffers, overwritten in turn.
 */
#define LOG_QUOTE_MAX 128
const char *log_quote(struct bytes b);

/* A name for a connection in the log: ten characters and a NUL. */
#define LOG_SESSION_SIZE 11
void log_name_session(char out[LOG_SESSION_SIZE]);

#endif
