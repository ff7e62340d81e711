/*
 * mailreeve: the administrator's and users' tool.
 * Runs as: the caller; root becomes the owner of the mail in question.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "tool.h"
#include "version.h"

static int help_main(const struct config *, int, char **);
static int version_main(const struct config *, int, char **);

const struct subcommand subcommands[] = {
	{ "adopt", "[--dry-run] USER | DIR",
	    "take a Maildir over from Dovecot or Courier", adopt_main },
	{ "app-password", "add | list | revoke | main [-u USER] ...",
	    "make, list and revoke passwords for mail alone", app_password_main },
	{ "check", "[--fix] [USER | DIR]", "look for damage in a user's mail",
	    check_main },
	{ "passwd", "[-d | -l] [-m MECHANISM]... [-e IDENTITY] [-o yes | no] [USER]",
	    "set, delete or list what Mailreeve itself checks", passwd_main },
	{ "leave", "[--dry-run] USER | DIR --to dovecot | courier",
	    "write down for another server what it must know", leave_main },
	{ "status", "", "show the daemon, its connections, ports and certificates",
	    status_main },
	{ "help", "", "list the subcommands", help_main },
	{ "version", "", "print the version", version_main },
	{ 0 },
};

static void
print_usage(FILE *to, const struct subcommand *s)
{
	fprintf(to, "  mailreeve %s%s%s\n", s->name,
	    s->arguments[0] == '\0' ? "" : " ", s->arguments);
}

int
tool_usage(const char *name)
{
	fprintf(stderr, "usage:\n");
	for (const struct subcommand *s = subcommands; s->name != NULL; s++)
		if (name == NULL || strcmp(name, s->name) == 0)
			print_usage(stderr, s);
	return EX_USAGE;
}

static int
help_main(const struct config *conf, int argc, char **argv)
{
	(void)conf;
	(void)argv;
	if (argc > 0)
		return tool_usage("help");
	for (const struct subcommand *s = subcommands; s->name != NULL; s++) {
		print_usage(stdout, s);
		printf("        %s\n", s->summary);
	}
	printf("See mailreeve(1).\n");
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
version_main(const struct config *conf, int argc, char **argv)
{
	(void)conf;
	(void)argv;
	if (argc > 0)
		return tool_usage("version");
	printf("mailreeve %s\n", MAILREEVE_VERSION);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* What people try first. */
static const char *
name_of(const char *word)
{
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return "help";
	return strcmp(word, "--version") == 0 ? "version" : word;
}

static int
run(const struct subcommand *s, int argc, char **argv)
{
	struct buf why = BUF_INIT(4096);
	struct config conf;
	int status;

	if (config_inherit(&conf, &why) < 0)
		errx(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	status = s->run(&conf, argc, argv);
	config_free(&conf);
	return status;
}

int
main(int argc, char **argv)
{
	const struct subcommand *s;
	const char *name;

	if (argc < 2)
		return tool_usage(NULL);
	name = name_of(argv[1]);
	for (s = subcommands; s->name != NULL; s++)
		if (strcmp(name, s->name) == 0)
			return run(s, argc - 2, argv + 2);
	warnx("unknown subcommand %s", argv[1]);
	return tool_usage(NULL);
}
