#!/usr/bin/env python3
"""POP3 sessions as a user starts them by hand: what conversations cannot show."""
import hashlib
import threading

from lib import *
from corpus import messages

RAW = b"Subject: %d\n\nbody\n"


class Drop:
    """An account, and its POP3 sessions."""

    def __init__(self, prefix, **settings):
        self.who = user(prefix)
        self.config = "".join("%s %s\n" % (k.replace("_", "-"), v)
                              for k, v in settings.items()) or "\n"

    def start(self, greet=True, **env):
        """A session: the connection, with .process and .welcome."""
        ours, theirs = socket.socketpair()
        who = self.who
        env = dict(HOME=who.home, LOGNAME=who.name, TZ="UTC0", MAILREEVE_CONFIG=self.config, **env)
        env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
        process = subprocess.Popen([LIBEXEC + "/pop3"], stdin=theirs, stdout=theirs, env=env,
                                   user=who.uid, group=who.gid, extra_groups=[], cwd="/")
        theirs.close()
        c = wire.Pop3(ours)
        c.process = process
        if greet:
            c.welcome = c.greeting()
            assert c.welcome.startswith(b"+OK "), c.welcome
        return c

    def files(self):
        return [n for sub in ("cur", "new") for n in os.listdir(os.path.join(self.who.maildir, sub))]


def ended(c, status=0):
    assert c.process.wait(wire.TIMEOUT) == status, c.process.returncode


def on_wire(raw):
    lines = re.sub(rb"\r?\n", b"\r\n", raw)
    return lines if not lines or lines.endswith(b"\n") else lines + b"\r\n"


def octets(lines):
    return sum(len(line) + 2 for line in lines)


# ---- sizes ---------------------------------------------------------------------

def test_sizes_are_what_retr_sends():
    drop = Drop("sizes")
    corpus = messages(120, seed=11) + [b"", b"x", b"\n", b".", b".\n", b"a\r\nb\n.c", b"\n\n..\n"]
    for raw in corpus:
        drop.who.deliver(raw)
    c = drop.start()
    listed = dict(map(int, line.split()) for line in c.ok("LIST", multi=True))
    assert len(listed) == len(corpus)
    assert c.ok("STAT") == b"+OK %d %d" % (len(corpus), sum(listed.values()))
    assert c.welcome == b"+OK %d messages (%d octets)" % (len(corpus), sum(listed.values()))
    got = []
    for number in listed:
        lines = c.ok("RETR %d" % number, multi=True)
        assert octets(lines) == listed[number] == int(c.ok("LIST %d" % number).split()[2]), number
        got.append(b"".join(line + b"\r\n" for line in lines))
    assert sorted(got) == sorted(map(on_wire, corpus))
    c.quit()
    ended(c)


def test_top_is_the_beginning_of_retr():
    drop = Drop("top")
    for raw in messages(30, seed=12):
        drop.who.deliver(raw)
    c = drop.start()
    for number in range(1, 31):
        whole = c.ok("RETR %d" % number, multi=True)
        head = whole.index(b"") + 1 if b"" in whole else len(whole)
        for n in (0, 1, 5, 100000):
            assert c.ok("TOP %d %d" % (number, n), multi=True) == whole[:head + n]
    c.quit()


# ---- nothing is lost -----------------------------------------------------------

def test_whatever_ends_a_session_deletes_nothing():
    drop = Drop("kept")
    for n in range(3):
        drop.who.deliver(RAW % n)
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, None):
        c = drop.start()
        for n in (1, 2, 3):
            c.ok("DELE %d" % n)
        assert c.ok("STAT") == b"+OK 0 0"
        if how == signal.SIGTERM:
            c.process.terminate()
            assert c.response() == b"-ERR [SYS/TEMP] the server is shutting down"
            c.expect_eof()
        elif how:
            c.process.send_signal(how)
            assert not c.fill() or how == signal.SIGHUP
        c.close()
        c.process.wait(wire.TIMEOUT)
        assert len(drop.files()) == 3, how
    c = drop.start()
    for n in (1, 2, 3):
        c.ok("DELE %d" % n)
    c.quit()
    assert drop.files() == []


def test_a_client_that_reads_nothing_is_ended():
    drop = Drop("deaf", write_timeout="1s")
    drop.who.deliver(b"Subject: large\n\n" + b"x" * 70 + b"\n" * 4000000)
    mark = log.mark()
    c = drop.start()
    c.ok("DELE 1")
    c.ok("RSET")
    c.send(b"RETR 1\r\n")
    ended(c)
    log.wait(r"pop3.*logout: .*reason=write-timeout", mark)
    assert len(drop.files()) == 1
    c.close()


def test_half_an_answer_is_never_finished():
    """A message that shrinks while it is sent: the connection ends without the final dot."""
    drop = Drop("shrunk")
    drop.who.deliver(b"Subject: large\n\n" + b"0123456789\n" * 2000000)
    c = drop.start()
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.sock.sendall(b"RETR 1\r\n")
    name, = drop.files()
    c.fill()
    for sub in ("cur", "new"):
        path = os.path.join(drop.who.maildir, sub, name)
        if os.path.exists(path):
            os.truncate(path, 100)
    while c.fill():
        pass
    assert not c.pending.endswith(b"\r\n.\r\n")
    ended(c)


# ---- who has the maildrop ------------------------------------------------------

def test_the_lock_goes_with_the_process():
    drop = Drop("lock")
    first = drop.start()
    second = drop.start(greet=False)
    assert second.greeting().startswith(b"-ERR [IN-USE] ")
    second.expect_eof()
    ended(second)
    first.process.kill()
    first.process.wait()
    third = drop.start()
    third.quit()
    for _ in range(20):             # QUIT's answer comes when it is free again
        drop.start().quit()


# ---- unique ids ----------------------------------------------------------------

def uidls(drop):
    c = drop.start()
    sizes = dict(line.split() for line in c.ok("LIST", multi=True))
    found = {}
    for line in c.ok("UIDL", multi=True):
        number, uid = line.split()
        lines = c.ok("RETR %d" % int(number), multi=True)
        assert octets(lines) == int(sizes[number])
        found[uid] = lines
    c.quit()
    return found


def test_unique_ids_are_for_ever():
    drop = Drop("uidl")
    for n in range(8):
        drop.who.deliver(RAW % n)
    before = uidls(drop)
    assert len(before) == 8
    # flags by another program
    cur = os.path.join(drop.who.maildir, "cur")
    for n, name in enumerate(sorted(os.listdir(cur))):
        if n % 2:
            os.rename(os.path.join(cur, name), os.path.join(cur, name.split(":")[0] + ":2,FS"))
    assert uidls(drop) == before
    # the index goes, and what is not mail
    for name in os.listdir(drop.who.maildir):
        if name not in ("cur", "new", "tmp"):
            run("rm", "-rf", os.path.join(drop.who.maildir, name))
    assert uidls(drop) == before
    # one goes, one comes
    c = drop.start()
    c.ok("DELE 3")
    c.quit()
    drop.who.deliver(RAW % 99)
    after = uidls(drop)
    assert len(after) == 8 and len(set(after) & set(before)) == 7
    new, = set(after) - set(before)
    assert after[new][0] == b"Subject: 99"


# ---- hostile maildirs ----------------------------------------------------------

def test_what_is_no_mail_keeps_nobody_from_mail():
    drop = Drop("odd")
    drop.who.deliver(RAW % 1)
    drop.start().quit()
    cur = os.path.join(drop.who.maildir, "cur")
    as_root = os.path.join(cur, "1600000001.secret:2,")
    with open(as_root, "w") as f:
        f.write("Subject: root only\n\nsecret\n")
    os.chmod(as_root, 0o600)
    os.symlink("/etc/passwd", os.path.join(cur, "1600000002.link:2,"))
    os.mkfifo(os.path.join(cur, "1600000003.fifo:2,"))
    os.mkdir(os.path.join(cur, "1600000004.dir:2,"))
    with open(os.path.join(cur, "1600000005.odd name\nwith line:2,"), "w") as f:
        f.write("Subject: odd\n\nx\n")
    os.chown(f.name, drop.who.uid, drop.who.gid)
    c = drop.start()
    seen = []
    for line in c.ok("LIST", multi=True):
        number, size = map(int, line.split())
        status = c.command("RETR %d" % number)
        if status.startswith(b"+OK"):
            lines = c.body()
            assert octets(lines) == size
            seen.append(lines[0])
        else:
            assert status.startswith(b"-ERR [SYS/PERM] "), status
    assert sorted(seen) == [b"Subject: 1", b"Subject: odd"], seen
    c.quit()


# ---- pipelining, memory --------------------------------------------------------

def test_a_long_pipeline_is_answered_in_order():
    drop = Drop("pipe")
    corpus = messages(40, seed=13)
    for raw in corpus:
        drop.who.deliver(raw)
    c = drop.start()
    asked = b"".join(b"RETR %d\r\nUIDL %d\r\nNOOP\r\n" % (n, n) for n in range(1, 41)) * 5
    writer = threading.Thread(target=lambda: c.send(asked))
    writer.start()
    for n in list(range(1, 41)) * 5:
        assert c.response().startswith(b"+OK")
        c.body()
        assert c.response().startswith(b"+OK %d " % n)
        assert c.response().startswith(b"+OK")
    writer.join()
    c.quit()


def test_a_large_message_costs_no_memory():
    drop = Drop("large")
    line = b"0123456789abcdef" * 4 + b"\n"
    body = b"Subject: large\n\n" + (line * 31 + b".stuffed\n") * 30000
    drop.who.deliver(body)
    want = on_wire(body)
    c = drop.start()
    assert c.ok("LIST 1") == b"+OK 1 %d" % len(want)
    assert c.ok("RETR 1").startswith(b"+OK")
    digest, have, tail = hashlib.sha256(), 0, b""
    while not tail.endswith(b"\r\n.\r\n"):
        if not c.pending and not c.fill():
            raise AssertionError("ends too early")
        data, c.pending = tail + c.pending, b""
        cut = max(0, data.rfind(b"\r\n", 0, len(data) - 5))
        whole, tail = data[:cut], data[cut:]
        plain = whole.replace(b"\r\n.", b"\r\n")
        digest.update(plain)
        have += len(plain)
    rest = tail[:-3].replace(b"\r\n.", b"\r\n")
    digest.update(rest)
    assert have + len(rest) == len(want)
    assert digest.hexdigest() == hashlib.sha256(want).hexdigest()
    with open("/proc/%d/status" % c.process.pid) as f:
        peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))
    print("# peak %d KB for %d KB" % (peak, len(want) // 1024))
    assert peak < (80 if SANITIZED else 8) * 1024, "%d KB" % peak
    c.checker.waiting.clear()
    c.checker.inside = False
    c.quit()


# ---- behind login --------------------------------------------------------------

def test_commands_sent_with_pass_reach_the_session():
    who = user("packet")
    who.deliver(RAW % 1)
    packet = b"USER %s\r\nPASS %s\r\nSTAT\r\nDELE 1\r\nCAPA\r\nRSET\r\nQUIT\r\n" % (
        who.name.encode(), who.password.encode())
    with Server(cleartext_login="yes"):
        for port, tls in (("pop3", False), ("pop3s", True)):
            c = wire.pop3(PORTS[port], tls=tls)
            c.send(packet)
            assert c.response().startswith(b"+OK")
            assert c.response() == b"+OK 1 messages (20 octets)"
            assert c.response() == b"+OK 1 20"
            assert c.response().startswith(b"+OK")
            assert c.response().startswith(b"+OK")
            assert {b"USER", b"SASL PLAIN LOGIN", b"TOP", b"UIDL"} <= set(c.body())
            assert c.response().startswith(b"+OK")
            assert c.response().startswith(b"+OK")
            c.expect_eof()


def test_capabilities_of_before_are_named_after():
    """RFC 2449 section 5; STLS has no place in a connection that is encrypted."""
    who = user("capa")
    with Server():
        c = wire.pop3(PORTS["pop3"])
        c.stls()
        before = set(c.ok("CAPA", multi=True))
        c.login(who.name, who.password)
        after = set(c.ok("CAPA", multi=True))
        assert before <= after, before - after
        assert after - before == {b"IMPLEMENTATION Mailreeve"}, after - before
        c.quit()


def test_utf8_is_handed_to_the_session():
    """RFC 6856 section 2.1: UTF8 is of the AUTHORIZATION state and lasts; it ends the time of STLS."""
    who = user("wide")
    raw = "Subject: Grüße\n\nTörö\n".encode()
    who.deliver(raw)
    with Server():
        for utf8 in (False, True):
            c = wire.pop3(PORTS["pop3"])
            c.stls()
            if utf8:
                c.ok("UTF8")
                assert c.command("STLS").startswith(b"-ERR")
            c.ok("LANG en")
            c.login(who.name, who.password)
            subject = "Grüße".encode() if utf8 else b"=?utf-8?q?Gr=C3=BC=C3=9Fe?="
            assert c.ok("RETR 1", multi=True)[0] == b"Subject: " + subject
            c.quit()


def test_names_and_passwords_are_utf8():
    """RFC 6856 section 2.2: what is not UTF-8, or prohibited by RFC 4013 section 2.3, is refused."""
    with Server():
        c = wire.pop3(PORTS["pop3s"], tls=True)
        c.send(b"USER j\xfcrgen\r\n")
        assert c.response().startswith(b"-ERR [AUTH] ")
        c.send("USER j\u202ergen\r\n".encode())
        assert c.response().startswith(b"-ERR [AUTH] ")
        c.send("USER jürgen\r\n".encode())
        assert c.response().startswith(b"+OK")
        c.send(b"PASS \xff\r\n")
        assert c.response().startswith(b"-ERR [AUTH] ")
        c.quit()


def test_in_use_is_the_answer_to_pass():
    who = user("busy")
    who.deliver(RAW % 1)
    with Server() as server:
        first = server.pop3_login(who)
        second = wire.pop3(PORTS["pop3s"], tls=True)
        second.ok("USER " + who.name)
        assert second.command("PASS " + who.password).startswith(b"-ERR [IN-USE] ")
        second.expect_eof()
        imap = server.imap_login(who)
        imap.ok("SELECT INBOX")
        imap.ok("STORE 1 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
        imap.logout()
        assert first.command("RETR 1").startswith(b"-ERR [SYS/TEMP] ")
        first.ok("DELE 1")
        first.quit()
        server.pop3_login(who).quit()


# ---- the log -------------------------------------------------------------------

def test_one_line_in_the_log():
    drop = Drop("log")
    drop.who.deliver(RAW % 1)
    drop.who.deliver(RAW % 2)
    mark = log.mark()
    c = drop.start(MAILREEVE_TAG="", MAILREEVE_REMOTE="192.0.2.7:4031 user=x")
    c.ok("RETR 1", multi=True)
    c.ok("TOP 2 0", multi=True)
    c.ok("DELE 1")
    c.quit()
    line = log.wait(r"pop3\[\d+\]: logout: ", mark)
    for part in ("rip=192.0.2.7:4031\\20user\\3dx", "user=" + drop.who.name, "proto=pop3",
                 "reason=quit", "retr=1", "top=1", "deleted=1", "session=-"):
        assert " %s " % part in line + " ", (part, line)


main(__name__)
