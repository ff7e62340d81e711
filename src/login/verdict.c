/*
 * How a refused login and the end of a conversation are told.
 * Runs as: _mailreeve.
 */
#include "log.h"
#include "verdict.h"

static const struct verdict_text verdicts[] = {
	[CHAN_REFUSED] = { "AUTHENTICATIONFAILED", "AUTH",
	    "Wrong user name or password" },
	[CHAN_EXPIRED] = { "EXPIRED", "AUTH",
	    "Your password or account has expired" },
	[CHAN_CONTACT_ADMIN] = { "CONTACTADMIN", "AUTH",
	    "Your account is locked, ask your administrator" },
	[CHAN_NOT_AUTHORIZED] = { "AUTHORIZATIONFAILED", "AUTH",
	    "You may not read this mail" },
	[CHAN_UNAVAILABLE] = { "UNAVAILABLE", "SYS/TEMP",
	    "Logging in is not possible at the moment, try again later" },
	[CHAN_LIMIT] = { "LIMIT", "SYS/TEMP",
	    "You have too many connections" },
};

const struct verdict_text *
verdict_text(enum chan_result result)
{
	if (result < CHAN_REFUSED || result > CHAN_LIMIT)
		return &verdicts[CHAN_UNAVAILABLE];
	return &verdicts[result];
}

static const struct verdict_text endings[ENDINGS] = {
	[END_TIMEOUT] = { NULL, NULL, "You took too long to log in" },
	[END_FAILURES] = { NULL, NULL, "Too many failed logins" },
	[END_BAD_COMMANDS] = { NULL, NULL, "Too many bad commands" },
	[END_TOO_LONG] = { "TOOBIG", NULL,
	    "That is more than may be sent before login" },
	[END_GARBAGE] = { NULL, NULL, "This is a mail server" },
	[END_UNAVAILABLE] = { "UNAVAILABLE", "SYS/TEMP",
	    "The server cannot go on, try again later" },
	[END_LIMIT] = { "LIMIT", "SYS/TEMP",
	    "Too many connections from your address" },
};

const struct verdict_text *
ending_text(enum ending why)
{
	log_assert(why > END_QUIET && why < ENDINGS);
	return &endings[why];
}
