#!/bin/sh
# What `make run` does after `make install`: the service user, a certificate,
# the running server. Each is made only when it is missing.
#
# Environment: SBINDIR SYSCONFDIR; IMAP IMAPS POP3 POP3S: ports, or address:port.
set -eu

: "${SBINDIR:=/usr/local/sbin}" "${SYSCONFDIR:=/etc}"
user=_mailreeve
config=$SYSCONFDIR/mailreeve.conf
cert=$SYSCONFDIR/mailreeve/tls
run_config=/run/mailreeve-run.conf
log=/var/log/mailreeve.log

die() {
	echo "make run: $*" >&2
	exit 1
}

make_user() {
	id "$user" > /dev/null 2>&1 || useradd --system --user-group --no-create-home \
	    --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
}

make_certificate() {
	test ! -e "$cert.key" || return 0
	mkdir -p "${cert%/*}"
	name=$(hostname -f 2> /dev/null || hostname 2> /dev/null || echo localhost)
	(
		umask 077
		openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		    -days 3650 -subj "/CN=$name" \
		    -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
		    -keyout "$cert.key" -out "$cert.crt" 2> /dev/null
	) || die "openssl could not make a certificate"
	chmod 644 "$cert.crt"
	echo "made a self-signed certificate: $cert.crt"
}

# listen VALUE: what the configuration calls it.
listen() {
	case $1 in
	*:*) echo "$1" ;;
	*) echo "*:$1" ;;
	esac
}

# Ports asked for: a copy of the configuration with them behind it, for later
# lines win. Sets `with`, the arguments for mailreeved.
settings() {
	with=
	test -n "${IMAP:-}${IMAPS:-}${POP3:-}${POP3S:-}" || return 0
	{
		test ! -e "$config" || cat "$config"
		test -z "${IMAP:-}" || echo "imap-listen $(listen "$IMAP")"
		test -z "${IMAPS:-}" || echo "imaps-listen $(listen "$IMAPS")"
		test -z "${POP3:-}" || echo "pop3-listen $(listen "$POP3")"
		test -z "${POP3S:-}" || echo "pop3s-listen $(listen "$POP3S")"
	} > "$run_config"
	with="-c $run_config"
}

# What the server will take a keyword of the configuration to be.
setting() {
	# shellcheck disable=SC2086
	"$SBINDIR/mailreeved" -C $with | awk -v k="$1" '$1 == k { print $2 }'
}

running() {
	test -s "$pid_file" && kill -0 "$(cat "$pid_file")" 2> /dev/null
}

stop_old() {
	running || return 0
	echo "stopping the one that runs"
	old=$(cat "$pid_file")
	kill "$old"
	for _ in $(seq 150); do		# it takes its pid file away when it ends
		running || return 0
		sleep 0.1
	done
	die "process $old does not end"
}

start() {
	touch "$log" && chmod 640 "$log"
	# shellcheck disable=SC2086
	"$SBINDIR/mailreeved" $with >> "$log" 2>&1 ||
	    die "$SBINDIR/mailreeved did not start:
$(tail -5 "$log")"
}

example_user() {
	awk -F: '$3 >= 1000 && $3 < 60000 { print $1; exit }' /etc/passwd
}

port() {
	value=$(setting "$1-listen")
	echo "${value##*:}"
}

say_how() {
	who=$(example_user)
	cat << END

Mailreeve is running: IMAP $(port imap), POP3 $(port pop3), with TLS $(port imaps) and $(port pop3s).
Process $(cat "$pid_file"); log: syslog, else $log.

Any account of this machine with a password and a uid from 1000 may log in.
END
	test -n "$who" || cat << END
There is none yet:

  useradd -m ann && passwd ann
END
	cat << END
Try it, with ${who:-ann}'s password:

  openssl s_client -quiet -connect localhost:$(port imaps)
  a1 LOGIN ${who:-ann} password
  a2 SELECT INBOX
  a3 LOGOUT

  openssl s_client -quiet -connect localhost:$(port pop3s)
  USER ${who:-ann}
  PASS password
  STAT
  QUIT

Stop it: kill \$(cat $pid_file)
END
}

test "$(id -u)" = 0 || die "needs root: it makes a user and opens ports under 1024"
make_user
make_certificate
settings
pid_file=$(setting pid-file) || die "see above"
stop_old
start
say_how
