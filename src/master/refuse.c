/*
 * What a client hears that cannot be served now.
 * Runs as: root.
 */
#include <sys/socket.h>

#include <stdio.h>

#include "master.h"

void
refuse_client(int client, enum service service, enum refusal why)
{
	static const char *const reasons[] = {
		[TOO_MANY] = "Too many connections, try again later",
		[TOO_MANY_HERE] = "Too many connections from your address",
		[NO_MEANS] = "Out of resources, try again later",
	};
	const struct service_facts *f = &service_facts[service];
	char line[128];

	/* With implicit TLS no byte of ours would be understood. */
	if (f->tls)
		return;
	snprintf(line, sizeof line, "%s %s\r\n", f->imap ? "* BYE [UNAVAILABLE]"
	    : "-ERR [SYS/TEMP]", reasons[why]);
	/* A new connection has room for this; one that has not hears nothing. */
	(void)send(client, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}
