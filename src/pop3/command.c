/*
 * A POP3 command line, taken apart.
 * Runs as: the mailbox owner.
 */
#include "command.h"

static const struct rule {
	const char *kinds;		/* m: message number, n: count, w: word */
	size_t least;			/* words that must be there */
} rules[] = {
	[ARGS_NONE] = { "", 0 },
	[ARGS_MESSAGE] = { "m", 1 },
	[ARGS_MAYBE_MESSAGE] = { "m", 0 },
	[ARGS_MESSAGE_LINES] = { "mn", 2 },
	[ARGS_MAYBE_WORD] = { "w", 0 },
};

static bool
printable(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] > '~')
			return false;
	return true;
}

/* The next word of *rest, empty at the end. Clients also write `LIST `. */
static struct bytes
next_word(struct bytes *rest)
{
	struct bytes word;

	do
		word = bytes_split(rest, ' ');
	while (word.n == 0 && rest->n > 0);
	return word;
}

bool
command_name(struct bytes line, struct bytes *name, struct bytes *rest)
{
	if (!printable(line))
		return false;
	*name = bytes_split(&line, ' ');
	*rest = line;
	return name->n > 0;
}

static const char *
take_word(struct bytes word, char kind, struct command *c)
{
	uint64_t n;

	if (kind == 'w') {
		c->word = word;
		return NULL;
	}
	if (bytes_number(word, UINT32_MAX, &n) < 0)
		return kind == 'm' ? "a message number was expected"
		    : "a number of lines was expected";
	if (kind == 'm' && n == 0)
		return "message numbers begin with 1";
	if (kind == 'm')
		c->message = (uint32_t)n;
	else
		c->lines = (uint32_t)n;
	return NULL;
}

const char *
command_arguments(struct bytes rest, enum arguments rule, struct command *c)
{
	const char *wrong = NULL, *kinds;
	size_t n = 0;

	if (rule == ARGS_ANY)
		return NULL;
	kinds = rules[rule].kinds;
	for (struct bytes word = next_word(&rest); word.n > 0 && wrong == NULL;
	    word = next_word(&rest), n++) {
		if (kinds[n] == '\0')
			return "too many arguments";
		wrong = take_word(word, kinds[n], c);
	}
	if (wrong == NULL && n < rules[rule].least)
		wrong = "an argument is missing";
	return wrong;
}
