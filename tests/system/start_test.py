#!/usr/bin/env python3
"""Every way to be started: real inetds, socket activation, UCSPI, by hand, daemon."""
from lib import *

CACHE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                     ".cache", "deb")
CONN = LIBEXEC + "/conn"
SERVICES = ("imap", "imaps", "pop3", "pop3s")


def program(package, path):
    full = os.path.join(CACHE, package, path)
    if not os.path.exists(full):
        raise Skip(".cache/deb/%s is missing: tests/fetch.sh" % package)
    library = os.path.join(CACHE, "libwrap0", "usr/lib/x86_64-linux-gnu")
    return ["env", "LD_LIBRARY_PATH=" + library, full]


class Started(Server):
    """A server that something else starts: command is what that is."""

    def __init__(self, command, wait=SERVICES, **settings):
        super().__init__(wait=wait, **settings)
        self.command = command

    def __exit__(self, *what):
        """A master that was started with the sockets would serve the next test with them."""
        super().__exit__(*what)
        for pid in processes("mailreeved"):
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(listens(port) for port in PORTS.values()), "free ports")


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def inetd_lines(nowait=True):
    """The lines of rc/inetd.conf; the others of them are commented out."""
    with open("/usr/local/share/mailreeve/rc/inetd.conf") as f:
        lines = [line.lstrip("#") for line in f if re.match(r"#?(imap|pop3)s?\t", line)]
    wanted = [line for line in lines if ("\tnowait" in line) == nowait]
    assert len(wanted) == 4, lines
    return "".join(wanted)


def everything_works(server, times=3):
    """Both protocols, with TLS from the start and later, again and again."""
    who = user("start")
    for _ in range(times):
        server.imap_login(who, tls=True).logout()
        server.imap_login(who, tls="starttls").logout()
        server.pop3_login(who, tls=True).quit()
        server.pop3_login(who, tls="starttls").quit()
        server.imap_login(who, tls=False).logout()
        server.pop3_login(who, tls=False).quit()
    wait_for(lambda: not processes("imap") and not processes("pop3"), "the sessions to end")


def several_at_once(server, n=20):
    who = user("many")
    crowd = [server.imap_login(who) for _ in range(n)]
    for c in crowd:
        c.ok("NOOP")
    for c in crowd:
        c.logout()


def nothing_but_the_protocol(server):
    """Descriptor 2 was the socket: a line of conn's or login's log would be seen."""
    c = server.imap(tls=False)
    c.command("LOGIN nobodyhere wrong")
    c.command("NONSENSE")
    c.close()


# ---- inetds ----------------------------------------------------------------------

def openbsd(lines):
    return program("openbsd-inetd", "usr/sbin/inetd") + [
        "-i", "-R", "0", write(SCRATCH + "/openbsd.conf", lines)]


def inetutils(lines):
    return program("inetutils-inetd", "usr/sbin/inetutils-inetd") + [
        "-d", write(SCRATCH + "/inetutils.conf", lines)]


def test_openbsd_inetd_nowait():
    with Started(openbsd(inetd_lines())) as server:
        everything_works(server)
        several_at_once(server)
        nothing_but_the_protocol(server)


def test_openbsd_inetd_wait():
    with Started(openbsd(inetd_lines(False))) as server:
        everything_works(server)
        several_at_once(server)
        assert len(processes("mailreeved")) == 4
        wait_for(lambda: not processes("mailreeved"), "idle masters to end", 30)
        everything_works(server, 1)


def test_inetutils_inetd_nowait():
    with Started(inetutils(inetd_lines())) as server:
        everything_works(server)
        several_at_once(server)
        nothing_but_the_protocol(server)
        c = server.imap_login(user("leak"))
        session = wait_for(lambda: list(processes("imap")), "the session")[0]
        left = set(os.listdir("/proc/%d/fd" % session))
        assert not {n for n in left if int(n) > 200}, "inetutils' descriptors leaked: %s" % left
        c.logout()


def test_inetutils_inetd_wait():
    with Started(inetutils(inetd_lines(False))) as server:
        everything_works(server)
        several_at_once(server)


def test_xinetd():
    parts = []
    for name in SERVICES:
        with open("/usr/local/share/mailreeve/rc/xinetd.d/mailreeve-" + name) as f:
            parts.append(f.read())
    # The real xinetd reads /etc/services for the ports.
    conf = write(SCRATCH + "/xinetd.conf", "defaults\n{\n}\n" + "".join(parts))
    with Started(program("xinetd", "usr/sbin/xinetd") + [
            "-dontfork", "-f", conf, "-pidfile", SCRATCH + "/xinetd.pid"]) as server:
        everything_works(server)
        several_at_once(server)
        nothing_but_the_protocol(server)


# ---- systemd-socket-activate -------------------------------------------------------

def activate(*options):
    return need("systemd-socket-activate") + [o for o in options]


def listening():
    return [o for name in SERVICES for o in ("-l", "127.0.0.1:%d" % PORTS[name])]


def test_socket_activation_names_from_ports():
    command = activate(*listening(), MAILREEVED, "-f")
    with Started(command) as server:
        everything_works(server)
        several_at_once(server)


def test_socket_activation_with_names():
    ports = {"imap": 2143, "pop3s": 2995}
    command = activate("-l", "127.0.0.1:2143", "-l", "127.0.0.1:2995", "--fdname=imap:pop3s",
                       MAILREEVED, "-f")
    with Started(command, wait=()):
        wait_for(lambda: can_connect(2143), "the socket")
        assert wire.imap(ports["imap"]).ok("NOOP") is not None
        p = wire.pop3(ports["pop3s"], tls=True)
        p.ok("CAPA", multi=True)


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def test_socket_activation_without_known_names():
    command = activate("-l", "127.0.0.1:2143", MAILREEVED, "-f")
    mark = log.mark()
    with Started(command, wait=()):
        wait_for(lambda: can_connect(2143), "the socket")
        log.wait("neither a known name nor a known port", mark)


def accept_mode(*options):
    """One process for each connection; one service each."""
    for name, check in (("imap", lambda s: s.imap(tls=False).logout()),
                        ("pop3", lambda s: s.pop3(tls=False).quit()),
                        ("imaps", lambda s: s.imap(tls=True).logout())):
        command = activate("-l", "127.0.0.1:%d" % PORTS[name], "--accept", *options, CONN, name)
        with Started(command, wait=(name,)) as server:
            check(server)
            check(server)


def test_socket_activation_accept_as_inetd():
    accept_mode("--inetd")


def test_socket_activation_accept_descriptor_3():
    accept_mode()


# ---- UCSPI -------------------------------------------------------------------------

UCSPI = """
import os, signal, socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    c, peer = s.accept()
    if os.fork() == 0:
        os.dup2(c.fileno(), 0)
        os.dup2(c.fileno(), 1)
        env = dict(os.environ, PROTO="TCP", TCPREMOTEIP="203.0.113.9", TCPREMOTEPORT="1",
                   TCPREMOTEINFO="root", TCPLOCALIP="203.0.113.8", TCPLOCALPORT="2")
        os.execve(sys.argv[2], sys.argv[2:], env)
    c.close()
"""


def test_ucspi():
    """As tcpserver does; what it says of the peer is not believed."""
    who = user("ucspi")
    command = [sys.executable, "-c", UCSPI, "143", CONN, "imap"]
    with Started(command, wait=("imap",)) as server:
        mark = log.mark()
        server.imap_login(who, tls=False).logout()
        line = log.wait("login: ", mark)
        assert "rip=127.0.0.1 lip=127.0.0.1 " in line, line


def ucspi(**settings):
    return Started([sys.executable, "-c", UCSPI, "993", CONN, "imaps"], wait=("imaps",), **settings)


def session_and_login():
    return [list(processes(name))[0] for name in ("imap", "login")]


def with_a_stopped_relay(server, who):
    """A connection, its session, and its login that hears nothing."""
    c = server.imap_login(who)
    session, login = session_and_login()
    os.kill(login, signal.SIGSTOP)
    return c, session, login


def gone(pid):
    return lambda: pid not in processes()


def test_a_relay_does_not_outlive_a_session_that_is_killed():
    """Also one that hears nothing any more, and whose parent was its user's."""
    who = user("leash")
    for settings in ({}, {"pam_session": "yes"}):
        with ucspi(**settings) as server:
            c, session, login = with_a_stopped_relay(server, who)
            os.kill(session, signal.SIGKILL)
            wait_for(gone(login), "its login to be killed")
            c.close()


def test_conn_that_is_killed_takes_its_login_along():
    with ucspi() as server:
        c = server.imap()
        conn, login = list(processes("conn"))[0], list(processes("login"))[0]
        os.kill(login, signal.SIGSTOP)
        os.kill(conn, signal.SIGKILL)
        wait_for(gone(login), "login to be killed")
        c.close()


def test_a_relay_that_hears_nothing_is_waited_for_and_killed():
    who = user("waits")
    with ucspi(write_timeout="1s") as server:
        c, session, login = with_a_stopped_relay(server, who)
        mark = log.mark()
        os.kill(session, signal.SIGTERM)
        log.wait("logout: ", mark)
        assert {session, login} <= set(processes()), "it has the last words"
        log.wait("login does not end: killed user=%s " % who.name, mark, 60)
        wait_for(gone(login), "its login to be killed")
        c.close()


def test_a_relay_that_is_slow_still_brings_the_last_words():
    """It hears of the end of its session long after that has nothing more to say."""
    who = user("last")
    for settings in ({}, {"pam_session": "yes"}):
        with ucspi(**settings) as server:
            c, session, login = with_a_stopped_relay(server, who)
            mark = log.mark()
            os.kill(session, signal.SIGTERM)
            log.wait("logout: ", mark)
            os.kill(login, signal.SIGCONT)
            assert c.response().startswith(b"* BYE"), "the reason why"
            assert not c.fill()
            wait_for(gone(session), "the session to end")
            wait_for(gone(login), "its login to end")
            assert not log.find("does not end", mark)
            # a session that cannot begin says so
            os.rename(LIBEXEC + "/imap", LIBEXEC + "/imap.away")
            try:
                c = server.imap()
                c.send(b"a1 LOGIN %s %s\r\n" % (who.name.encode(), who.password.encode()))
                assert c.response().startswith(b"* BYE [UNAVAILABLE]")
                assert not c.fill()
            finally:
                os.rename(LIBEXEC + "/imap.away", LIBEXEC + "/imap")
            wait_for(lambda: not processes("login"), "login to end")


def test_descriptors_of_a_session_that_sees_to_its_relay():
    """Three more than else, none of which it could use for anything; and no more."""
    who = user("fds")
    with ucspi() as server:
        c = server.imap_login(who)
        session, login = session_and_login()
        base = "/proc/%d/fd/" % session
        fds = {int(n): os.readlink(base + n) for n in os.listdir(base)}
        assert "pidfd" in fds[5] and fds[6].startswith("socket:") and \
            fds[7].startswith("socket:"), fds
        others = [os.readlink("/proc/%d/fd/%s" % (login, n))
                  for n in os.listdir("/proc/%d/fd" % login)]
        assert not {fds[5], fds[6], fds[7]} & set(others) - {"anon_inode:[pidfd]"}, others
        c.logout()
        wait_for(gone(login), "login to end")


def test_signals_that_a_starter_ignores():
    """conn is killed by what kills a process, and waits for its children."""
    who = user("ignored")
    command = ["sh", "-c", "trap '' TERM PIPE CHLD HUP ALRM; exec \"$@\"", "sh",
               sys.executable, "-c", UCSPI, "143", CONN, "imap"]
    with Started(command, wait=("imap",)) as server:
        c = server.imap_login(who, tls=False)
        pid = list(processes("imap"))[0]
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not processes("imap"), "the session to end")
        c.close()
        server.process.kill()
        server.process.wait()


# ---- wrong ways ----------------------------------------------------------------------

def test_conn_without_a_client():
    for stdin in (subprocess.DEVNULL, subprocess.PIPE):
        mark = log.mark()
        done = subprocess.run([CONN, "imap"], stdin=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        assert done.returncode == 64 and done.stdout == b"", done
        log.wait("standard input is no connected socket", mark)


def test_conn_with_a_listening_socket():
    with socket.create_server(("127.0.0.1", 2143)) as s:
        mark = log.mark()
        done = subprocess.run([CONN, "imap"], stdin=s.fileno(), stdout=s.fileno())
        assert done.returncode == 64
        log.wait("no connected socket", mark)


def test_conn_with_a_wrong_service():
    for arguments in ([], ["smtp"], ["imap", "extra"]):
        done = subprocess.run([CONN] + arguments, stdin=subprocess.DEVNULL)
        assert done.returncode == 64, arguments


def test_sessions_are_not_for_the_network():
    """PREAUTH goes to who started the program, never to who connected."""
    who = user("preauth")
    for name in ("imap", "pop3"):
        with socket.create_server(("127.0.0.1", 2143)) as listener:
            client = socket.create_connection(("127.0.0.1", 2143), wire.TIMEOUT)
            served, _ = listener.accept()
            mark = log.mark()
            for env in ({}, {"MAILREEVE_TAG": "a"}):
                done = subprocess.run([LIBEXEC + "/" + name], stdin=served, stdout=served,
                                      stderr=subprocess.DEVNULL, user=who.uid, group=who.gid,
                                      extra_groups=[], env=dict(HOME=who.home, LOGNAME=who.name, **env))
                assert done.returncode == 67, done
            served.close()
            client.settimeout(wire.TIMEOUT)
            assert client.recv(100) == b"", "it spoke"
            client.close()
            log.wait("standard input is a network connection", mark)
    assert not os.path.exists(who.maildir)


def test_master_with_a_connected_socket():
    a, b = socket.socketpair()
    mark = log.mark()
    done = subprocess.run([MAILREEVED, "-f", "-i", "imap"], stdin=a.fileno())
    assert done.returncode == 64
    log.wait("is no listening socket", mark)
    a.close()
    b.close()


# ---- the daemon ------------------------------------------------------------------------

def test_daemon_and_its_pid_file():
    who = user("daemon")
    configure()
    if not os.path.exists("/etc/mailreeve/tls.key"):
        certificate()
    run(MAILREEVED)
    with open("/run/mailreeved.pid") as f:
        pid = int(f.read())
    try:
        # It returned when it was ready: no waiting here.
        wire.imap(993, tls=True).login(who.name, who.password)
        assert os.stat("/run/mailreeved.pid").st_mode & 0o777 == 0o644
        with open("/proc/%d/stat" % pid) as f:
            ppid, _, session = f.read().rsplit(")", 1)[1].split()[1:4]
        assert session == str(pid), "it did not leave our session"
        second = subprocess.run([MAILREEVED])
        assert second.returncode == 69
        log.wait("Address already in use|running already")
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists("/proc/%d" % pid), "the daemon to end", 30)
    assert not os.path.exists("/run/mailreeved.pid")


def test_pid_file_is_locked():
    configure(imap_listen="127.0.0.1:2143", imaps_listen="none", pop3_listen="none",
              pop3s_listen="none")
    run(MAILREEVED)
    with open("/run/mailreeved.pid") as f:
        pid = int(f.read())
    try:
        configure(imap_listen="127.0.0.1:2144", imaps_listen="none", pop3_listen="none",
                  pop3s_listen="none")
        mark = log.mark()
        assert subprocess.run([MAILREEVED]).returncode == 69
        log.wait("mailreeved is running already", mark)
        with open("/run/mailreeved.pid") as f:
            assert int(f.read()) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists("/proc/%d" % pid), "the daemon to end", 30)


def test_readiness_is_notified():
    path = SCRATCH + "/notify"
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(wire.TIMEOUT)
    server = Server()
    server.command = ["env", "NOTIFY_SOCKET=" + path, MAILREEVED, "-f"]
    with server:
        assert b"READY=1" in s.recv(4096)
        server.reload()
        assert b"RELOADING=1" in s.recv(4096)
        assert b"READY=1" in s.recv(4096)
    assert b"STOPPING=1" in s.recv(4096)
    s.close()
    os.unlink(path)


main(__name__)
