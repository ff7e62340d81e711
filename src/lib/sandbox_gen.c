/*
 * Turns lists of allowed system calls into a header with a BPF program, so
 * that programs need no libseccomp: sandbox_gen NAME LIST... > header.
 * Runs as: the person who builds.
 *
 * A list has lines of these forms; later lists may widen earlier ones:
 *	allow CALL			refuse CALL ERRNO
 *	allow CALL ARG == VALUE		limit RESOURCE NUMBER|infinity
 *	allow CALL ARG without BITS	# comment
 * Whatever is not listed kills the process.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256
#define WORDS_MAX 5
#define LIMITS_MAX 16
#define WIDE_MAX 512

static const struct {
	const char *name;
	uint64_t value;
} values[] = {
	{ "NULL", 0 }, { "0", 0 }, { "1", 1 }, { "2", 2 },
	{ "PROT_EXEC", PROT_EXEC }, { "PR_SET_NAME", PR_SET_NAME },
	{ "FICLONE", FICLONE }, { "FIONREAD", FIONREAD },
	{ "EPERM", EPERM }, { "EACCES", EACCES }, { "ENOENT", ENOENT },
	{ "ENOSYS", ENOSYS },
	{ "ENOTTY", ENOTTY },
};

struct limit {
	char resource[32];
	char value[32];
};

static struct limit limits[LIMITS_MAX];
static size_t n_limits;

/* Calls that a list allowed with any arguments: narrower rules are moot. */
static int wide[WIDE_MAX];
static size_t n_wide;

static uint64_t
value_of(const char *name)
{
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	errx(1, "unknown value %s: add it to the table", name);
}

static int
call_of(const char *name)
{
	int call = seccomp_syscall_resolve_name(name);

	if (call == __NR_SCMP_ERROR)
		errx(1, "unknown system call %s", name);
	return call;
}

static bool
is_wide(int call)
{
	for (size_t i = 0; i < n_wide; i++)
		if (wide[i] == call)
			return true;
	return false;
}

/*
 * Calls that this machine's architecture does not have (negative numbers) are
 * left out; so are rules narrower than one that is there.
 */
static void
add_rule(scmp_filter_ctx filter, uint32_t action, char **w, size_t n)
{
	int call = call_of(w[1]);
	struct scmp_arg_cmp arg = { 0 };
	bool any = n < 5;

	if (call < 0 || is_wide(call))
		return;
	if (any)
		wide[n_wide++ % WIDE_MAX] = call;
	else
		/* Masked: the bits of datum_a are to be those of datum_b, 0. */
		arg = (struct scmp_arg_cmp){ .arg = (unsigned)atoi(w[2]),
		    .op = strcmp(w[3], "without") == 0 ? SCMP_CMP_MASKED_EQ
		    : SCMP_CMP_EQ, .datum_a = value_of(w[4]) };
	errno = -seccomp_rule_add_array(filter, action, call, any ? 0 : 1, &arg);
	if (errno != 0)
		err(1, "rule for %s", w[1]);
}

static void
add_limit(const char *resource, const char *value)
{
	struct limit *l = limits;

	while (l < limits + n_limits && strcmp(l->resource, resource) != 0)
		l++;
	if (l == limits + LIMITS_MAX)
		errx(1, "more than %d limits", LIMITS_MAX);
	if (l < limits + n_limits)
		return;			/* a later list was read before */
	n_limits++;
	snprintf(l->resource, sizeof l->resource, "%s", resource);
	snprintf(l->value, sizeof l->value, "%s",
	    strcmp(value, "infinity") == 0 ? "RLIM_INFINITY" : value);
}

static size_t
split(char *line, char **w)
{
	size_t n = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (char *t = strtok(line, " \t"); t != NULL && n < WORDS_MAX;
	    t = strtok(NULL, " \t"))
		w[n++] = t;
	return n;
}

static void
read_list(scmp_filter_ctx filter, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[LINE_MAX_BYTES], *w[WORDS_MAX];
	size_t n;

	if (f == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof line, f) != NULL) {
		n = split(line, w);
		if (n == 0)
			continue;
		if ((n == 2 || n == 5) && strcmp(w[0], "allow") == 0)
			add_rule(filter, SCMP_ACT_ALLOW, w, n);
		else if (n == 3 && strcmp(w[0], "refuse") == 0)
			add_rule(filter, SCMP_ACT_ERRNO(value_of(w[2])), w, n);
		else if (n == 3 && strcmp(w[0], "limit") == 0)
			add_limit(w[1], w[2]);
		else
			errx(1, "%s: bad line at \"%s\"", path, w[0]);
	}
	fclose(f);
}

static void
print_program(scmp_filter_ctx filter, const char *name)
{
	FILE *f = tmpfile();
	struct sock_filter s;

	if (f == NULL)
		err(1, "tmpfile");
	errno = -seccomp_export_bpf(filter, fileno(f));
	if (errno != 0)
		err(1, "export");
	rewind(f);
	printf("static const struct sock_filter %s_filter[] = {\n", name);
	while (fread(&s, sizeof s, 1, f) == 1)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", s.code, s.jt, s.jf, s.k);
	printf("};\n\n");
	fclose(f);
}

static void
print_limits(const char *name)
{
	printf("static const struct sandbox_limit %s_limits[] = {\n", name);
	for (size_t i = 0; i < n_limits; i++)
		printf("\t{ RLIMIT_%s, %s },\n", limits[i].resource,
		    limits[i].value);
	printf("};\n");
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (argc < 3 || filter == NULL)
		errx(1, "usage: sandbox_gen NAME LIST...");
	/* A binary tree: with a hundred rules a call costs seven steps. */
	errno = -seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (errno != 0)
		err(1, "optimize");
	/* The widest first. */
	for (int i = argc - 1; i >= 2; i--)
		read_list(filter, argv[i]);
	printf("/* Made by sandbox_gen from the lists. */\n");
	print_program(filter, argv[1]);
	print_limits(argv[1]);
	seccomp_release(filter);
	return 0;
}
