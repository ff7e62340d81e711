/*
 * token: looks at one bearer token.
 * Runs as: root until the cage is closed; then _mailreeve.
 *
 *	token OAUTHBEARER|XOAUTH2 UID GID
 */
#include "token.h"

int
main(int argc, char **argv)
{
	return verifier_run(&token_verifier, argc, argv);
}
