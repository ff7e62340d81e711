/*
 * What cages on Linux are made of: Landlock, seccomp, limits.
 * Runs as: root until the cage of login is closed; the mailbox owner.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "sandbox_linux.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Landlock's interface as the kernel documents it; the headers of the systems
 * we build on are older than the kernels we run on.
 */
struct landlock_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

#define LANDLOCK_CREATE_RULESET_CALL 444
#define LANDLOCK_ADD_RULE_CALL 445
#define LANDLOCK_RESTRICT_SELF_CALL 446
#define LANDLOCK_VERSION_QUERY 1U
#define LANDLOCK_PATH_BENEATH 1

#define FS_WRITE_FILE ((uint64_t)1 << 1)
#define FS_READ_FILE ((uint64_t)1 << 2)
#define FS_READ_DIR ((uint64_t)1 << 3)
#define FS_EXECUTE ((uint64_t)1 << 0)
#define FS_MAKE_CHAR ((uint64_t)1 << 6)
#define FS_MAKE_BLOCK ((uint64_t)1 << 11)
#define FS_TRUNCATE ((uint64_t)1 << 14)
#define FS_IOCTL_DEV ((uint64_t)1 << 15)
#define FS_READ (FS_READ_FILE | FS_READ_DIR)
/* Rights that make sense for something that is not a directory. */
#define FS_OF_FILES (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
/* What mail never needs, even where its owner could. */
#define FS_NEVER (FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV)

/* What each version of the interface knows. */
static const struct landlock_ruleset known[] = {
	[2] = { ((uint64_t)1 << 14) - 1, 0, 0 },	/* rename between directories */
	[3] = { ((uint64_t)1 << 15) - 1, 0, 0 },	/* truncate */
	[4] = { ((uint64_t)1 << 15) - 1, 3, 0 },	/* TCP bind, connect */
	[5] = { ((uint64_t)1 << 16) - 1, 3, 0 },	/* ioctl of devices */
	[6] = { ((uint64_t)1 << 16) - 1, 3, 3 },	/* abstract sockets, signals */
};

/* What libc may want to read in the middle of a session. */
static const char *const readable[] = {
	"/etc", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib64", "/usr/share/i18n",
};

/* Rights that can be handled here, or NULL when Landlock is absent or too old. */
static const struct landlock_ruleset *
landlock_known(void)
{
	long abi = syscall(LANDLOCK_CREATE_RULESET_CALL, NULL, 0,
	    LANDLOCK_VERSION_QUERY);

	/* Version 1 forbids every rename between directories: no Maildir. */
	if (abi < 2)
		return NULL;
	return &known[(size_t)abi < COUNT(known) ? (size_t)abi : COUNT(known) - 1];
}

static int
allow_path(int rules, const char *path, uint64_t rights)
{
	struct landlock_beneath rule = { 0 };
	struct stat st;
	int r, error, fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	rule.parent = fd;
	r = fstat(fd, &st);
	if (r == 0) {
		rule.allowed = S_ISDIR(st.st_mode) ? rights : rights & FS_OF_FILES;
		r = (int)syscall(LANDLOCK_ADD_RULE_CALL, rules,
		    LANDLOCK_PATH_BENEATH, &rule, 0);
	}
	error = errno;
	close(fd);
	errno = error;
	return r;
}

static int
allow_paths(int rules, const struct landlock_ruleset *all,
    char *const paths[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (allow_path(rules, paths[i], all->fs & ~FS_NEVER) < 0)
			return -1;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < COUNT(readable); i++)
		if (allow_path(rules, readable[i], FS_READ) < 0 && errno != ENOENT)
			return -1;
	return allow_path(rules, "/dev/null", FS_READ_FILE | FS_WRITE_FILE);
}

int
restrict_files(char *const paths[], size_t n)
{
	const struct landlock_ruleset *all = landlock_known();
	int r, error, rules;

	if (all == NULL) {
		log_debug("no Landlock in this kernel: file permissions hold alone");
		return 0;
	}
	rules = (int)syscall(LANDLOCK_CREATE_RULESET_CALL, all, sizeof *all, 0);
	if (rules < 0)
		return -1;
	r = allow_paths(rules, all, paths, n);
	if (r == 0)
		r = (int)syscall(LANDLOCK_RESTRICT_SELF_CALL, rules, 0);
	error = errno;
	close(rules);
	errno = error;
	return r;
}

int
restrict_calls(const struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = { (unsigned short)n,
	    (struct sock_filter *)(uintptr_t)filter };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int
restrict_resources(const struct sandbox_limit *limits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rlimit l;

		if (getrlimit(limits[i].resource, &l) < 0)
			return -1;
		if (limits[i].value < l.rlim_max)
			l.rlim_max = limits[i].value;
		l.rlim_cur = l.rlim_max;
		if (setrlimit(limits[i].resource, &l) < 0)
			return -1;
	}
	return 0;
}

int
no_way_up(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
	    || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	/* localtime_r() of the log reads its zone only now. */
	tzset();
	return 0;
}
