#!/usr/bin/env python3
"""mailreeved: limits and what refused clients hear, reload, drain, dying children, want."""
import contextlib
import errno
import resource
import struct

from lib import *

TOO_MANY = b"* BYE [UNAVAILABLE] Too many connections"


def quiet(port=143, address="127.0.0.1", source=None):
    return socket.create_connection((address, port), wire.TIMEOUT,
                                    source_address=(source, 0) if source else None)


def admitted(source):
    """A connection that is greeted, or None."""
    s = quiet(source=source)
    if first_line(s).startswith(b"* OK"):
        return s
    s.close()
    return None


def first_line(s):
    s.settimeout(wire.TIMEOUT)
    data = b""
    while not data.endswith(b"\n"):
        more = s.recv(1000)
        if not more:
            break
        data += more
    return data


def hold(n, *args, **how):
    """n connections that have been greeted."""
    held = [quiet(*args, **how) for _ in range(n)]
    for s in held:
        line = first_line(s)
        assert line.startswith((b"* OK", b"+OK")), line
    return held


def close(connections):
    for s in connections:
        s.close()


def conns():
    return len(processes("conn"))


# ---- limits ----------------------------------------------------------------------

def test_limit_of_all():
    with Server(max_connections=5, spare_connections=0):
        held = hold(5)
        assert first_line(quiet(143)).startswith(TOO_MANY)
        assert first_line(quiet(110)).startswith(b"-ERR [SYS/TEMP] Too many connections")
        assert first_line(quiet(993)) == b"", "a TLS client cannot read our text"
        log.wait('turned away: rip=127.0.0.1 proto=pop3 why="max-connections reached"')
        held.pop().close()
        wait_for(lambda: first_line(quiet()).startswith(b"* OK"), "room for one more")
        close(held)


def test_limit_of_an_address():
    with Server(max_connections_per_address=3):
        held = hold(3)
        assert b"from your address" in first_line(quiet())
        held += hold(3, source="127.0.0.2")
        assert b"from your address" in first_line(quiet(source="127.0.0.2"))
        close(held)


def test_limit_of_an_ipv6_network():
    """A /64 is one client."""
    for address in ("2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:2::1"):
        run("ip", "-6", "addr", "add", address + "/128", "dev", "lo", "nodad")
    with Server(max_connections_per_address=2):
        held = hold(1, address="::1", source="2001:db8:1:1::1")
        held += hold(1, address="::1", source="2001:db8:1:1::2")
        assert b"from your address" in first_line(quiet(address="::1",
                                                        source="2001:db8:1:1::2"))
        held += hold(1, address="::1", source="2001:db8:1:2::1")
        close(held)


def idle_at_least(c, seconds):
    """Until the kernel has seen nothing on this connection for so long."""
    def idle():
        raw = c.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        sent, received = struct.unpack_from("=I", raw, 44)[0], struct.unpack_from("=I", raw, 52)[0]
        return min(sent, received) >= seconds * 1000
    wait_for(idle, "a connection to be idle")


def test_the_newest_connection_of_a_user_wins():
    who, other = user("limited"), user("other")
    for session in ("no", "yes"):
        with Server(max_connections_per_user=2, pam_session=session) as server:
            mark = log.mark()
            first, second = server.imap_login(who), server.imap_login(who, tls=False)
            bystander = server.imap_login(other)
            idle_at_least(second, 0.2)
            first.ok("NOOP")                            # the older one is busier
            third = server.imap_login(who)
            bye = second.response()
            assert bye.startswith(b"* BYE [UNAVAILABLE] "), bye
            second.expect_eof()
            log.wait("made way: rip=127.0.0.1 uid=%d idle=" % who.uid, mark)
            log.wait("logout: .*user=%s .*reason=made-way " % who.name, mark)
            idle_at_least(first, 0.2)
            third.ok("NOOP")
            pop = server.pop3_login(who)
            bye = first.response()
            assert bye.startswith(b"* BYE [UNAVAILABLE] "), bye
            first.expect_eof()
            for c in (third, bystander):
                c.ok("NOOP")
            pop.ok("NOOP")
            third.logout()
            bystander.logout()
            pop.quit()


def test_idle_and_pop3_sessions_make_way():
    who = user("way")
    with Server(max_connections_per_user=1) as server:
        idling = server.imap_login(who)
        idling.ok("SELECT INBOX")
        idling.send(b"x IDLE\r\n")
        while not idling.line().startswith(b"+ "):
            pass
        pop = server.pop3_login(who)
        bye = idling.line()
        assert bye.startswith(b"* BYE [UNAVAILABLE] "), bye
        last = server.imap_login(who)
        answer = pop.response()
        assert answer.startswith(b"-ERR [SYS/TEMP] "), answer
        pop.expect_eof()
        last.logout()


def test_a_download_is_not_idle():
    who = user("busy")
    who.deliver(b"Subject: large\n\n" + b"x" * 70 * 100000)
    with Server(max_connections_per_user=2) as server:
        first = server.imap_login(who)
        first.ok("SELECT INBOX")
        first.send(b"x FETCH 1 BODY.PEEK[]\r\n")
        first.line()
        second = server.imap_login(who)
        idle_at_least(second, 0.3)
        first.fill()                                    # some of it: the server goes on sending
        server.imap_login(who).logout()
        bye = second.response()
        assert bye.startswith(b"* BYE [UNAVAILABLE] "), bye
        first.timeout = 30
        while not first.line().startswith(b"x OK"):
            pass
        first.logout()


def test_a_crowd_of_one_user():
    who = user("crowd")
    with Server(max_connections_per_user=3) as server:
        crowd = [server.imap_login(who) for _ in range(12)]
        for c in crowd[:9]:
            assert c.response().startswith(b"* BYE [UNAVAILABLE] ")
        for c in crowd[9:]:
            c.logout()
        wait_for(lambda: not processes("imap"), "the sessions to end")


def test_a_crowd_that_comes_at_once():
    who = user("rush")
    for session in ("no", "yes"):
        with Server(max_connections_per_user=3, pam_session=session) as server:
            crowd = [server.imap() for _ in range(10)]
            for c in crowd:
                c.send(b"x LOGIN %s %s\r\n" % (who.name.encode(), who.password.encode()))
            for c in crowd:
                assert c.line().startswith(b"x OK"), c.record
            held = list(crowd)
            def stay():
                """Who was not told to go by now; being told takes a moment."""
                for c in list(held):
                    c.send(b"y NOOP\r\n")
                    word = c.line()
                    if not word.startswith(b"y OK"):
                        assert word.startswith(b"* BYE [UNAVAILABLE] "), c.record
                        held.remove(c)
                return len(held) <= 3
            wait_for(stay, "all but three to be told")
            assert len(held) == 3 and len(processes("imap")) >= 3, len(held)
            for c in held:
                c.logout()


def test_a_wrong_password_does_not_count():
    who = user("counted")
    with Server(max_connections_per_user=1) as server:
        c = server.imap()
        c.command("LOGIN %s wrong" % who.name)
        c.login(who.name, who.password)
        c.logout()
        wait_for(lambda: not processes("imap"), "it to end")
        server.imap_login(who).logout()


def test_trusted_proxies_count_as_their_clients():
    with Server(max_connections_per_address=2, trusted_proxies="127.0.0.9"):
        def proxied(client):
            s = quiet(source="127.0.0.9")
            s.sendall(b"PROXY TCP4 %s 10.0.0.1 1024 143\r\n" % client)
            return s
        held = [proxied(b"192.0.2.1") for _ in range(2)]
        assert all(first_line(s).startswith(b"* OK") for s in held)
        over = proxied(b"192.0.2.1")
        assert first_line(over).startswith(b"* BYE"), "a third connection of one client"
        another = proxied(b"192.0.2.2")
        assert first_line(another).startswith(b"* OK")
        close(held + [over, another])


# ---- reload ------------------------------------------------------------------------

def test_reload_changes_what_comes_after():
    who = user("reload")
    with Server() as server:
        before = server.imap_login(who)
        configure(imap_listen="127.0.0.1:143 127.0.0.1:2143", pop3_listen="none",
                  max_connections_per_address="3")
        mark = server.reload()
        log.wait("configuration read again", mark)
        held = hold(2, 2143)
        assert b"from your address" in first_line(quiet(2143))
        try:
            quiet(110)
            raise AssertionError("pop3 still listens")
        except ConnectionRefusedError:
            pass
        before.ok("NOOP")
        before.logout()
        close(held)


def test_reload_of_nonsense_changes_nothing():
    who = user("nonsense")
    with Server() as server:
        for line, said in (("colour blue", "mailreeve.conf:2: unknown keyword"),
                           ("service-user nobodyhere", "no such account"),
                           ("imap-listen 192.0.2.77:143", "Cannot assign requested address")):
            with open(CONFIG, "w") as f:
                f.write("max-connections-per-address 1\n%s\n" % line)
            mark = server.reload()
            assert said in log.wait("the old configuration stays", mark)
            close(hold(4))
            server.imap_login(who).logout()
            server.pop3_login(who).quit()
        os.unlink(CONFIG)
        mark = server.reload()
        log.wait("configuration read again", mark)


def test_reload_retires_spares():
    with Server(spare_connections=2) as server:
        old = set(wait_for(lambda: len(processes("conn")) == 2 and processes("conn"), "spares"))
        mark = server.reload()
        log.wait("configuration read again", mark)
        wait_for(lambda: conns() == 2 and not old & set(processes("conn")), "new spares")


def test_many_reloads_leak_nothing():
    def known():
        with open("/proc/%d/statm" % server.process.pid) as f:
            pages = int(f.read().split()[1])
        return pages, len(os.listdir("/proc/%d/fd" % server.process.pid))

    def reload(n):
        for _ in range(n):
            mark = server.reload()
            log.wait("configuration read again", mark)
        log.wait("keys read", mark)

    with Server(spare_connections=0) as server:
        reload(20)
        pages, fds = known()
        reload(100)
        more_pages, more_fds = known()
        # One more or less: the keys of the last may not have been read yet.
        assert abs(more_fds - fds) <= 2, "descriptors grow with every reload"
        assert more_pages - pages < 64 or SANITIZED, "memory grows with every reload"


# ---- drain -------------------------------------------------------------------------

def test_drain_gives_time_and_then_tells():
    who = user("drain")
    with Server(drain_timeout="1s") as server:
        c = server.imap_login(who)
        p = server.pop3_login(who)
        begun = time.monotonic()
        server.process.terminate()
        wait_for(lambda: not server_listens(143), "the port to close")
        c.ok("NOOP")
        p.ok("NOOP")
        bye = c.response()
        assert bye.startswith(b"* BYE"), bye
        assert time.monotonic() - begun >= 0.9
        assert server.process.wait(wire.TIMEOUT) == 0


def server_listens(port):
    try:
        quiet(port).close()
        return True
    except ConnectionError:
        return False


def test_drain_ends_when_the_last_one_leaves():
    who = user("last")
    with Server(drain_timeout="60s") as server:
        c = server.imap_login(who)
        server.process.terminate()
        wait_for(lambda: not server_listens(143), "the port to close")
        c.logout()
        assert server.process.wait(wire.TIMEOUT) == 0


def test_a_second_sigterm_hurries():
    who = user("hurry")
    with Server(drain_timeout="60s") as server:
        c = server.imap_login(who)
        server.process.terminate()
        wait_for(lambda: not server_listens(143), "the port to close")
        server.process.terminate()
        assert c.response().startswith(b"* BYE")
        assert server.process.wait(wire.TIMEOUT) == 0


def test_drain_tells_strangers_too():
    """Who has not logged in hears of the end when sessions do."""
    with Server(drain_timeout="1s") as server:
        clear = [wire.imap(143), wire.pop3(110), wire.imap(993, tls=True)]
        server.process.terminate()
        assert clear[0].response().startswith(b"* BYE [UNAVAILABLE]")
        assert clear[1].response().startswith(b"-ERR [SYS/TEMP]")
        assert clear[2].response().startswith(b"* BYE [UNAVAILABLE]")
        for c in clear:
            c.expect_eof()
        wait_for(lambda: not processes("login"), "login to end")
        assert server.process.wait(wire.TIMEOUT) == 0


def test_drain_does_not_wait_for_the_deaf():
    """A session that is stopped hears no signal; the master goes all the same."""
    who = user("deaf")
    with Server(drain_timeout="0s") as server:
        c = server.imap_login(who)
        pid = wait_for(lambda: list(processes("imap")), "the session")[0]
        os.kill(pid, signal.SIGSTOP)
        server.process.terminate()
        assert server.process.wait(wire.TIMEOUT) == 0
        os.kill(pid, signal.SIGKILL)
        c.close()


# ---- children and want -----------------------------------------------------------------

def test_children_that_die():
    who = user("dying")
    with Server(spare_connections=2) as server:
        for name in ("login", "conn"):
            wait_for(lambda: len(processes(name)) == 2, "spares")
            mark = log.mark()
            for pid in processes(name):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:      # the other's end was its end
                    pass
            # A login that had yet to close its cage is missed by its connection first.
            log.wait("ended by signal 9|ended before its login came", mark)
            wait_for(lambda: len(processes(name)) == 2, "new spares")
        c = server.imap_login(who)
        mark = log.mark()
        os.kill(list(processes("imap"))[0], signal.SIGABRT)
        assert "rip=127.0.0.1" in log.wait("ended by signal 6", mark)
        c.close()
        server.imap_login(who).logout()


def test_a_login_that_outlives_its_session_counts_and_is_killed():
    who = user("outlive")
    with Server(spare_connections=0, max_connections_per_address=1, write_timeout="1s") as server:
        def end_session(source):
            c = server.imap_login(who, source=(source, 0))
            login, = processes("login")
            session, = processes("imap")
            os.kill(login, signal.SIGSTOP)          # as one that is broken: it hears nothing
            os.kill(session, signal.SIGKILL)
            wait_for(lambda: not processes("imap"), "the session to end")
            assert b"from your address" in first_line(quiet(source=source))
            c.close()
            assert b"from your address" in first_line(quiet(source=source)), \
                "also when its client has gone"
            return login, session
        mark = log.mark()
        login, session = end_session("127.0.0.2")
        line = log.wait("login of connection process %d does not end: killed" % session, mark, 60)
        assert line.endswith("rip=127.0.0.2"), line
        wait_for(lambda: login not in processes("login"), "it to be gone")
        wait_for(lambda: admitted("127.0.0.2"), "room for the next").close()
        # one that is only slow is waited for
        mark = log.mark()
        wait_for(lambda: not processes("login"), "the last to go")
        login, session = end_session("127.0.0.3")
        os.kill(login, signal.SIGCONT)
        wait_for(lambda: login not in processes("login"), "it to end by itself")
        wait_for(lambda: admitted("127.0.0.3"), "room for the next").close()
        assert not log.find("does not end", mark)


def test_the_end_does_not_wait_for_a_broken_login():
    who = user("deaflogin")
    with Server(spare_connections=0, drain_timeout="0s") as server:
        c = server.imap_login(who)
        login, = processes("login")
        os.kill(login, signal.SIGSTOP)
        os.kill(list(processes("imap"))[0], signal.SIGKILL)
        wait_for(lambda: not processes("imap"), "the session to end")
        server.process.terminate()
        assert server.process.wait(wire.TIMEOUT) == 0
        wait_for(lambda: login not in processes("login"), "it to be killed")
        c.close()


def templates():
    return wait_for(lambda: processes("login-template") and processes("conn-template"),
                    "templates") and set(processes("login-template")) | set(processes("conn-template"))


def test_who_crashes_login_finds_another_layout():
    """A process that died by a signal takes its template along."""
    who = user("layout")
    with Server(spare_connections=1) as server:
        for name in ("login", "conn"):
            c = server.imap()
            old, spare = templates(), set(processes(name))
            mark = log.mark()
            os.kill(max(processes(name)), signal.SIGABRT)     # no sanitizer catches it
            log.wait("ended by signal 6", mark)
            wait_for(lambda: not old & set(processes()), "the templates to go")
            wait_for(lambda: len(templates() - old) == 2, "new templates")
            wait_for(lambda: len(set(processes(name)) & spare) < 2, "the spare to go")
            c.close()
            server.imap_login(who).logout()


def without(program):
    """It cannot be executed until the return value is called."""
    os.chmod(LIBEXEC + "/" + program, 0o644)
    return lambda: os.chmod(LIBEXEC + "/" + program, 0o755)


def test_who_cannot_be_served_hears_it():
    who = user("unserved")
    for program in ("login", "conn"):
        with Server(spare_connections=0):
            again = without(program)
            try:
                mark = log.mark()
                assert b"* BYE [UNAVAILABLE] Out of resources" in first_line(quiet())
                log.wait("cannot start " + LIBEXEC + "/" + program, mark)
                log.wait("turned away: rip=127.0.0.1 proto=imap", mark)
                assert b"-ERR [SYS/TEMP] Out of resources" in first_line(quiet(110))
            finally:
                again()
            wait_for(lambda: first_line(quiet()).startswith(b"* OK"), "the server to recover")
    for tls in (False, True):
        with Server(cleartext_login="yes") as server:
            again = without("imap")
            try:
                mark = log.mark()
                c = server.imap(tls=tls)
                c.send(b"x LOGIN %s secret\r\n" % who.name.encode())
                assert c.response().startswith(b"* BYE [UNAVAILABLE]")
                log.wait("cannot become " + LIBEXEC + "/imap", mark)
                c.expect_eof()
            finally:
                again()


def test_spares_that_cannot_start_do_not_spin():
    who = user("spin")
    away = LIBEXEC + "/login.away"
    with Server(spare_connections=2) as server:
        wait_for(lambda: len(processes("login")) == 2, "spares")    # it listens before it has them
        os.rename(LIBEXEC + "/login", away)
        try:
            mark = log.mark()
            for pid in processes("conn"):
                with contextlib.suppress(ProcessLookupError):   # it went with another
                    os.kill(pid, signal.SIGKILL)
            log.wait("cannot start " + LIBEXEC + "/login", mark)
            before = log.mark()
            time.sleep(1.5)             # nothing is to happen here: that is the test
            assert log.mark() - before < 30, "%d lines in a second" % (log.mark() - before)
        finally:
            os.rename(away, LIBEXEC + "/login")
        wait_for(lambda: len(processes("login")) == 2, "spares again")
        server.imap_login(who).logout()


def limited(server, what, value):
    resource.prlimit(server.process.pid, what, (value, value))


def test_without_descriptors():
    who = user("nofiles")
    with Server(spare_connections=0) as server:
        limited(server, resource.RLIMIT_NOFILE, 64)
        held = []
        line = b"* OK"
        while line.startswith(b"* OK") and len(held) < 100:
            held.append(quiet())
            line = first_line(held[-1])
        assert b"Out of resources" in line, line
        close(held)
        wait_for(lambda: conns() == 0, "the others to end")
        server.imap_login(who).logout()


class Want:
    """mailreeved under a library that makes calls fail while a file says so."""

    def __init__(self, **settings):
        preload = library("want")
        if SANITIZED:                   # whose own has to come first
            preload = run("gcc", "-print-file-name=libasan.so").strip() + ":" + preload
        self.server = Server(**settings)
        self.server.command = ["env", "LD_PRELOAD=" + preload, "WANT=" + SCRATCH + "/want",
                               MAILREEVED, "-f"]

    def __enter__(self):
        return self.server.__enter__()

    def __exit__(self, *what):
        return self.server.__exit__(*what)


def short_of(call, error):
    """From now on; of nothing when call is empty."""
    with open(SCRATCH + "/want.new", "w") as f:
        f.write("%s %d\n" % (call, error))
    os.rename(SCRATCH + "/want.new", SCRATCH + "/want")


def test_when_processes_cannot_be_made():
    who = user("nofork")
    for call, error in (("fork", errno.EAGAIN), ("fork", errno.ENOMEM),
                        ("socketpair", errno.ENFILE), ("calloc", errno.ENOMEM)):
        if call == "calloc" and SANITIZED:
            continue                    # it is the sanitizer's
        short_of("", 0)
        with Want(spare_connections=0) as server:
            c = server.imap_login(who)
            mark = log.mark()
            short_of(call, error)
            if call == "fork":          # connections come from a template, not from us
                os.kill(list(processes("conn-template"))[0], signal.SIGKILL)
                log.wait("a template ended by signal 9", mark)
            assert b"Out of resources" in first_line(quiet()), call
            assert first_line(quiet(110)).startswith(b"-ERR [SYS/TEMP] Out of resources")
            log.wait("no connection process to be had", mark)
            c.ok("NOOP")
            short_of("", 0)
            wait_for(lambda: first_line(quiet()).startswith(b"* OK"), "better times")
            server.imap_login(who).logout()
            c.logout()


def test_when_clients_cannot_be_accepted():
    """The system is short of something for a while: no spinning, and then on."""
    who = user("noaccept")
    for error in (errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ECONNABORTED):
        short_of("", 0)
        with Want(spare_connections=1) as server:
            c = server.imap_login(who)
            short_of("accept4", error)
            waiting = quiet()
            before = cpu(server.process.pid)
            time.sleep(1)               # nothing is to happen here: that is the test
            if error != errno.ECONNABORTED:     # a client is gone: the next one, at once
                assert cpu(server.process.pid) - before < 0.1, "it spins"
            c.ok("NOOP")
            short_of("", 0)
            if error != errno.ECONNABORTED:
                assert first_line(waiting).startswith(b"* OK"), "the client was lost"
            waiting.close()
            server.imap_login(who).logout()
            c.logout()


def test_signals_are_heard_while_clients_come():
    """Without a pause: one is always there to be accepted."""
    who = user("flooded")
    short_of("", 0)
    with Want(spare_connections=1, drain_timeout="0s") as server:
        c = server.imap_login(who)
        mark = log.mark()
        short_of("accept4", errno.ECONNABORTED)
        waiting = quiet()
        busy = cpu(server.process.pid)
        wait_for(lambda: cpu(server.process.pid) > busy + 0.1, "it to try and try again")
        os.kill(list(processes("imap"))[0], signal.SIGABRT)
        log.wait("ended by signal 6", mark)
        log.wait("configuration read again", server.reload())
        server.process.terminate()
        assert server.process.wait(wire.TIMEOUT) == 0
        waiting.close()
        c.close()
        short_of("", 0)


def test_a_thousand_silent_connections():
    who = user("silent")
    with Server(max_connections=1100, max_connections_per_address=2000) as server:
        crowd = [quiet() for _ in range(1000)]
        for s in crowd:
            assert first_line(s).startswith(b"* OK")
        server.imap_login(who).logout()
        with open("/proc/%d/status" % server.process.pid) as f:
            resident = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        assert SANITIZED or resident < 8192, "%d KB" % resident
        close(crowd)
        wait_for(lambda: conns() < 10, "the crowd to leave", 60)
        server.imap_login(who).logout()


# ---- options -----------------------------------------------------------------------------

def test_options():
    configure()
    assert re.fullmatch(r"mailreeved \d+\.\d+\.\d+\n", run(MAILREEVED, "-v"))
    assert "good" in run(MAILREEVED, "-t")
    shown = run(MAILREEVED, "-C")
    assert "imap-timeout 1800\n" in shown and 35 <= len(shown.splitlines()) < 50
    for bad in (["-x"], ["-i"], ["extra"], ["-f", "extra"]):
        assert "usage:" in run(MAILREEVED, *bad, ok=(64,))


def test_configuration_check():
    path = SCRATCH + "/test.conf"
    for text, said in (("colour blue\n", ":1: unknown keyword colour: see mailreeve.conf(5)"),
                       ("# x\n\nimap-listen *\n", ":3: imap-listen: bad value \"*\": give none"),
                       ("service-user root\n", ":1: service-user root: that is root"),
                       ("#\nlogin-root /nonexistent\n", ":2: login-root /nonexistent: No such file "
                        "or directory: make an empty directory"),
                       ("login-root /tmp\n", "nobody else may write"),
                       ("pam-service-imap x\npam-service-imap nowhere\n", ":2: PAM has no service nowhere: install"),
                       ("oauth-keys /x\n", ":1: oauth-keys, oauth-issuer, oauth-audience: set all"),
                       ("service-user nobody-here\nlogin-root /nonexistent\n",
                        ":1: service-user nobody-here: no such account: make one")):
        with open(path, "w") as f:
            f.write(text)
        got = run(MAILREEVED, "-t", "-c", path, ok=(78,))
        assert said in got, got
        mark = log.mark()
        assert subprocess.run([MAILREEVED, "-f", "-c", path]).returncode == 78
        log.wait(re.escape(said), mark)
    assert "cannot read" in run(MAILREEVED, "-t", "-c", "/nonexistent", ok=(78,))
    assert "cannot read: no regular file" in run(MAILREEVED, "-t", "-c", "/", ok=(78,))


def test_a_configuration_that_others_may_write():
    """It would let them say what root does."""
    who = user("writer")
    for owner, mode, said in ((0, 0o644, None), (0, 0o600, None), (0, 0o664, "chmod go-w"),
                              (0, 0o646, "others may write to it: chmod go-w"),
                              (who.uid, 0o644, "belongs to another user than root: chown root it")):
        configure()
        os.chmod(CONFIG, mode)
        os.chown(CONFIG, owner, 0)
        got = run(MAILREEVED, "-t", ok=(78 if said else 0,))
        assert (CONFIG + ": cannot read: " in got and said in got) if said else "good" in got, got
    os.chmod(CONFIG, 0o666)
    mark = log.mark()
    assert subprocess.run([MAILREEVED, "-f"]).returncode == 78
    log.wait("%s: cannot read: .*chown root it" % CONFIG, mark)
    os.unlink(CONFIG)
    with Server() as server:
        held = server.imap_login(who)
        os.chmod(CONFIG, 0o666)
        mark = server.reload()
        log.wait("the old configuration stays: %s: cannot read: others may write" % CONFIG, mark)
        server.imap_login(who).logout()
        held.logout()
    os.unlink(CONFIG)
    own = who.file("own.conf", "imap-listen *:2143\n")
    assert "good" in who.run(MAILREEVED, "-t", "-c", own), "their own is theirs"


def test_files_that_a_configuration_names():
    """Each is looked at by who needs it: file, line, cause, cure."""
    certificate()
    certificate("/etc/mailreeve/other")
    crt, key, other = (open("/etc/mailreeve/" + name).read() for name in
                       ("tls.crt", "tls.key", "other.crt"))
    where = SCRATCH + "/files"
    os.makedirs(where + "/empty", exist_ok=True)
    for name, text, mode in (("crt", crt, 0o644), ("key", key, 0o600), ("other", other, 0o644),
                             ("open", key, 0o644), ("half", crt[:400], 0o644), ("none", "", 0o600),
                             ("writable", crt, 0o666), ("secrets", "", 0o644)):
        with open("%s/%s" % (where, name), "w") as f:
            f.write(text)
        os.chmod("%s/%s" % (where, name), mode)
    gone = ":1: %s /nonexistent: No such file or directory: put one there, or name another"
    rows = [
        ("tls-certificate D/crt\ntls-key D/key\n", None), ("tls-certificate\ntls-key\n", None),
        ("tls-certificate /nonexistent\n", gone % "tls-certificate"),
        ("tls-key /nonexistent\n", gone % "tls-key"),
        ("tls-certificate D/crt /nonexistent\ntls-key D/key\n", gone % "tls-certificate"),
        ("#\ntls-certificate D/crt\ntls-key D/open\n",
         ":3: tls-key D/open: others have rights to it: chmod go= it"),
        ("tls-certificate D/writable\ntls-key D/key\n", ":1: tls-certificate D/writable: others"),
        ("tls-certificate D/other\ntls-key D/key\n",
         ":1: D/other: the first certificate is not the key's"),
        ("tls-certificate D/half\ntls-key D/key\n", ":1: D/half: no certificate, or not a whole one"),
        ("tls-certificate D/crt\ntls-key D/none\n", ":1: D/none: no private key, or one under"),
        ("tls-certificate D/empty\ntls-key D/key\n", ":1: tls-certificate, tls-key: no certificate"),
        ("tls-client-ca /nonexistent\n", gone % "tls-client-ca"),
        ("gssapi-keytab /nonexistent\n", gone % "gssapi-keytab"),
        ("gssapi-keytab D/open\n", ":1: gssapi-keytab D/open: others have rights"),
        ("oauth-keys /nonexistent\noauth-issuer x\noauth-audience x\n", gone % "oauth-keys"),
        ("secrets /nonexistent\n", None),
        ("secrets D/secrets\n", ":1: secrets D/secrets: others have rights to it"),
    ]
    path = SCRATCH + "/test.conf"
    for text, said in rows:
        with open(path, "w") as f:
            f.write(text.replace("D/", where + "/"))
        got = run(MAILREEVED, "-t", "-c", path, ok=(78 if said else 0,))
        want = path + said.replace("D/", where + "/") if said else "the configuration is good\n"
        assert got.startswith(want) and got.count("\n") == 1, (text, got)
    configure()
    os.unlink("/etc/mailreeve/tls.crt")
    assert "tls-certificate /etc/mailreeve/tls.crt: No such file" in run(MAILREEVED, "-t", ok=(78,)), "half of them"
    os.unlink("/etc/mailreeve/tls.key")
    assert "good" in run(MAILREEVED, "-t"), "a server without TLS is a choice"
    assert "only root can tell" in user("checks").run(MAILREEVED, "-t")
    certificate()


def test_a_key_that_is_named_and_missing_is_in_the_log():
    with Server(tls_key="/nonexistent") as server:
        log.wait("signer.*: /nonexistent: No such file or directory")
        assert b"STARTTLS" not in server.imap(tls=False).welcome


def test_not_root():
    who = user("plain")
    out = who.run(MAILREEVED, "-f", ok=(77,))
    assert out == "" or "root" in out


main(__name__)
