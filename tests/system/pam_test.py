#!/usr/bin/env python3
"""PAM as an administrator may have it, and as nobody would want it."""
from lib import *

UNIX = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
PERMIT = "pam_permit.so"


class Pam:
    """Other lines in /etc/pam.d/imap while the `with` lasts; @M is the module."""

    def __init__(self, text, service="imap"):
        self.path = "/etc/pam.d/" + service
        self.text = text.replace("@M", library("pam_trouble", "-lpam"))

    def __enter__(self):
        with open(self.path) as f:
            self.old = f.read()
        self.write(self.text)

    def write(self, text):
        with open(self.path, "w") as f:
            f.write(text)

    def __exit__(self, *_):
        self.write(self.old)


def try_login(server, name, password="secret"):
    """The tagged answer."""
    c = server.imap()
    tagged = c.command('LOGIN "%s" "%s"' % (name, password))[0]
    c.close()
    return tagged


def code(server, name, password="secret"):
    """What stands behind NO, in brackets; or OK."""
    words = try_login(server, name, password).split()
    return words[1] if words[1] == b"OK" else words[2]


def test_results_have_their_codes():
    who = user("coded")
    rows = [
        ("auth required @M auth_err", b"[AUTHENTICATIONFAILED]"),
        ("auth required @M user_unknown", b"[AUTHENTICATIONFAILED]"),
        ("auth required @M authinfo_unavail", b"[UNAVAILABLE]"),
        ("auth required @M system_err", b"[UNAVAILABLE]"),
        ("auth required @M nonsense", b"[UNAVAILABLE]"),
        ("auth required pam_permit.so\naccount required @M acct_expired", b"[EXPIRED]"),
        ("auth required pam_permit.so\naccount required @M new_authtok_reqd", b"[EXPIRED]"),
        ("auth required pam_permit.so\naccount required @M perm_denied", b"[AUTHORIZATIONFAILED]"),
        ("auth required pam_permit.so\naccount required @M auth_err", b"[CONTACTADMIN]"),
        ("auth required pam_permit.so\naccount required @M system_err", b"[UNAVAILABLE]"),
        ("auth required pam_permit.so\naccount required @M success", b"OK"),
    ]
    with Server() as server:
        for text, want in rows:
            with Pam(text + "\n"):
                got = code(server, who.name)
                assert got == want, (text, got)


def test_session_results():
    who = user("sess")
    base = "auth required pam_permit.so\naccount required pam_permit.so\nsession required @M "
    with Server(pam_session="yes") as server:
        for how, want in (("perm_denied", b"[AUTHORIZATIONFAILED]"),
                          ("system_err", b"[UNAVAILABLE]"), ("success", b"OK")):
            with Pam(base + how + "\n"):
                assert code(server, who.name) == want, how


def test_a_module_that_ends_conn():
    """exit(0) is no success, a crash is no disaster: both are temporary failures."""
    who, other = user("ended"), user("other")
    for how in ("exit", "crash"):
        with Pam("auth required @M %s\naccount required pam_permit.so\n" % how):
            with Server() as server:
                p = server.pop3_login(other)
                assert code(server, who.name) == b"[UNAVAILABLE]", how
                p.quit()
                assert server.process.poll() is None


def test_a_module_that_hangs():
    """At pam-timeout, or a second later when it has blocked every signal."""
    who, other = user("hung"), user("free")
    for how in ("wait", "hang"):
        with Pam("auth required @M %s\naccount required pam_permit.so\n" % how):
            with Server(pam_timeout="1s") as server:
                begun = time.monotonic()
                assert code(server, who.name) == b"[UNAVAILABLE]", how
                assert 0.9 < time.monotonic() - begun < 20
                server.pop3_login(other).quit()


def test_a_module_that_prints():
    who = user("printed")
    with Pam("auth required @M print\naccount required @M stdio\n"), Server() as server:
        for tls in (True, False):
            c = server.imap(tls=tls)
            c.login(who.name, "anything")       # the grammar reads every byte
            c.logout()


def test_a_module_that_changes_the_user():
    who, other = user("first"), user("second")
    with Pam("auth required @M user\naccount required pam_permit.so\n"), \
            Server(spare_connections=0) as server:
        c = server.imap()
        c.login(who.name + "-as-" + other.name, "x")
        pid = wait_for(lambda: list(processes("imap")), "the session")[0]
        with open("/proc/%d/status" % pid) as f:
            assert "\nUid:\t%d\t" % other.uid in f.read()
        c.logout()
        mark = log.mark()
        assert code(server, who.name + "-as-root") == b"[AUTHENTICATIONFAILED]"
        assert 'why="uid 0 never gets in"' in log.wait("result=refused", mark)
        assert code(server, who.name + "-as-daemon") == b"[AUTHENTICATIONFAILED]"
        assert code(server, who.name + "-as-nobodyhere") == b"[AUTHENTICATIONFAILED]"


def test_a_module_that_asks_twice():
    who = user("twice")
    with Pam("auth required @M twice\naccount required pam_permit.so\n"), Server() as server:
        mark = log.mark()
        assert code(server, who.name) == b"[UNAVAILABLE]"
        assert "asked for more than" in log.wait("result=unavailable", mark)


def test_a_module_that_asks_who_has_no_password():
    """Nothing can be answered: no success, no crash, and the next one gets in unharmed."""
    who, guest = user("whole"), user("guest")
    with Server(anonymous_user=guest.name, failure_delay="0s") as server:
        mark = log.mark()
        with Pam("auth required pam_permit.so\naccount required @M twice\n"):
            c = server.imap()
            said = c.command("AUTHENTICATE ANONYMOUS eA==")[0]
            assert said.split()[2] == b"[UNAVAILABLE]", said
        log.wait("result=unavailable .*asked for more", mark)
        c.login(who.name, who.password)
        assert b"[READ-WRITE]" in c.command("SELECT INBOX")[0]
        c.logout()
        assert not log.find("ended by signal", mark)


def test_a_module_that_asks_for_both_or_only_talks():
    who = user("both")
    with Pam("auth required @M both\naccount required @M talk\n"), Server() as server:
        mark = log.mark()
        assert code(server, who.name) == b"OK"
        line = log.wait("result=ok", mark)
        assert line.endswith("said=Do\\0d\\0a*\\20not\\1b[31m\\20believe\\20this as=-"), line


def test_a_module_that_changes_the_process():
    who = user("changed")
    with Pam("auth required @M process\naccount required pam_permit.so\n"), \
            Server(spare_connections=0) as server:
        c = server.imap_login(who)
        pid = wait_for(lambda: list(processes("imap")), "the session")[0]
        with open("/proc/%d/status" % pid) as f:
            ignored = int(re.search(r"SigIgn:\t(\w+)", f.read()).group(1), 16)
        assert ignored & (1 << 14 | 1 << 13) == 0, "SIGTERM or SIGALRM is still ignored"
        assert not os.path.exists("/proc/%d/fd/77" % pid)
        c.logout()


def test_changes_count_at_once():
    """Written, replaced, included, behind a link: what the templates have read is not used."""
    who = user("changed")
    elsewhere = "/etc/pam-elsewhere"
    os.makedirs(elsewhere)
    real = elsewhere + "/imap"
    os.rename("/etc/pam.d/imap", real)
    os.symlink(real, "/etc/pam.d/imap")

    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    def replace(path, text):
        write(path + ".new", text)
        os.rename(path + ".new", path)

    with open(real) as f:
        good = f.read()
    bad = "auth required pam_deny.so\naccount required pam_permit.so\n"
    try:
        for change, path in ((write, real), (replace, real), (write, "/etc/pam.d/included"),
                             (replace, "/etc/pam.d/included"), (replace, "/etc/pam.d/imap")):
            write("/etc/pam.d/included", good)
            write(real, "@include included\n" if path.endswith("included") else good)
            with Server(failure_delay="0s") as server:
                assert code(server, who.name) == b"OK"
                change(path, bad)
                assert code(server, who.name) == b"[AUTHENTICATIONFAILED]", (change, path)
                change(path, good)
                assert code(server, who.name) == b"OK", (change, path)
    finally:
        replace("/etc/pam.d/imap", good)
        os.unlink("/etc/pam.d/included")


def test_without_a_service_file():
    """PAM would take `other`; mailreeved does not start, -t says why."""
    os.rename("/etc/pam.d/pop3", "/etc/pam.d/pop3.away")
    try:
        configure()
        said = run(MAILREEVED, "-t", ok=(78,))
        assert "PAM has no service pop3" in said, said
    finally:
        os.rename("/etc/pam.d/pop3.away", "/etc/pam.d/pop3")
    assert "good" in run(MAILREEVED, "-t")


def test_rhost_tty_and_service():
    who = user("seen")
    out = SCRATCH + "/seen"
    script = SCRATCH + "/see.sh"
    with open(script, "w") as f:
        f.write("#!/bin/sh\necho $PAM_USER $PAM_RHOST $PAM_TTY $PAM_SERVICE $PAM_TYPE >> %s\n" % out)
    os.chmod(script, 0o755)
    with Pam(UNIX.replace("account required",
                          "account required pam_exec.so %s\naccount required" % script)), \
            Server() as server:
        server.imap_login(who).logout()
    with open(out) as f:
        assert f.read() == "%s 127.0.0.1 imap imap account\n" % who.name


def test_expired_locked_and_low_accounts():
    with Server() as server:
        who = user("expired")
        run("chage", "-E", "1", who.name)
        assert code(server, who.name) == b"[EXPIRED]"
        who = user("aged")
        run("chage", "-d", "0", who.name)
        assert code(server, who.name) == b"[EXPIRED]"
        who = user("lockedpw")
        run("usermod", "-L", who.name)
        assert code(server, who.name) == b"[AUTHENTICATIONFAILED]"
        who = user("noshell")
        run("usermod", "-s", "/usr/sbin/nologin", who.name)
        assert code(server, who.name) == b"OK"
        who = user("empty")
        run("passwd", "-d", who.name)
        assert code(server, who.name, "") == b"[AUTHENTICATIONFAILED]"
        run("useradd", "-u", "500", "lowly")
        run("chpasswd", input="lowly:secret\n")
        mark = log.mark()
        assert code(server, "lowly") == b"[AUTHENTICATIONFAILED]"
        assert "below minimum-uid" in log.wait("result=refused", mark)
        run("chpasswd", input="root:secret\n")
        mark = log.mark()
        assert code(server, "root") == b"[AUTHENTICATIONFAILED]"
        assert "uid 0 never gets in" in log.wait("result=refused", mark)


def test_minimum_uid_is_the_least_that_gets_in():
    who = user("least")
    for least, answer in ((who.uid, b"OK"), (who.uid + 1, b"[AUTHENTICATIONFAILED]")):
        with Server(minimum_uid=str(least)) as server:
            assert code(server, who.name) == answer, (who.uid, least)


def refusal_time(server, name, password, source):
    c = server.imap(source=(source, 0))
    begun = time.monotonic()
    tagged = c.command("LOGIN %s %s" % (name, password))[0]
    taken = time.monotonic() - begun
    c.close()
    return taken, tagged.split(b" ", 1)[1]


def test_every_refusal_looks_and_takes_the_same():
    who = user("timed")
    run("useradd", "-u", "501", "lowtoo")
    run("chpasswd", input="lowtoo:secret\n")
    addresses = iter("127.0.1.%d" % n for n in range(1, 250))

    def refusals():
        rows = [refusal_time(server, name, password, next(addresses)) for name, password in
                ((who.name, "wrong"), ("nobodyhere", "wrong"), ("root", "wrong"),
                 ("lowtoo", "secret"), ("a:b", "wrong"))]
        assert len({answer for _, answer in rows}) == 1, rows
        assert all(taken >= 0.99 for taken, _ in rows), rows
        return [taken for taken, _ in rows]
    with Server(failure_delay="1s") as server:
        at_best(refusals, lambda times: max(times) < 2 and max(times) - min(times) < 0.25)


def test_the_line_of_a_login():
    who = user("line")
    with Server() as server:
        mark = log.mark()
        server.imap_login(who).logout()
        line = log.wait("login: ", mark).split("]: ", 1)[1]
        assert re.match(r"login: rip=127\.0\.0\.1 lip=127\.0\.0\.1 user=%s proto=imaps result=ok "
                        r"guess=- tls=yes via=LOGIN/TLSv1\.3/\S+ proxy=- session=[a-z2-7]{10} why=\"\" "
                        r"said= as=-\Z" % who.name, line), line
        mark = log.mark()
        try_login(server, "x rip=10.0.0.1 result=ok")
        line = log.wait("login: ", mark)
        assert line.count("rip=") == 1 and line.count("result=") == 1, line
        assert "user=x\\20rip\\3d10.0.0.1\\20result\\3dok " in line


main(__name__)
