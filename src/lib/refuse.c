/*
 * What a client hears that cannot be served.
 * Runs as: root; the mailbox owner, in conn's last moment.
 */
#include <sys/socket.h>

#include <stdio.h>

#include "refuse.h"

void
refuse_stream(int stream, enum service service, enum refusal why)
{
	static const char *const reasons[] = {
		[TOO_MANY] = "Too many connections, try again later",
		[TOO_MANY_HERE] = "Too many connections from your address",
		[NO_MEANS] = "Out of resources, try again later",
	};
	char line[128];

	snprintf(line, sizeof line, "%s %s\r\n", service_facts[service].imap
	    ? "* BYE [UNAVAILABLE]" : "-ERR [SYS/TEMP]", reasons[why]);
	/* A new connection has room for this; one that has not hears nothing. */
	(void)send(stream, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
refuse_client(int client, enum service service, enum refusal why)
{
	/* With implicit TLS no byte of ours would be understood. */
	if (!service_facts[service].tls)
		refuse_stream(client, service, why);
}
