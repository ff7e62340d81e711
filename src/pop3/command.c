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
take_message(struct bytes word, struct command *c)
{
	uint64_t n;

	if (bytes_number(word, UINT32_MAX, &n) < 0)
		return "a message number was expected";
	if (n == 0)
		return "message numbers begin with 1";
	c->message = (uint32_t)n;
	return NULL;
}

/* RFC 1939 section 7: more lines than there are is the whole message. */
static const char *
take_lines(struct bytes word, struct command *c)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < '0' || word.p[i] > '9')
			return "a number of lines was expected";
	if (bytes_number(word, UINT64_MAX, &c->lines) < 0)
		c->lines = UINT64_MAX;
	return NULL;
}

static const char *
take_word(struct bytes word, char kind, struct command *c)
{
	if (kind == 'm')
		return take_message(word, c);
	if (kind == 'n')
		return take_lines(word, c);
	c->word = word;
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
