#!/usr/bin/env python3
"""Every process of a live connection, as /proc shows it: nothing too much."""
import ctypes

from lib import *
from cages import *

# What a session opens for itself: mail, events, the index of a read-only disk.
OWN = ("/home/", "anon_inode:", "/memfd:mailreeve-index")


def is_owner(pid, who):
    s = status(pid)
    assert s["Uid"].split() == [str(who.uid)] * 4, s["Uid"]
    assert s["Gid"].split() == [str(who.gid)] * 4, s["Gid"]
    assert s["Groups"].split() in ([str(who.gid)], []), s["Groups"]
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == FILTERED
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert s[kind] == NO_CAPABILITIES, (kind, s[kind])
    # SIGPIPE; 32 and 33 are libc's own and ignored by whoever uses posix_spawn()
    assert int(s["SigIgn"], 16) & ~(1 << 12 | 3 << 31) == 0, "ignored signals: " + s["SigIgn"]


def own_pipe(pid, target):
    """A pipe that no other process has an end of."""
    return target.startswith("pipe:") and not any(
        target in descriptors(other).values() for other in processes() if other != pid)


def own_descriptors(pid, wanted):
    """Exactly the numbers in wanted, but for a session's own mail files."""
    fds = descriptors(pid)
    assert fds[0] == fds[1] and fds[0].startswith("socket:"), fds
    for n, target in fds.items():
        if n in wanted:
            continue
        assert n == 3 and target == "/dev/null" or own_pipe(pid, target) or \
            target.startswith(("/home/", "anon_inode:", "/memfd:mailreeve-index")), "descriptor %d is %s" % (n, target)
    return fds


def test_before_login():
    with Server(spare_connections=0) as server:
        c = server.imap(tls=False)
        conn, login = one("conn"), one("login")
        is_stranger(login)
        assert status(login)["PPid"] == str(one("login-template"))
        assert status(conn)["PPid"] == str(server.process.pid)
        assert not dumpable(login)
        fds = descriptors(login)
        assert set(fds) <= {0, 1, 2, 3, 4, 5}, fds
        assert limits(login)["Max open files"] == ["16", "16"] or SANITIZED
        assert limits(login)["Max processes"] == ["0", "0"]
        assert limits(login)["Max core file size"] == ["0", "0"]
        assert SANITIZED or int(limits(login)["Max address space"][0]) <= 256 << 20
        assert set(environment(login)) <= ENVIRONMENT
        fds = descriptors(conn)
        assert fds[0] == fds[1] == "/dev/null", "PAM could write to the client"
        assert len(sockets(fds)) == 5, "channel, log, control, signer, client: %s" % fds
        c.close()


def test_spares_have_no_client():
    with Server(spare_connections=2):
        for login in wait_for(lambda: len(processes("login")) == 2 and processes("login"),
                              "two spare pairs"):
            wait_for(lambda: status(login)["Seccomp"] == FILTERED, "the cage to close")
            is_stranger(login)
            assert len(sockets(descriptors(login))) <= 2, descriptors(login)


def session_in_the_clear(name, connect):
    who = user("clear")
    with Server(spare_connections=0, cleartext_login="yes") as server:
        c = connect(server, who, tls=False)
        session = one(name)
        is_owner(session, who)
        assert not dumpable(session)
        wait_for(lambda: not processes("login"), "login to end")
        assert not processes("conn"), "conn is still there"
        fds = own_descriptors(session, {0, 1, 2, 4})
        env = environment(session)
        assert set(env) <= ENVIRONMENT | {b"HOME", b"USER", b"LOGNAME", b"LANG", b"MAILREEVE_TAG",
                                          b"MAILREEVE_REMOTE", b"MAILREEVE_SESSION"}, env
        assert env[b"HOME"].decode() == who.home
        peer = c.sock.getsockname()
        assert env[b"MAILREEVE_REMOTE"].decode() == "127.0.0.1:%d" % peer[1]
        assert limits(session)["Max core file size"][0] == "0"
        assert fds[2] == os.readlink("/proc/%d/fd/2" % server.process.pid)
        c.close()


def test_imap_session_in_the_clear():
    session_in_the_clear("imap", lambda server, who, **how: server.imap_login(who, **how))


def test_pop3_session_in_the_clear():
    session_in_the_clear("pop3", lambda server, who, **how: server.pop3_login(who, **how))


def test_session_behind_tls():
    who = user("tls")
    with Server(spare_connections=0) as server:
        c = server.imap_login(who, tls=True)
        session, login = one("imap"), one("login")
        is_owner(session, who)
        is_stranger(login)
        assert not processes("conn")
        assert status(session)["PPid"] == str(server.process.pid)
        own_descriptors(session, {0, 1, 2, 4})
        ours = {os.fstat(c.sock.fileno()).st_ino}
        held = {t for n, t in descriptors(session).items()}
        assert not any("[%d]" % i in t for i in ours for t in held)
        assert environment(session)[b"MAILREEVE_TLS"] == b"1"
        # What the relay keeps: the client, the channel, log and diagnostics.
        assert len(sockets(descriptors(login))) <= 5, descriptors(login)
        c.logout()
        wait_for(lambda: not processes("login") and not processes("imap"), "both to end")


def test_the_same_pid():
    who = user("pid")
    with Server(spare_connections=0) as server:
        c = server.imap(tls=False)
        conn = one("conn")
        c.login(who.name, who.password)
        assert one("imap") == conn
        assert status(conn)["PPid"] == str(server.process.pid)
        c.logout()


def test_groups_are_those_of_the_user():
    who = user("grouped")
    run("groupadd", "-g", "7001", "readers")
    run("usermod", "-a", "-G", "readers", who.name)
    with Server() as server:
        c = server.imap_login(who)
        s = status(one("imap"))
        assert set(s["Groups"].split()) == {str(who.gid), "7001"}, s["Groups"]
        c.logout()


def test_any_number_of_groups():
    who = user("social")
    for count in (63, 64, 255, 256, 1100):      # besides their own
        with open("/etc/group") as f:
            before = f.read()
        with open("/etc/group", "a") as f:
            f.writelines("many%d:x:%d:%s\n" % (i, 20000 + i, who.name) for i in range(count))
        with Server() as server:
            c = server.imap_login(who)
            groups = status(one("imap"))["Groups"].split()
            c.logout()
        with open("/etc/group", "w") as f:
            f.write(before)
        want = {str(who.gid)} | {str(20000 + i) for i in range(count)}
        assert len(groups) == count + 1 and set(groups) == want, (count, groups)


def test_groups_are_those_of_this_attempt():
    """PAM's modules ask for groups, too: what they were told counts for no later attempt."""
    who = user("late")
    run("groupadd", "-g", "7002", "latecomers")
    run("usermod", "-e", "1", who.name)
    with Server(failure_delay="0s") as server:
        c = server.imap()
        login = "LOGIN %s %s" % (who.name, who.password)
        assert b"[EXPIRED]" in c.command(login)[0], "it got in"
        run("usermod", "-e", "", "-a", "-G", "latecomers", who.name)
        assert b" OK " in c.command(login)[0], "it did not get in"
        s = status(one("imap"))
        assert set(s["Groups"].split()) == {str(who.gid), "7002"}, s["Groups"]
        c.logout()


def test_pam_session_leaves_root_with_nothing_but_pam():
    who = user("kept")
    with Server(spare_connections=0, pam_session="yes") as server:
        c = server.imap_login(who)
        conn, session = one("conn"), one("imap")
        is_owner(session, who)
        assert status(session)["PPid"] == str(conn)
        # It lets go of the client after the session has begun, which may answer first.
        wait_for(lambda: descriptors(conn)[0] == descriptors(conn)[1] == "/dev/null"
                 and len(sockets(descriptors(conn))) <= 3, "log, control, libc's syslog, no more")
        c.logout()
        wait_for(lambda: not processes("conn"), "conn to end with its session")


def test_other_users_cannot_look_in():
    """Memory of login and sessions is closed to their own uid, too."""
    who = user("peek")
    with Server() as server:
        c = server.imap_login(who)
        session = one("imap")
        denied = who.run("sh", "-c", "cat /proc/%d/environ" % session, ok=None)
        assert "ermission denied" in denied, denied
        c.logout()


PIDFD_GETFD = 438


def taken(pid, number):
    """A descriptor of another process, the same open file."""
    process = os.pidfd_open(pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, number, 0)
    os.close(process)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    return fd


def test_nobody_silences_the_log_of_others():
    """shutdown(2) is allowed in cages, and counts for all who have the same socket."""
    who = user("silent")
    with Server(spare_connections=1) as server:
        c = server.imap_login(who, tls=True)
        for name in ("login", "imap", "signer"):
            for pid in processes(name):
                with socket.socket(fileno=taken(pid, 4)) as s:
                    assert s.type == socket.SOCK_DGRAM
                    s.shutdown(socket.SHUT_RDWR)
        c.logout()
        for i in range(3):              # also of a spare
            mark = log.mark()
            c = server.imap_login(who, tls=True)
            log.wait("login: .*user=%s .*result=ok" % who.name, mark)
            c.logout()


main(__name__)
