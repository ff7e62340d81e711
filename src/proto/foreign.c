/*
 * Other protocols at a mail port: web browsers that were lured here (ALPACA),
 * misconfigured clients, scanners.
 * Runs as: login.
 */
#include "foreign.h"

static const struct {
	const char *begins;
	const char *name;
} marks[] = {
	{ "\x16\x03", "TLS" },
	{ "GET /", "HTTP" }, { "POST /", "HTTP" }, { "HEAD /", "HTTP" },
	{ "PUT /", "HTTP" }, { "OPTIONS ", "HTTP" }, { "CONNECT ", "HTTP" },
	{ "PRI * HTTP", "HTTP" }, { "HOST:", "HTTP" },
	{ "EHLO ", "SMTP" }, { "HELO ", "SMTP" }, { "MAIL FROM:", "SMTP" },
	{ "SSH-", "SSH" },
	{ "PROXY ", "PROXY" }, { "\r\n\r\n", "PROXY" },
};

const char *
foreign_protocol(struct bytes first)
{
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (bytes_case_starts(first, bytes_of(marks[i].begins)))
			return marks[i].name;
	return NULL;
}
