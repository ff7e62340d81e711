/*
 * What a client may cost before it logged in.
 */
#ifndef LOGIN_LIMITS_H
#define LOGIN_LIMITS_H

#define IMAP_LINE_MAX ((size_t)8192)	/* RFC 2683 section 3.2.1.5 */
#define LITERAL_MAX 4096		/* LITERAL-, RFC 7888 section 5 */
#define COMMAND_MAX ((size_t)16384)	/* lines and literals together */
#define ID_FIELDS_MAX 30		/* RFC 2971 section 3.3 */
#define ID_MORE_MAX ((size_t)65536)	/* for names of 30 octets and values of 1024, all escaped */

/* RFC 2449 section 4 wants 255; passwords may be longer than that. */
#define POP3_LINE_MAX ((size_t)2048)
/* A response: CHAN_TOKEN_MAX in base64, and its end. RFC 5034 section 4 wants 12288. */
#define SASL_LINE_MAX ((size_t)87382)

#define INPUT_MAX ((size_t)262144)	/* everything read before login */
#define BAD_COMMANDS_MAX 5		/* then BYE */
#define TLS_READS_MAX 64		/* of the socket in one call of OpenSSL; two make a record */
#define TLS_FRUITLESS_MAX 100		/* such calls without a byte of data, then BYE */

#define GOODBYE_MS 2000			/* for a last answer to leave */
#define LINGER_MS 1000			/* for the client to take it */
#define LINGER_MAX ((size_t)65536)	/* input dropped meanwhile */
#define CONN_MS 15000			/* for conn to answer, beside PAM's time */

#endif
