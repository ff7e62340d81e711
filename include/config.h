/*
 * The configuration: one table of keywords feeds parser, defaults and dump.
 *
 * mailreeve.conf(5) describes each keyword. A value once accepted by a release
 * is accepted by every later one.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "buf.h"

#define CONFIG_VALUE_MAX 1024
#define CONFIG_KEYWORDS_MAX 49		/* under 50 */

enum tri { TRI_NO, TRI_LOCAL, TRI_YES };
enum mail_format { FORMAT_AUTO, FORMAT_MAILDIR, FORMAT_MBOX };

/* Seconds, bytes and counts are unsigned numbers; texts are never NULL. */
struct config {
	/* listening, master */
	const char *imap_listen, *imaps_listen, *pop3_listen, *pop3s_listen;
	const char *service_user, *login_root, *pid_file;
	uint64_t max_connections, max_per_address, max_per_user, spare_connections;
	uint64_t drain_timeout;
	/* authentication */
	const char *pam_imap, *pam_pop3;
	bool pam_session;
	uint64_t pam_timeout, minimum_uid, failure_delay, max_failures;
	enum tri cleartext_login;
	const char *trusted_proxies, *trusted_xclient, *secrets, *mechanisms;
	const char *administrators, *anonymous_user;
	const char *oauth_keys, *oauth_issuer, *oauth_audience;
	const char *gssapi_keytab;
	/* TLS */
	const char *tls_certificate, *tls_key, *tls_client_ca, *tls_minimum;
	/* time */
	uint64_t login_timeout, imap_timeout, pop3_timeout, write_timeout;
	/* mail */
	enum mail_format mail_format;
	const char *maildir, *mbox_inbox, *mbox_folders, *index_directory;
	bool special_folders;
	uint64_t append_limit;
	uint64_t message_limit;
	uint64_t quota_storage, quota_messages;	/* 0: none */
	/* log */
	const char *log_level;
	/* where it was read: the name given to config_load(), and 0 for a default */
	const char *file;
	uint32_t lines[CONFIG_KEYWORDS_MAX];
};

/*
 * The defaults, then the lines of the file at path over them. A missing file
 * is the defaults when optional; one that others than its reader and root may
 * write is refused. Returns 0, or -1 with one line in why that says file, line,
 * cause and cure. Strings live until config_free(), which also fits a
 * configuration whose loading failed; most processes never call it.
 */
int config_load(struct config *c, const char *path, bool optional, struct buf *why);
void config_free(struct config *c);

/* The same from text, as config_dump() printed it; name is used in why. */
int config_parse(struct config *c, struct bytes text, const char *name,
    struct buf *why);

/* The line that sets this keyword; 0 when it has its default. */
unsigned config_line(const struct config *c, const char *keyword);

/* Prints "FILE:LINE: " of that line, or nothing; the file's name must still live. */
void config_where(const struct config *c, const char *keyword, struct buf *out);

/*
 * Prints keyword and value a line: all of them, or only those that differ from
 * the default. The short form travels to conn and sessions in CONFIG_ENV, so
 * that a running server keeps what it was started with.
 */
int config_dump(const struct config *c, bool all, struct buf *out);

#define CONFIG_ENV "MAILREEVE_CONFIG"

/*
 * What a process started by the master, conn or a person uses: CONFIG_ENV when
 * set, else the file at CONFIG_PATH (the build's SYSCONFDIR/mailreeve.conf).
 */
int config_inherit(struct config *c, struct buf *why);

/* The same for a program that cannot do without; sets the level of its log too. */
void config_start(struct config *c);

/* The value, words separated by spaces, has this one. */
bool config_lists(const char *value, struct bytes word);

/* LOG_ERR ... LOG_DEBUG for the log-level keyword. */
int config_log_priority(const struct config *c);

#endif
