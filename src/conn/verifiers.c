/*
 * The mechanisms whose exchange conn takes part in; how each uses the texts of
 * a request is in mailreeve-privsep(7).
 * Runs as: root.
 */
#include "conn.h"

const struct verifier verifiers[MECHANISMS] = { 0 };
