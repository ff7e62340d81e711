/*
 * Files that a configuration names, looked at as those who need them do.
 * Runs as: root.
 */
#include <sys/wait.h>

#include <errno.h>
#include <unistd.h>

#include "log.h"
#include "master.h"
#include "program.h"
#include "rootfile.h"
#include "tlsfiles.h"

struct look {
	const struct config *conf;
	struct buf *why;
	const char *keyword;
	mode_t bad;
	unsigned problems;
};

static int
look_at(const char *path, void *arg)
{
	struct look *l = arg;
	const char *wrong;
	int fd = rootfile_look(path, l->bad, &wrong);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	config_where(l->conf, l->keyword, l->why);
	buf_printf(l->why, "%s %s: %s%s\n", l->keyword, path, wrong,
	    errno == EPERM ? "" : ": put one there, or name another");
	l->problems++;
	return 0;
}

static unsigned
look_at_file(const struct config *conf, const char *keyword, const char *path,
    mode_t bad, struct buf *why)
{
	struct look l = { conf, why, keyword, bad, 0 };

	if (path[0] != '\0')
		(void)look_at(path, &l);
	return l.problems;
}

static unsigned
look_at_list(const struct config *conf, const char *keyword, const char *list,
    mode_t bad, struct buf *why)
{
	struct look l = { conf, why, keyword, bad, 0 };

	(void)tlsfiles_each(list, look_at, &l);
	return l.problems;
}

/* The secrets are made by the first `mailreeve passwd`. */
static unsigned
look_at_secrets(const struct config *conf, struct buf *why)
{
	return access(conf->secrets, F_OK) < 0 && errno == ENOENT ? 0
	    : look_at_file(conf, "secrets", conf->secrets, ROOTFILE_SECRET, why);
}

/* --- what the keys of TLS are, the signer finds out --- */

static pid_t
start_signer(const struct config *conf, int *said)
{
	char name[] = "signer", option[] = "-l", *argv[] = { name, option, NULL };
	const struct process_fd none = { -1, DIAGNOSTICS_FD };
	int ends[2];
	pid_t pid = pipe(ends) < 0 ? -1 : fork();

	if (pid == 0) {
		if (dup2(ends[1], DIAGNOSTICS_FD) < 0)
			_exit(1);
		program_become(conf, PROGRAM_PATH("signer"), argv, &none, 0);
	}
	if (pid > 0) {
		close(ends[1]);
		*said = ends[0];
	}
	return pid;
}

/* Without the name and number that a line of the log begins with. */
static void
repeat(const struct config *conf, struct bytes said, struct buf *why)
{
	while (said.n > 0) {
		struct bytes line = bytes_split(&said, '\n');
		ssize_t head = bytes_find(line, ']');

		config_where(conf, "tls-certificate", why);
		buf_bytes(why, bytes_from(line, head < 0 ? 0 : (size_t)head + 3));
		buf_byte(why, '\n');
	}
}

static void
hear(int fd, struct buf *said)
{
	unsigned char *to;
	ssize_t n;

	while ((to = buf_room(said, 256)) != NULL && (n = read(fd, to, 256)) > 0)
		said->len += (size_t)n;
	close(fd);
}

static unsigned
ask_signer(const struct config *conf, struct buf *why)
{
	struct buf said = BUF_INIT(4096);
	int fd = -1, status = -1;
	pid_t pid = start_signer(conf, &fd);

	if (pid < 0) {
		buf_printf(why, PROGRAM_PATH("signer") ": %s\n", strerror(errno));
		return 1;
	}
	hear(fd, &said);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status != 0)
		repeat(conf, said.len > 0 ? buf_contents(&said)
		    : BYTES("the signer does not work"), why);
	buf_free(&said);
	return status != 0;
}

static unsigned
look_at_tls(const struct config *conf, struct buf *why)
{
	unsigned problems;

	if (!tlsfiles_wanted(conf))
		return 0;
	problems = look_at_list(conf, "tls-certificate", conf->tls_certificate,
	    ROOTFILE_PUBLIC, why) + look_at_list(conf, "tls-key", conf->tls_key,
	    ROOTFILE_KEY, why);
	return problems > 0 ? problems : ask_signer(conf, why);
}

unsigned
check_files(const struct config *conf, struct buf *why)
{
	return look_at_tls(conf, why) + look_at_secrets(conf, why)
	    + look_at_file(conf, "tls-client-ca", conf->tls_client_ca,
	    ROOTFILE_PUBLIC, why)
	    + look_at_file(conf, "oauth-keys", conf->oauth_keys, ROOTFILE_PUBLIC, why)
	    + look_at_file(conf, "gssapi-keytab", conf->gssapi_keytab,
	    ROOTFILE_KEY, why);
}
