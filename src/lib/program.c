/*
 * Starts programs of ours.
 * Runs as: root.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "program.h"

#define PATH "/usr/sbin:/usr/bin:/sbin:/bin"
#define ID_TEXT_SIZE 24
#define FDS_MAX 6

static int
make_env(const struct config *conf, struct process_env *e)
{
	struct buf text = BUF_INIT(65536);
	bool good = config_dump(conf, false, &text) == 0 && buf_string(&text) != NULL;

	if (good)
		process_env_add(e, CONFIG_ENV, buf_string(&text));
	process_env_begin(e, PATH);
	process_env_copy(e, "TZ");
	buf_free(&text);
	return good && process_env_done(e) != NULL ? 0 : -1;
}

noreturn void
program_become(const struct config *conf, const char *path, char *const argv[],
    const struct process_fd *fds, size_t n)
{
	struct process_fd all[FDS_MAX + 2] = { { DIAGNOSTICS_FD, DIAGNOSTICS_FD } };
	struct process_env e = { 0 };

	log_assert(n <= FDS_MAX);
	log_part();
	all[1] = (struct process_fd){ log_fd(), LOG_FD };
	memcpy(all + 2, fds, n * sizeof *fds);
	if (make_env(conf, &e) == 0 && process_place(all, n + 2) == 0)
		process_exec(path, argv, process_env_done(&e));
	log_error("cannot start %s: %s", path, strerror(errno));
	_exit(EX_OSERR);
}

const struct passwd *
program_account(const struct config *conf)
{
	const struct passwd *pw;

	process_deadline(conf->pam_timeout * 1000, "looking up service-user");
	pw = getpwnam(conf->service_user);
	process_deadline(0, NULL);
	if (pw != NULL && pw->pw_uid != 0 && pw->pw_gid != 0)
		return pw;
	log_error("service-user %s: no such account, or it is root's: create it "
	    "or name another", conf->service_user);
	errno = ENOENT;
	return NULL;
}

noreturn void
program_become_caged(const struct config *conf, const char *path,
    const char *option, const struct passwd *pw, const struct process_fd *fds,
    size_t n)
{
	char uid[ID_TEXT_SIZE], gid[ID_TEXT_SIZE];
	char *name = strdup(strrchr(path, '/') + 1);
	char *first = option == NULL ? NULL : strdup(option);
	char *argv[5] = { name, first };
	size_t at = option == NULL ? 1 : 2;

	if (name == NULL || (option != NULL && first == NULL))
		log_fatal(EX_OSERR, "cannot start %s: out of memory", path);
	snprintf(uid, sizeof uid, "%lu", (unsigned long)pw->pw_uid);
	snprintf(gid, sizeof gid, "%lu", (unsigned long)pw->pw_gid);
	argv[at] = uid;
	argv[at + 1] = gid;
	program_become(conf, path, argv, fds, n);
}
