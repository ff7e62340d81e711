/*
 * TLS's signature schemes.
 * Runs as: _mailreeve.
 */
#include "schemes.h"

/* Before TLS 1.3 an ECDSA scheme fits any curve. */
const struct scheme schemes[SCHEMES_MAX] = {
	{ 0x0403, "EC", "SHA256", false },
	{ 0x0503, "EC", "SHA384", false },
	{ 0x0603, "EC", "SHA512", false },
	{ 0x0804, "RSA", "SHA256", true },
	{ 0x0805, "RSA", "SHA384", true },
	{ 0x0806, "RSA", "SHA512", true },
	{ 0x0401, "RSA", "SHA256", false },
	{ 0x0501, "RSA", "SHA384", false },
	{ 0x0601, "RSA", "SHA512", false },
	{ 0x0809, "RSA-PSS", "SHA256", true },
	{ 0x080a, "RSA-PSS", "SHA384", true },
	{ 0x080b, "RSA-PSS", "SHA512", true },
	{ 0x0807, "ED25519", "", false },
	{ 0x0808, "ED448", "", false },
};
