#!/bin/sh
# Fetch what tests need and what Debian will not install side by side, into .cache:
#	.cache/deb/NAME		the files of a package, not installed
#	.cache/debian		a minimal Debian 12 with systemd
# With the argument `bench` only Dovecot, to be measured against.
# Prints TAP. What is there already is kept.
set -u
cd "$(dirname "$0")/.." || exit 1
cache=$PWD/.cache
mkdir -p "$cache/deb"
number=0

point() {		# point STATUS NAME [WHY]
	number=$((number + 1))
	case $1 in
	0) echo "ok $number - $2" ;;
	skip) echo "ok $number - $2 # SKIP $3" ;;
	*) echo "not ok $number - $2" ;;
	esac
}

fetch_deb() (
	test -d "$cache/deb/$1" && exit 0
	work=$(mktemp -d "$cache/deb/.XXXXXX") && cd "$work" || exit 1
	# apt's own user cannot write here and says so.
	apt-get -qq -o APT::Sandbox::User=root download "$1" >&2 &&
	    dpkg -x "$1"_*.deb files && mv files "$cache/deb/$1"
	status=$?
	rm -rf "$work"
	exit $status
)

fetch_group() (		# fetch_group NAME PACKAGE...: several in one tree
	name=$1
	shift
	test -d "$cache/$name" && exit 0
	work=$(mktemp -d "$cache/.XXXXXX") && cd "$work" || exit 1
	apt-get -qq -o APT::Sandbox::User=root download "$@" >&2 &&
	    for f in *.deb; do dpkg -x "$f" files || exit 1; done &&
	    mv files "$cache/$name"
	status=$?
	rm -rf "$work"
	exit $status
)

fetch_npm() (
	test -d "$cache/npm/node_modules/$1" && exit 0
	mkdir -p "$cache/npm" && cd "$cache/npm" &&
	    npm install --silent --no-audit --no-fund "$1@$2" >&2
)

mirror() {
	sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1 |
	    grep . || echo http://deb.debian.org/debian
}

copy_apt() {		# the machine's own way to the archive
	tree=$1
	if test -e /etc/apt/sources.list.d/debian.sources; then
		rm -f "$tree/etc/apt/sources.list"
		cp /etc/apt/sources.list.d/debian.sources "$tree/etc/apt/sources.list.d/"
	fi
	for f in /etc/apt/apt.conf.d/99*; do
		test -e "$f" && cp "$f" "$tree/etc/apt/apt.conf.d/"
	done
	mkdir -p "$tree/usr/local/share/ca-certificates"
	cp -a /usr/local/share/ca-certificates/. "$tree/usr/local/share/ca-certificates/"
	cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
}

fetch_debian() {
	test -d "$cache/debian" && return 0
	rm -rf "$cache/debian.new"
	debootstrap --variant=minbase --include=systemd-sysv,dbus,ca-certificates \
	    bookworm "$cache/debian.new" "$(mirror)" > "$cache/debootstrap.log" 2>&1 || {
		tail -5 "$cache/debootstrap.log" | sed 's/^/# /'
		return 1
	}
	copy_apt "$cache/debian.new"
	printf '#!/bin/sh\nexit 101\n' > "$cache/debian.new/usr/sbin/policy-rc.d"
	chmod 755 "$cache/debian.new/usr/sbin/policy-rc.d"
	rm -rf "$cache/debian.new/var/cache/apt/archives/"*.deb
	mv "$cache/debian.new" "$cache/debian"
}

if test "${1:-}" = bench; then
	set -- dovecot-core dovecot-imapd dovecot-pop3d libexttextcat-2.0-0 \
	    libexttextcat-data liblua5.4-0 libwrap0
	echo "1..$#"
	for package; do
		fetch_deb "$package"
		point $? "fetch $package"
	done
	exit 0
fi

echo 1..10
for package in openbsd-inetd inetutils-inetd xinetd libwrap0; do
	if command -v apt-get > /dev/null; then
		fetch_deb $package
		point $? "fetch $package"
	else
		point skip "fetch $package" "no apt-get"
	fi
done
fetch_group courier courier-imap courier-pop courier-base courier-authlib \
    courier-authlib-userdb libcourier-unicode4 gamin libgamin0
point $? "fetch Courier"
fetch_group openrc openrc librc1 libeinfo1
point $? "fetch OpenRC"
fetch_group mda procmail maildrop courier-authlib libcourier-unicode4 libgdbm6 libpcre3
point $? "fetch procmail and maildrop"
fetch_group moosefs moosefs-master moosefs-chunkserver moosefs-client moosefs-common libmfsio1 \
    libfuse3-3 fuse3
point $? "fetch MooseFS"
if command -v npm > /dev/null; then
	fetch_npm imapflow 1
	point $? "fetch imapflow"
else
	point skip "fetch imapflow" "no npm"
fi
if test "$(id -u)" != 0 || ! command -v debootstrap > /dev/null; then
	point skip "fetch a clean Debian" "needs root and debootstrap"
else
	fetch_debian
	point $? "fetch a clean Debian"
fi
