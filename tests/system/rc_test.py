#!/usr/bin/env python3
"""The scripts of rc/ for OpenRC and FreeBSD: run, not only read. OpenRC is Debian's;
rc.subr is a stand-in that does what FreeBSD's does with the variables we set."""
import shutil

import lib
from lib import *

RC = "/usr/local/share/mailreeve/rc"
OPENRC = os.path.join(lib.TOP, ".cache", "openrc")
PID_FILE = "/run/mailreeved.pid"


def works():
    """The daemon serves, and its pid file names it: the pid."""
    who = user("rc")
    c = wire.imap(993, tls=True)
    c.login(who.name, who.password)
    c.logout()
    with open(PID_FILE) as f:
        pid = int(f.read())
    assert pid in processes("mailreeved")
    return pid


def prepared():
    configure()
    if not os.path.exists("/etc/mailreeve/tls.key"):
        certificate()


def good_and_bad_reload(reload):
    """A bad configuration is refused and changes nothing; a good one is taken."""
    pid = works()
    configure(login_timeout="31s")
    mark = log.mark()
    reload(ok=(0,))
    log.wait("configuration read again", mark)
    with open(CONFIG, "a") as f:
        f.write("nonsense 1\n")
    mark = log.mark()
    reload(ok=(1, 78))
    assert works() == pid
    assert not log.find("configuration read again", mark)
    configure()
    return pid


def gone():
    wait_for(lambda: not processes("mailreeved") and not os.path.exists(PID_FILE),
             "the daemon to end")


# ---- OpenRC -----------------------------------------------------------------------------

openrc_is_there = []


def openrc(*words, ok=(0,)):
    return run("/usr/sbin/rc-service", "mailreeve", *words, ok=ok, timeout=120,
               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"})


def install_openrc():
    if not os.path.isdir(OPENRC):
        raise Skip(".cache/openrc is missing: tests/fetch.sh")
    if openrc_is_there:
        return
    openrc_is_there.append(True)
    for path in ("/usr/lib", "/usr/sbin"):
        lib.overlay(path)
    for path in ("lib", "sbin"):
        run("cp", "-a", OPENRC + "/" + path + "/.", "/usr/" + path)
    run("cp", "-a", OPENRC + "/etc/rc.conf", "/etc/rc.conf")
    os.makedirs("/etc/runlevels/default", exist_ok=True)
    os.makedirs("/etc/init.d", exist_ok=True)
    for name in ("localmount", "net", "logger", "dns", "firewall"):
        with open("/etc/init.d/" + name, "w") as f:
            f.write("#!/sbin/openrc-run\nstart() { :; }\n")
        os.chmod("/etc/init.d/" + name, 0o755)
    shutil.copy(RC + "/openrc/mailreeve", "/etc/init.d/mailreeve")
    os.chmod("/etc/init.d/mailreeve", 0o755)
    for name in ("started", "starting", "stopping", "stopped", "inactive", "failed", "daemons",
                 "options", "exclusive", "scheduled", "wasinactive", "hotplugged", "tmp"):
        os.makedirs("/run/openrc/" + name, exist_ok=True)
    with open("/run/openrc/softlevel", "w") as f:
        f.write("default\n")


def test_openrc():
    install_openrc()
    prepared()
    openrc("start")
    pid = works()
    assert "started" in openrc("status")
    good_and_bad_reload(lambda ok: openrc("reload", ok=ok))
    openrc("restart")
    assert works() != pid
    pid = works()
    with open(CONFIG, "a") as f:
        f.write("nonsense 1\n")
    openrc("restart", ok=(1,))
    assert works() == pid, "a bad configuration stopped the server"
    configure()
    openrc("stop")
    gone()
    assert "stopped" in openrc("status", ok=(3,))


def test_openrc_does_not_start_a_bad_configuration():
    install_openrc()
    prepared()
    with open(CONFIG, "a") as f:
        f.write("nonsense 1\n")
    assert "unknown keyword" in openrc("start", ok=(1,))
    assert not processes("mailreeved")
    configure()


# ---- FreeBSD -----------------------------------------------------------------------------

RC_SUBR = r"""
# What rc.subr(8) documents of the variables that our script sets, and no more.
load_rc_config() { test ! -e /etc/rc.conf.test || . /etc/rc.conf.test; }

checkyesno() { eval "case \$$1 in [Yy][Ee][Ss]|[Tt][Rr][Uu][Ee]|[Oo][Nn]|1) return 0 ;; esac"; return 1; }

check_pidfile() {	# check_pidfile FILE PROCNAME: the pid when that program has it
	test -s "$1" || return 0
	read -r p < "$1"
	test "$(readlink "/proc/$p/exe")" = "$2" && echo "$p"
	return 0
}

run_rc_command() {
	arg=$1 force=
	case $arg in one*) force=yes arg=${arg#one} ;; esac
	case " start stop restart status rcvar $extra_commands " in
	*" $arg "*) ;;
	*) echo "usage: $0 start|stop|restart|status|$extra_commands" >&2; return 1 ;;
	esac
	test -n "$force" || checkyesno "$rcvar" || test "$arg" = stop || {
		echo "Cannot '$arg' $name. Set $rcvar to YES in /etc/rc.conf"; return 1; }
	rc_pid=$(check_pidfile "$pidfile" "$procname")
	eval "pre=\${${arg}_precmd:-} own=\${${arg}_cmd:-}"
	test -z "$pre" || "$pre" || return 1
	if test -n "$own"; then "$own"; return; fi
	case $arg in
	start)
		test -z "$rc_pid" || { echo "$name already running?"; return 1; }
		"$command" ${command_args:-} ;;
	stop)
		test -n "$rc_pid" || { echo "$name not running?"; return 1; }
		kill -TERM "$rc_pid"
		while kill -0 "$rc_pid" 2> /dev/null; do sleep 0.1; done ;;
	reload)
		test -n "$rc_pid" || { echo "$name not running?"; return 1; }
		kill -HUP "$rc_pid" ;;
	restart)
		(run_rc_command onestop) ; (run_rc_command onestart) ;;
	status)
		test -n "$rc_pid" && echo "$name is running as pid $rc_pid." ||
		    { echo "$name is not running."; return 1; } ;;
	esac
}
"""


def freebsd(*words, ok=(0,)):
    return run("sh", "-u", "/etc/rc.d/mailreeve", *words, ok=ok)


def install_freebsd(enabled="YES"):
    os.makedirs("/etc/rc.d", exist_ok=True)
    run("ln", "-sfn", "/run", "/var/run")
    shutil.copy(RC + "/freebsd/mailreeve", "/etc/rc.d/mailreeve")
    with open("/etc/rc.subr", "w") as f:
        f.write(RC_SUBR)
    with open("/etc/rc.conf.test", "w") as f:
        f.write("mailreeve_enable=%s\n" % enabled)


def test_freebsd():
    install_freebsd()
    prepared()
    freebsd("start")
    pid = works()
    assert "pid %d" % pid in freebsd("status")
    good_and_bad_reload(lambda ok: freebsd("reload", ok=ok))
    assert "good" in freebsd("configtest")
    freebsd("restart")
    assert works() != pid
    freebsd("stop")
    gone()
    freebsd("status", ok=(1,))


def test_freebsd_starts_nothing_that_it_should_not():
    install_freebsd(enabled="NO")
    prepared()
    assert "mailreeve_enable" in freebsd("start", ok=(1,))
    freebsd("onestart")
    pid = works()
    with open(CONFIG, "a") as f:
        f.write("nonsense 1\n")
    freebsd("onerestart", ok=(1,))
    assert works() == pid, "a bad configuration stopped the server"
    freebsd("stop")
    gone()
    assert "unknown keyword" in freebsd("onestart", ok=(1,))
    assert not processes("mailreeved")
    configure()


main(__name__)
