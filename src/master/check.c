/*
 * What a configuration needs of the system, looked at before it is used.
 * Runs as: root.
 */
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "master.h"

static unsigned
check_account(const struct config *conf, struct buf *why)
{
	const struct passwd *pw = getpwnam(conf->service_user);

	if (pw != NULL && pw->pw_uid != 0 && pw->pw_gid != 0)
		return 0;
	config_where(conf, "service-user", why);
	buf_printf(why, "service-user %s: %s: make one with useradd --system %s\n",
	    conf->service_user, pw == NULL ? "no such account"
	    : "that is root", conf->service_user);
	return 1;
}

static unsigned
check_root(const struct config *conf, struct buf *why)
{
	struct stat st;

	if (stat(conf->login_root, &st) < 0) {
		config_where(conf, "login-root", why);
		buf_printf(why, "login-root %s: %s: make an empty directory\n",
		    conf->login_root, strerror(errno));
		return 1;
	}
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 022) == 0)
		return 0;
	config_where(conf, "login-root", why);
	buf_printf(why, "login-root %s: must be an empty directory of root that "
	    "nobody else may write to: chown root, chmod 755\n", conf->login_root);
	return 1;
}

static unsigned
check_programs(const struct config *conf, struct buf *why)
{
	const struct {
		const char *path;
		bool needed;
	} programs[] = {
		{ LIBEXECDIR "/conn", true }, { LIBEXECDIR "/login", true },
		{ LIBEXECDIR "/signer", true },
		{ LIBEXECDIR "/imap", true }, { LIBEXECDIR "/pop3", true },
		{ LIBEXECDIR "/token", conf->oauth_keys[0] != '\0' },
		{ LIBEXECDIR "/gss", conf->gssapi_keytab[0] != '\0' },
		{ LIBEXECDIR "/x509", conf->tls_client_ca[0] != '\0' },
	};
	unsigned problems = 0;

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (programs[i].needed && access(programs[i].path, X_OK) < 0) {
			buf_printf(why, "%s: %s: install it\n", programs[i].path,
			    strerror(errno));
			problems++;
		}
	return problems;
}

/* Without its own file PAM uses `other`, which may let everybody try. */
static unsigned
check_pam(const struct config *conf, const char *keyword, const char *service,
    struct buf *why)
{
	static const char *const places[] = { "/etc/pam.d", "/usr/lib/pam.d",
	    "/usr/local/etc/pam.d" };
	char path[CONFIG_VALUE_MAX];

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", places[i], service);
		if (access(path, R_OK) == 0)
			return 0;
	}
	config_where(conf, keyword, why);
	buf_printf(why, "PAM has no service %s: install /etc/pam.d/%s\n", service,
	    service);
	return 1;
}

/* All three, or none: one who forgot the others believes that it is on. */
static unsigned
check_oauth(const struct config *conf, struct buf *why)
{
	const struct {
		const char *keyword, *value;
	} rows[] = {
		{ "oauth-keys", conf->oauth_keys },
		{ "oauth-issuer", conf->oauth_issuer },
		{ "oauth-audience", conf->oauth_audience },
	};
	const char *one = NULL;
	unsigned set = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].value[0] != '\0') {
			one = rows[i].keyword;
			set++;
		}
	if (set == 0 || set == 3)
		return 0;
	config_where(conf, one, why);
	buf_text(why, "oauth-keys, oauth-issuer, oauth-audience: set all three\n");
	return 1;
}

unsigned
check_system(const struct config *conf, struct buf *why)
{
	return check_account(conf, why) + check_root(conf, why)
	    + check_programs(conf, why)
	    + check_pam(conf, "pam-service-imap", conf->pam_imap, why)
	    + check_pam(conf, "pam-service-pop3", conf->pam_pop3, why)
	    + check_oauth(conf, why);
}
