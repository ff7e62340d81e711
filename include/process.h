/*
 * What a process is born with, put right: descriptors, signals, limits,
 * directory, environment. Whoever starts us leaves traces in all of these.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * First thing in main(): makes sure that 0, 1 and 2 are open and that 2 is not
 * the client's socket (inetd hands it over three times), resets signals,
 * limits, umask (077) and directory (/). Prints nothing, ends the process with
 * status 71 (EX_OSERR) when it cannot.
 */
void process_repair(void);

/* Every signal that can be at its default disposition, none blocked, no alarm. */
void process_signals(void);

/*
 * Blocks SIGUSR1 from here on, also for what process_exec() starts: by it
 * mailreeved tells a session to make way, which waits until there is one.
 */
void process_hold_back(void);

/* Closes every descriptor from lowest on. */
void process_close_from(int lowest);

/*
 * Puts each descriptor at its number, for the program to be executed: moves
 * may cross (3 to 4 and 4 to 3). They are not close-on-exec there. Then
 * process_close_from(one above the highest number), and every number below
 * that was not named becomes /dev/null. A move of fd -1 is none. 0, or -1 with
 * errno.
 */
struct process_fd {
	int fd;
	int number;			/* below PROCESS_FDS_MAX */
};
#define PROCESS_FDS_MAX 16
int process_place(const struct process_fd *moves, size_t n);

/*
 * An environment made from nothing. After a failed addition the whole of it is
 * failed: check with process_env_done(), which returns NULL then. It begins with
 * where programs are, and that malloc() keeps nothing that was freed for later:
 * bits of it here and there would hold whole pages of a process that waits.
 */
#define PROCESS_ENV_MAX 24
struct process_env {
	char *v[PROCESS_ENV_MAX + 1];
	size_t n;
	bool failed;
};
void process_env_begin(struct process_env *e, const char *path);
void process_env_add(struct process_env *e, const char *name, const char *value);
void process_env_copy(struct process_env *e, const char *name);	/* if it is set */
char **process_env_done(struct process_env *e);
void process_env_free(struct process_env *e);

/* What ps(1) calls this process; the program's name again after execve(2). */
void process_name(const char *name);

/*
 * Leaves of the environment only what foreign code of root may meet: a path of
 * ours, and the time zone. 0, or -1 with errno.
 */
int process_clean_env(void);

/*
 * How many descriptors, from 3 on, a systemd-like manager handed to this very
 * process (LISTEN_PID, LISTEN_FDS); 0 when none. names gets LISTEN_FDNAMES or
 * NULL. process_close_from(3) must come after it.
 */
int process_inherited(const char **names);

/*
 * A time limit on code of others (PAM, NSS): when ms have passed, a line names
 * what took too long and the process exits with status 75 (EX_TEMPFAIL); should
 * that code have blocked or taken SIGALRM, SIGKILL follows a second later.
 * ms 0 lifts the limit.
 */
void process_deadline(uint64_t ms, const char *what);

/*
 * As fork(), but SIGTERM and SIGUSR1 of this process are handed on to the child,
 * where they are blocked. process_await() waits for its end.
 */
pid_t process_attended(void);
void process_await(pid_t pid);

/*
 * Runs path with these as the new program of this process, signals reset.
 * Returns only on failure, -1 with errno.
 */
int process_exec(const char *path, char *const argv[], char *const env[]);

#endif
