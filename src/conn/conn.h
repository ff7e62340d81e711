/*
 * The connection process: what it knows about its one client.
 */
#ifndef CONN_H
#define CONN_H

#include <pwd.h>

#include "appfile.h"
#include "chan.h"
#include "config.h"
#include "exchange.h"
#include "delay.h"
#include "log.h"
#include "netaddr.h"
#include "service.h"

#define USER_NAME_MAX EXCHANGE_NAME_MAX
#define TAG_MAX 255
#define EXCHANGES_MAX 32		/* of SASL; more than a client has mechanisms to try */
#define CONN_LINGER_MS 10000		/* for what login does without its client */
#define CONN_LOG_MS 200			/* for syslog to take a line */
#define CONN_FORK_MS 30000		/* for a login, behind a crowd's at its template */

struct conn {
	struct config conf;
	const char *run_dir;		/* of what all connections share */
	char session[LOG_SESSION_SIZE];	/* names this connection in the log */
	int control;			/* to mailreeved, or -1 */
	int login_door;			/* to the template of login, or -1 */
	int signer_door;		/* or -1 */
	int link;			/* login's to the signer, where certificates count; or -1 */
	int chan;			/* to login */
	int login;			/* tells of login's end */
	pid_t login_pid;		/* 0: not our child */
	int leash[2];			/* kills our child that outlives us */
	int client;			/* the client's socket, -1 before it is there */
	bool given;			/* login has it */
	enum service service;
	struct netaddr remote;		/* the client, perhaps as a proxy says */
	struct netaddr local;
	struct netaddr proxy;		/* the trusted proxy; family 0: none */
	unsigned done;			/* bits of the requests served */
	unsigned failures;
	unsigned exchanges;
	char stamp[STAMP_MAX];		/* of APOP; empty: off */
	struct exchange exchange;
};

/* One attempt to log in, and what became of it. */
struct attempt {
	const char *name;		/* as given */
	const char *secret;		/* for PAM; NULL: it is proved already who it is */
	char target[USER_NAME_MAX + 1];	/* whom an administrator acts for, or empty */
	struct bytes via;		/* what login says of it, for the log */
	struct appfile app;
	struct delay delay;
	enum chan_result result;
	const char *why;		/* the truth, for the log; NULL: nothing to add */
	struct buf said;		/* PAM's messages */
	char user[USER_NAME_MAX + 1];	/* canonical, once it is known */
	char home[CONFIG_VALUE_MAX];
	uid_t uid;
	gid_t gid;
};

/* client.c: the client's socket, from stdin or from mailreeved. */
int client_from_stdin(struct conn *c);
int client_from_master(struct conn *c);
/* enum chan_flags of the client as it is known now. */
uint32_t client_flags(const struct conn *c);
/* Believes a trusted proxy: 0, or -1 with EPERM, EINVAL. */
int client_proxied(struct conn *c, struct bytes source, struct bytes port,
    struct bytes destination);
/* One more connection of this address or uid? True without a master. */
bool client_counts(struct conn *c, uint32_t kind, uid_t uid);

/* helper.c: starts login, its channel at c->chan; sees that it ends. */
int login_start(struct conn *c);
void login_end(struct conn *c);

/* report.c: the log line of an attempt. */
void report_attempt(const struct conn *c, const struct attempt *a, bool tls);

/* request.c: serves login until somebody is logged in. */
struct entry {
	struct attempt who;
	char tag[TAG_MAX + 1];
	bool tls;
	bool read_only;
};
int requests_serve(struct conn *c, struct entry *out);

/*
 * pam.c: the PAM transaction of one attempt. Each step leaves a->result at
 * CHAN_OK, or says there what it found instead, and in a->why the truth.
 */
void pam_try(const struct conn *c, struct attempt *a);	  /* sets a->user */
void pam_account(struct attempt *a);
void pam_enter(const struct conn *c, struct attempt *a);  /* credentials, session */
/* Ends the transaction, and with it a session that pam_enter() opened. */
void pam_leave(void);
/* Ends it for the process that becomes the session: credentials stay. */
void pam_forget(void);
/* Reads both services and loads their modules, for the forks of a template. */
void pam_preload(const struct config *conf);

/* pam_delay_*.c: the time a failure takes is ours to choose, not a module's. */
struct pam_handle;
int pam_no_delay(struct pam_handle *h);

/* verifiers.c: the mechanisms that are an exchange. */
extern const struct verifier verifiers[MECHANISMS];

/* gate.c: who may come in: fills a. */
void gate_decide(struct conn *c, struct attempt *a, struct bytes authzid);

/* session.c: becomes the session; returns only on failure, or after a PAM session. */
int session_begin(struct conn *c, const struct entry *e);

#endif
