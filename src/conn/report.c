/*
 * The line that every attempt to log in leaves: mailreeve-conn(8) promises it.
 * Runs as: root.
 */
#include "conn.h"

static const char *const results[] = {
	[CHAN_OK] = "ok", [CHAN_REFUSED] = "refused", [CHAN_EXPIRED] = "expired",
	[CHAN_CONTACT_ADMIN] = "locked", [CHAN_NOT_AUTHORIZED] = "not-authorized",
	[CHAN_UNAVAILABLE] = "unavailable", [CHAN_LIMIT] = "limit",
	[CHAN_CHALLENGE] = "unfinished",
};

/* Of refusals: what each one is to those who count them. */
static const char *const guesses[] = {
	[GUESS_NEW] = "new", [GUESS_AGAIN] = "again", [GUESS_OWNER] = "owner",
};

/*
 * rip comes first, and everything that a client chose is quoted so that it has
 * neither space nor `=`: a name such as "x rip=10.0.0.1" bans nobody.
 */
void
report_attempt(const struct conn *c, const struct attempt *a, bool tls)
{
	char rip[NETADDR_TEXT_MAX], lip[NETADDR_TEXT_MAX];
	char proxy[NETADDR_TEXT_MAX] = "-";
	int level = a->result == CHAN_UNAVAILABLE ? LOG_ERR : LOG_INFO;

	netaddr_text(&c->remote, rip);
	netaddr_text(&c->local, lip);
	if (c->proxy.family != 0)
		netaddr_text(&c->proxy, proxy);
	log_line(level, "login: rip=%s lip=%s user=%s proto=%s result=%s guess=%s "
	    "tls=%s via=%s proxy=%s session=%s why=\"%s\" said=%s as=%s", rip, lip,
	    log_quote(bytes_of(a->name)), service_facts[c->service].name,
	    results[a->result],
	    a->result == CHAN_REFUSED ? guesses[a->delay.guess.kind] : "-",
	    tls ? "yes" : "no", log_quote(a->via), proxy, c->session,
	    a->why == NULL ? "" : a->why, log_quote(buf_contents(&a->said)),
	    a->target[0] != '\0' ? log_quote(bytes_of(a->target)) : "-");
}
