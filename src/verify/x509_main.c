/*
 * x509: looks at one client's certificate, and at the handshake that it is from.
 * Runs as: root until the cage is closed; then _mailreeve.
 *
 *	x509 EXTERNAL UID GID
 */
#include "x509.h"

int
main(int argc, char **argv)
{
	return verifier_run(&x509_verifier, argc, argv);
}
