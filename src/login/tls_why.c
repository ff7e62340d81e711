/*
 * Why TLS failed, in words.
 * Runs as: _mailreeve.
 *
 * OpenSSL has a text for everything, but loading them takes more time and
 * memory than the handshake; these are the ones that administrators meet.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdio.h>

#include "tls_private.h"
#include "tls_remote.h"

static const struct {
	int reason;
	const char *text;
} reasons[] = {
	{ SSL_R_HTTP_REQUEST, "client speaks HTTP" },
	{ SSL_R_WRONG_VERSION_NUMBER, "client does not speak TLS" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "client's TLS is too old" },
	{ SSL_R_VERSION_TOO_LOW, "client's TLS is too old" },
	{ SSL_R_NO_SHARED_CIPHER, "no cipher in common" },
	{ SSL_R_NO_SUITABLE_KEY_SHARE, "no group in common" },
	{ SSL_R_NO_SHARED_GROUPS, "no group in common" },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "no signature algorithm in common" },
	{ SSL_R_NO_APPLICATION_PROTOCOL, "client wants another protocol (ALPN)" },
	{ SSL_R_EE_KEY_TOO_SMALL, "the certificate's key is too small" },
	{ SSL_R_CA_MD_TOO_WEAK, "the certificate is signed with a weak digest" },
	{ SSL_R_INAPPROPRIATE_FALLBACK, "client fell back to an older TLS" },
};

const char *
tls_why(void)
{
	static char text[80];
	unsigned long e = ERR_peek_last_error();
	int reason = ERR_GET_REASON(e);

	ERR_clear_error();
	if (remote_silent())
		return "the signer does not answer";
	if (e == 0)
		return "connection lost";
	if (ERR_GET_LIB(e) != ERR_LIB_SSL) {
		snprintf(text, sizeof text, "OpenSSL error %lx", e);
		return text;
	}
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].reason == reason)
			return reasons[i].text;
	if (reason < SSL_AD_REASON_OFFSET || reason > SSL_AD_REASON_OFFSET + UINT8_MAX)
		snprintf(text, sizeof text, "OpenSSL error %lx", e);
	else	/* the client's certificate check, mostly */
		snprintf(text, sizeof text, "client says %s",
		    SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
	return text;
}
