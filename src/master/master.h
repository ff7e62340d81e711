/*
 * mailreeved: listeners, connection processes, limits.
 */
#ifndef MASTER_H
#define MASTER_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "config.h"
#include "control.h"
#include "netaddr.h"
#include "refuse.h"
#include "service.h"
#include "sign.h"

/* ---- listen.c: the sockets ---- */

#define LISTENERS_MAX (SERVICES * NETADDR_LISTEN_MAX)

struct listener {
	int fd;
	enum service service;
	struct netaddr at;
};

struct listeners {
	struct listener v[LISTENERS_MAX];
	size_t n;
	bool inherited;			/* never ours to close or change */
};

/*
 * As the configuration says; a socket that from already has is moved over, and
 * what is left in from can be closed then. On failure nothing has changed: -1
 * with the cause in why.
 */
int listeners_open(struct listeners *l, struct listeners *from,
    const struct config *conf, struct buf *why);
/* Those of systemd (n from descriptor 3 on), or descriptor 0 of an inetd `wait`. */
int listeners_inherit(struct listeners *l, int n, const char *names, struct buf *why);
int listeners_from_inetd(struct listeners *l, const char *service, struct buf *why);
void listeners_close(struct listeners *l);

/* ---- tally.c: how many connections of each address and user ---- */

struct tally_node;

struct tally {
	RB_HEAD(tally_tree, tally_node) tree;
};

/* Counts one more of key if it has fewer than max: 0, or -1 with EAGAIN, ENOMEM. */
int tally_add(struct tally *t, const struct netaddr *key, uint64_t max);
void tally_remove(struct tally *t, const struct netaddr *key);
/* A uid in the place of an address. */
struct netaddr tally_user(uid_t uid);
void tally_free(struct tally *t);

/* ---- probe.c: whether the signer still answers ---- */

struct probe {
	pid_t signer;			/* our child that was asked, 0: none */
	int link;			/* where it answers, -1: it did not even open its door */
	uint64_t due, next;		/* clock_ms(): of the answer; of another question */
};

/* Asks it when it is time to and nothing is awaited. */
void probe_ask(struct probe *p, pid_t signer, int door);
/* It answered, or was reaped. */
void probe_end(struct probe *p);
/* Kills who did not answer: ms until that, or -1. */
int probe_look(struct probe *p);

/* ---- template.c: what connection processes are forked from ---- */

struct template {
	pid_t pid;			/* 0: there is none */
	int door;			/* ours of it */
};

struct templates {
	struct template login, conn, signer;
	struct template next;		/* a signer that has yet to say that it is good */
	bool heard;			/* signer has said so */
	struct sign_ready keys;		/* and this */
	struct probe probe;		/* of signer */
	bool no_keys;			/* there is none, and none to be had now */
	uint64_t stamp;			/* of the files that it, or next, has read */
	int pam_watch;			/* of those that conn has read (pamfiles.h) */
	const struct config *conf;
	/* clock_ms(): not before, after a failure; time for looks, for new tickets */
	uint64_t again_at, look_at, rotate_at;
};

/*
 * A new conn with that end of its control pair: its pid, or -1 with errno.
 * Starts templates when there are none.
 */
pid_t templates_fork(struct templates *t, int control);
/* True when it was one of them; it will be replaced. */
bool templates_reaped(struct templates *t, pid_t pid, int status);
/* The next fork is of new ones. */
void templates_drop(struct templates *t);
/* They do not do what they are for, though they live: killed, and replaced. */
void templates_kill(struct templates *t);
/* The same, and keys are read again. */
void templates_renew(struct templates *t);
/* Looks at the files of TLS when it is time to: ms until the next time. */
int templates_look(struct templates *t);
/* A signer whose door will have something to say, or NULL. */
struct template *templates_awaited(struct templates *t);
/* It does: true when new keys are in use, and spares have old ones. */
bool templates_heard(struct templates *t);
void templates_free(struct templates *t);

/* ---- pool.c: the connection processes ---- */

struct child {
	RB_ENTRY(child) entry;
	TAILQ_ENTRY(child) lingering;
	pid_t pid;
	pid_t from;			/* the template of conn */
	int control;			/* -1 once the session has begun */
	int login;			/* tells of the end of its login, or -1 */
	uint64_t login_until;		/* clock_ms(): it is killed then; 0: the session goes on */
	bool ready;			/* may be given its client */
	int client;			/* who waits until it is ready, or -1 */
	enum service service;		/* what for */
	bool busy;			/* has a client, or one that waits */
	bool told;			/* we sent it a signal */
	int socket;			/* of the client, to see how long it is idle, or -1 */
	uint64_t since;			/* clock_ms() of its coming */
	struct netaddr address;		/* what it counts as; family 0: nothing */
	struct netaddr user;
};

struct pool {
	RB_HEAD(child_tree, child) tree;
	TAILQ_HEAD(lingerers, child) lingerers;
	const struct config *conf;
	struct templates templates;
	struct tally addresses, users;
	uint64_t busy, idle;
	uint64_t refill_at;		/* clock_ms(): not before, after a failure */
};

/*
 * Takes over the client: it is served, or refused. Its socket stays open here
 * as long as its process lives.
 */
void pool_admit(struct pool *p, int client, enum service service);
/*
 * What is to be done from time to time: spares up to what is configured, a look
 * at the files of TLS. Milliseconds to the next time.
 */
int pool_work(struct pool *p);
/* The same while nobody new is let in. */
int pool_drain(struct pool *p);
/* Answers what a connection process asked; false: it will ask nothing more. */
bool pool_answer(struct pool *p, struct child *c);
void pool_reap(struct pool *p);
/* New keys, perhaps, of the signer: spares that do not have them go. */
void pool_take_keys(struct pool *p);
/* Spares and templates were made under an old configuration: they go. */
void pool_retire_spares(struct pool *p);
void pool_signal(struct pool *p, int signal);
struct child *pool_first(struct pool *p);
struct child *pool_next(struct child *c);
void pool_free(struct pool *p);

/* ---- linger.c: logins that outlive their sessions ---- */

/*
 * The process has ended, and perhaps its login has not: true when the child
 * stays, and counts, until c->login tells of that end.
 */
bool linger_begin(struct pool *p, struct child *c);
void linger_end(struct pool *p, struct child *c);
/* Kills those whose time is up: milliseconds to the next, or -1. */
int linger_work(struct pool *p);

/* ---- room.c: the newest connection of a user wins ---- */

/*
 * Sends away the session of this user that has been idle longest; it is counted
 * no more. False when there is none.
 */
bool room_make(struct pool *p, const struct netaddr *user);

/* ---- idle_*.c ---- */

/* Milliseconds since bytes went either way over a TCP socket, or -1. */
int64_t idle_ms(int socket);

/* ---- notify.c: systemd's readiness protocol, sd_notify(3) ---- */

void notify(const char *state);
void notify_reloading(void);

/* ---- daemon.c ---- */

/*
 * Goes into the background: the caller's process ends when daemon_ready() was
 * called in the new one, with status 0, or with its exit status when it ends
 * before.
 */
void daemon_start(void);
void daemon_ready(void);
/* Takes the pid file, locked while we live: 0, or -1 with the cause in why. */
int pid_file_take(const char *path, struct buf *why);
void pid_file_remove(const char *path);

/* ---- check.c: what a configuration needs of the system ---- */

/* Problems that keep the server from working: a line each in why, how many. */
unsigned check_system(const struct config *conf, struct buf *why);

/*
 * check_files.c: what only root can tell of the files that it names: they are
 * there, root's own, and those of TLS fit together. The same answer.
 */
unsigned check_files(const struct config *conf, struct buf *why);

/* ---- status.c: what `mailreeve status` shows ---- */

struct master;

/* A listening socket, or -1: then there is none. */
int status_open(void);
void status_close(int fd);
void status_answer(const struct master *m);

/* ---- serve.c: the loop ---- */

struct master {
	struct config conf;
	const char *config_path;	/* NULL: the default or CONFIG_ENV */
	struct listeners listeners;
	struct pool pool;
	bool exit_when_idle;		/* somebody else keeps the listening sockets */
	bool draining;
	bool told;			/* sessions got their SIGTERM */
	int status;			/* who asks for it comes here, or -1 */
	int reserve;			/* descriptor to give up when there are no more */
	uint64_t deadline;		/* of the drain's present step */
	uint64_t pause_until;		/* no accept before */
	uint64_t idle_since;		/* 0: not idle */
};

int master_load_config(const struct master *m, struct config *conf, struct buf *why);
void master_serve(struct master *m);

#endif
