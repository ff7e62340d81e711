/*
 * The four services.
 * Runs as: root (master, conn) and _mailreeve (login).
 */
#include "service.h"

const struct service_facts service_facts[SERVICES] = {
	[SERVICE_IMAP]	= { "imap",  "imap", 143, true,	 false },
	[SERVICE_IMAPS]	= { "imaps", "imap", 993, true,	 true },
	[SERVICE_POP3]	= { "pop3",  "pop3", 110, false, false },
	[SERVICE_POP3S]	= { "pop3s", "pop3", 995, false, true },
};

int
service_by_name(const char *name, enum service *out)
{
	for (enum service s = 0; s < SERVICES; s++)
		if (strcmp(service_facts[s].name, name) == 0) {
			*out = s;
			return 0;
		}
	return -1;
}

int
service_by_port(uint16_t port, enum service *out)
{
	for (enum service s = 0; s < SERVICES; s++)
		if (service_facts[s].port == port) {
			*out = s;
			return 0;
		}
	return -1;
}
