#!/usr/bin/env python3
"""The whole server as strangers meet it: crowds, hostile mail directories, large mail."""
import stat
import threading

from lib import *
from corpus import messages


def crlf(raw):
    return re.sub(rb"\r?\n", b"\r\n", raw)


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)


def sessions_of(who, name="imap"):
    """Pids of the session processes that run as this user."""
    found = []
    for pid in processes(name):
        try:
            if int(status_of(pid)["Uid"].split()[0]) == who.uid:
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def test_both_protocols_see_the_same_mail():
    who = user("both")
    corpus = messages(8, seed=3)
    for raw in corpus:
        who.deliver(raw)
    with Server() as server:
        c = server.imap_login(who)
        c.ok("SELECT INBOX")
        for i, raw in enumerate(corpus, 1):
            got = c.ok("FETCH %d (BODY.PEEK[] RFC822.SIZE)" % i)[0]
            assert crlf(raw) in got and b"RFC822.SIZE %d" % len(crlf(raw)) in got
        c.ok("FETCH 1:* (FLAGS ENVELOPE BODY BODYSTRUCTURE INTERNALDATE UID)")
        c.logout()
        p = server.pop3_login(who)
        for i, raw in enumerate(corpus, 1):
            assert b"\r\n".join(p.ok("RETR %d" % i, multi=True)) + b"\r\n" == crlf(raw)
        p.quit()


def test_every_way_in():
    who = user("way")
    with Server(cleartext_login="yes") as server:
        for tls in (True, "starttls", False):
            server.imap_login(who, tls=tls).logout()
            c = server.imap(tls=tls)
            assert c.authenticate_plain(who.name, who.password)[0].split()[1] == b"OK"
            c.logout()
            server.pop3_login(who, tls=tls).quit()
    line = log.find(r"login.*%s|%s.*login" % (who.name, who.name))
    assert line, "no line of the log names the user"
    assert not log.find(re.escape(who.password)), "the password is in the log"


def test_wrong_passwords_and_refused_accounts():
    who = user("refused")
    with Server() as server:
        for name, password in ((who.name, "wrong"), ("nobodyhere", "x"), ("root", "x")):
            c = server.imap()
            tagged, _ = c.command("LOGIN %s %s" % (name, password))
            assert tagged.split()[1:3] == [b"NO", b"[AUTHENTICATIONFAILED]"], tagged
            c.close()
        run("chage", "-E", "0", who.name)
        c = server.imap()
        tagged, _ = c.command("LOGIN %s %s" % (who.name, who.password))
        assert tagged.split()[1] == b"NO", tagged
        c.close()


# ---- hostile directories -------------------------------------------------------

SECRET = b"the secret of somebody else"


def test_nothing_but_mail_is_served():
    """Links, devices, pipes, directories and unreadable files in cur/ and new/."""
    other, who = user("other"), user("hostile")
    secret = other.file("secret", SECRET.decode(), 0o644)
    closed = other.file("closed", SECRET.decode(), 0o600)
    os.chmod(other.home, 0o755)
    who.deliver(b"Subject: good\n\ngood mail\n")
    who.deliver(b"Subject: seen\n\nseen mail\n", flags="S")
    for sub in ("new", "cur"):
        top = "%s/%s/" % (who.maildir, sub)
        info = ":2,S" if sub == "cur" else ""
        os.symlink(secret, top + "2000000001.link" + info)
        os.symlink("/dev/zero", top + "2000000002.zero" + info)
        os.symlink("../../../" + other.name + "/secret", top + "2000000003.relative" + info)
        os.mkfifo(top + "2000000004.fifo" + info)
        os.mkdir(top + "2000000005.dir" + info)
        os.link(closed, top + "2000000006.hard" + info)
        os.mknod(top + "2000000007.device" + info, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        with open(top + "2000000008.dark" + info, "wb") as f:
            f.write(SECRET)
        os.chown(top + "2000000008.dark" + info, who.uid, who.gid)
        os.chmod(top + "2000000008.dark" + info, 0)
        who.run("sh", "-c", "printf 'Subject: odd\\n\\nodd\\n' > '%s2000000009.with space%s'" % (top, info))
        who.run("sh", "-c", "printf 'Subject: odd\\n\\nodd\\n' > '%s2000000010.with\nnewline%s'" % (top, info))
    os.symlink(other.home, who.maildir + "/.Linked")
    seen = b""
    with Server() as server:
        c = server.imap_login(who)
        listed = c.ok('LIST "" *')
        c.ok("SELECT INBOX")
        for line in listed:
            box = line.rsplit(b" ", 1)[1]
            tagged, _ = c.command(b"SELECT " + box)
            if tagged.split()[1] == b"OK":
                for what in (b"(UID BODY.PEEK[])", b"(ENVELOPE BODYSTRUCTURE RFC822.SIZE)"):
                    _, untagged = c.command(b"FETCH 1:* " + what)
                    seen += b"".join(untagged)
                c.command(b"SEARCH TEXT secret")
        c.logout()
        p = server.pop3_login(who)
        for line in p.ok("LIST", multi=True):
            if p.command(b"RETR " + line.split()[0]).startswith(b"+OK"):
                seen += b"\r\n".join(p.body())
        p.quit()
    assert b"good mail" in seen and b"seen mail" in seen
    assert SECRET not in seen
    wait_for(lambda: not sessions_of(who), "the sessions to end")


# ---- crowds --------------------------------------------------------------------

def test_a_thousand_silent_connections():
    who = user("crowd")
    with Server(max_connections=200, max_per_address=None, login_timeout="30s") as server:
        crowd = []
        for _ in range(1000):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", 143))
            crowd.append(s)
        refused = wire.Imap(wire.connect(143))
        assert refused.greeting().startswith(b"* BYE"), "the limit does not hold"
        count = len(processes("conn"))
        assert count <= 210, "%d connection processes" % count
        for s in crowd:
            s.close()
        wait_for(lambda: len(processes("conn")) < 50, "the crowd's processes to end")
        server.imap_login(who).logout()


def test_sessions_end_with_their_clients():
    who = user("gone")
    with Server(cleartext_login="yes") as server:
        for how in ({}, {"tls": False}):
            c = server.imap_login(who, **how)
            c.ok("SELECT INBOX")
            assert sessions_of(who)
            c.close()
            wait_for(lambda: not sessions_of(who), "the session to end")
            p = server.pop3_login(who, **how)
            p.close()
            wait_for(lambda: not sessions_of(who, "pop3"), "the session to end")


# ---- size ----------------------------------------------------------------------

def test_large_mail_costs_no_memory():
    who = user("large")
    block = b"0123456789abcdef" * 4 + b"\r\n"
    body = b"Subject: large\r\n\r\n" + block * (24 * (1 << 20) // len(block))
    with Server() as server:
        c = server.imap_login(who)
        c.ok("APPEND INBOX %L", body)
        c.ok("SELECT INBOX")
        got = c.ok("FETCH 1 BODY[]")[0]
        assert body in got
        c.ok("SEARCH BODY nothere")
        pid, = sessions_of(who)
        peak = int(status_of(pid)["VmHWM"].split()[0])
        assert peak < (120 if SANITIZED else 24) * 1024, "the session took %d KB" % peak
        c.logout()
        p = server.pop3_login(who)
        assert b"\r\n".join(p.ok("RETR 1", multi=True)) + b"\r\n" == body
        p.quit()


# ---- several at once -----------------------------------------------------------

class Worker(threading.Thread):
    """One client that changes the mailbox all the time; errors are kept."""

    def __init__(self, server, who, number, end):
        super().__init__(daemon=True)
        self.server, self.who, self.number, self.end = server, who, number, end
        self.error, self.rounds = None, 0
        self.start()

    def run(self):
        try:
            c = self.server.imap_login(self.who)
            c.ok("SELECT INBOX")
            while time.monotonic() < self.end:
                self.round(c)
                self.rounds += 1
            c.logout()
        except BaseException as error:
            self.error = error

    def round(self, c):
        tag = "w%d.%d" % (self.number, self.rounds)
        c.ok("APPEND INBOX (\\Seen) %L", b"Subject: %s\r\n\r\n%s\r\n" % (tag.encode(), tag.encode()))
        c.ok("NOOP")
        c.command("STORE 1 +FLAGS (\\Flagged)")
        c.command("UID FETCH 1:* (UID FLAGS)")
        if self.rounds % 3 == 2:
            c.command("UID STORE 1:3 +FLAGS.SILENT (\\Deleted)")
            c.ok("EXPUNGE")
        if self.rounds % 5 == 4:
            c.command("COPY 1 Trash")
            c.command("MOVE 1 Archive")


def test_several_clients_and_deliveries_at_once():
    who = user("busy")
    for raw in messages(10, seed=5):
        who.deliver(raw)
    with Server() as server:
        server.imap_login(who).logout()
        end = time.monotonic() + 6
        workers = [Worker(server, who, n, end) for n in range(5)]
        delivered = 0
        while time.monotonic() < end:
            who.deliver(b"Subject: delivered %d\n\nx\n" % delivered)
            delivered += 1
            workers[0].join(0.05)
        for w in workers:
            w.join(60)
            if w.error:
                raise w.error
            assert not w.is_alive() and w.rounds > 2, "%d rounds" % w.rounds
        print("# rounds", [w.rounds for w in workers], "deliveries", delivered)
        views = []
        for _ in range(2):
            c = server.imap_login(who)
            c.ok("SELECT INBOX")
            views.append(c.ok("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            c.logout()
        assert views[0] == views[1]
        uids = [int(re.search(rb"UID (\d+)", r).group(1)) for r in views[0]]
        assert uids == sorted(set(uids))
        subjects = [re.search(rb"Subject: ([^\r]*)", r).group(1) for r in views[0]]
        assert len(subjects) == len(set(subjects)), "a message is there twice"


main(__name__)
