/*
 * gss: accepts one Kerberos ticket.
 * Runs as: root until the cage is closed; then _mailreeve.
 *
 *	gss imap|imap-clear|pop|pop-clear UID GID
 */
#include "gss.h"

int
main(int argc, char **argv)
{
	return verifier_run(&gss_verifier, argc, argv);
}
