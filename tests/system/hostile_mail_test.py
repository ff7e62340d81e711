#!/usr/bin/env python3
"""Mail directories that their owner, or somebody who could write there, made to harm:
files of every wrong kind in every place, names and sizes that lie, mail that changes
while it is read. Nothing that the owner may not read is served, no command hangs, no
answer breaks the protocol, and the rest of the mail stays usable."""
import stat

from lib import *

SECRET = b"the secret of somebody else"
SLOW = 5 if SANITIZED else 1
HANG = 10 * SLOW                # seconds; what waits for a FIFO waits for ever


class Victim:
    """Another user, with a secret in every reach of the wrong paths."""

    def __init__(self):
        self.who = user("victim")
        self.who.deliver(b"Subject: private\n\n" + SECRET + b"\n", flags="S")
        self.closed = self.who.file("closed", SECRET.decode() + "\n", 0o600)
        self.mbox = self.who.file("mbox", "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\n%s\n"
                                  % SECRET.decode(), 0o600)
        self.before = self.state()

    def state(self):
        found = {}
        for folder, _, files in os.walk(self.who.home):
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    found[os.path.join(folder, name)] = f.read()
        return found

    def unharmed(self):
        assert self.state() == self.before, "somebody else's files changed"


victims = []


def victim():
    if not victims:
        victims.append(Victim())
    return victims[0]


def make(kind, path, who):
    """Something of that kind at path, as the owner could have put it there."""
    if kind == "link to a secret":
        os.symlink(victim().closed, path)
    elif kind == "link to a device":
        os.symlink("/dev/zero", path)
    elif kind == "link to itself":
        os.symlink(os.path.basename(path), path)
    elif kind == "link upwards":
        os.symlink("../..", path)
    elif kind == "link inwards":        # whoever follows it makes a file there
        os.symlink(os.path.join(who.maildir, "inwards"), path)
    elif kind == "link to an own file":
        with open(who.maildir + "/own", "wb") as f:
            f.write(SECRET)
        os.chown(who.maildir + "/own", who.uid, who.gid)
        os.symlink("../own", path)
    elif kind == "dangling link":
        os.symlink("/home/nobody/there", path)
    elif kind == "FIFO":
        os.mkfifo(path, 0o600)
    elif kind == "directory":
        os.mkdir(path, 0o700)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(path)
    elif kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    elif kind == "unreadable":
        with open(path, "wb") as f:
            f.write(SECRET)
        os.chmod(path, 0)
    elif kind == "NULs":
        with open(path, "wb") as f:
            f.write(bytes(100000))
    elif kind == "text":
        with open(path, "wb") as f:
            f.write(b"1 a\nuidvalidity 99999999999999999999\n: x\n\xff\xfe\n" + b"9" * 70000)
    elif kind == "endless":             # 1 TB, none of it on the disk
        with open(path, "wb") as f:
            f.truncate(1 << 40)
    os.chown(path, who.uid, who.gid, follow_symlinks=False)


KINDS = ("link to a secret", "link to a device", "link to itself", "link upwards", "link inwards",
         "dangling link", "FIFO", "directory", "socket", "device", "unreadable", "NULs", "text", "endless")


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        subprocess.run(["rm", "-rf", path], check=True)
    elif os.path.lexists(path):
        os.unlink(path)


def fresh(who, messages=2):
    """A new Maildir with some mail."""
    remove(who.maildir)
    for n in range(messages):
        who.deliver(b"Subject: good %d\n\ngood mail\n" % n, flags="S")


# What a client does with its mail, so that each file of ours is used.
COMMANDS = (
    'LIST "" *', 'LSUB "" *', "SELECT INBOX", "UID FETCH 1:* (FLAGS UID BODY.PEEK[] RFC822.SIZE)",
    "STORE 1:* +FLAGS (\\Flagged $Forwarded)", "SEARCH TEXT secret", "FETCH 1:* (ENVELOPE BODY)",
    "APPEND INBOX {9+}\r\nA: b\r\n\r\nc", "CREATE Made", "SUBSCRIBE Made", "RENAME Made Renamed",
    "COPY 1:* Renamed", "STATUS Renamed (MESSAGES UIDNEXT)", "UNSUBSCRIBE Made", "DELETE Renamed",
    'SETMETADATA INBOX (/private/comment "x")', 'SETMETADATA "" (/private/comment "x")',
    "GETMETADATA INBOX /private/comment", "NOOP", "CHECK", "EXPUNGE", "CLOSE",
)


def use_imap(server, who):
    """All that is said. A session may be refused; it may not hang or end by itself."""
    said = b""
    c = server.imap(tls=False, source=None)
    c.timeout = HANG
    c.send(b"x LOGIN %s %s\r\n" % (who.name.encode(), who.password.encode()))
    first = c.response()
    if not first.startswith(b"x OK"):
        assert first.startswith(b"x NO [UNAVAILABLE]"), first
        assert c.response().startswith(b"* BYE"), "refused, and no BYE"
        c.close()
        return first
    for command in COMMANDS:
        tagged, untagged = c.command(command)
        assert tagged.split()[1] in (b"OK", b"NO", b"BAD"), tagged
        said += b"\n".join(untagged) + tagged
    c.logout()
    return said


def use_pop3(server, who):
    c = server.pop3(tls=False)
    c.timeout = HANG
    c.ok("USER " + who.name)
    first = c.command("PASS " + who.password)
    if first.startswith(b"-ERR"):
        c.close()
        return first
    said = b""
    for command in ("LIST", "UIDL"):
        if c.command(command).startswith(b"+OK"):
            said += b"\n".join(c.body())
    for number in range(1, int(c.ok("STAT").split()[1]) + 1):
        if c.command("RETR %d" % number).startswith(b"+OK"):
            said += b"\n".join(c.body())
    c.quit()
    return said


def ended(who):
    wait_for(lambda: not processes("imap") and not processes("pop3"), "the sessions to end")


def nothing_bad(said, mark, what):
    assert SECRET not in said, "served: %s" % (what,)
    assert not log.find("ended by signal|Sanitizer|runtime error", mark), \
        (what, log.find("ended by signal|Sanitizer|runtime error", mark))


# ---- the wrong thing in a file's place ------------------------------------------------

STATE = ("mailreeve-state", "mailreeve-lock", "mailreeve-keywords", "mailreeve-flags",
         "mailreeve-uids", "mailreeve-uidl", "maildirfolder", "maildirsize")
LISTS = ("mailreeve-subscriptions", "mailreeve-special-use", "mailreeve-uidvalidity",
         "mailreeve-names-lock", "mailreeve-pop3-lock", "mailreeve-renaming", "mailreeve-making",
         "mailreeve-metadata", "mailreeve-server-metadata")
INDEX = ("mailreeve-index", "mailreeve-index-lock", "mailreeve-index-write")
FOREIGN = ("dovecot-uidlist", "dovecot-keywords", "courierimapuiddb", "courierimapkeywords",
           "courierpop3dsizelist", "subscriptions", "courierimapsubscribed")
PARTS = ("cur", "new", "tmp")


def read_all(server, who):
    c = server.imap(tls=False)
    c.login(who.name, who.password)
    c.ok("SELECT INBOX")
    said = b"".join(c.ok("UID FETCH 1:* BODY.PEEK[]"))
    c.logout()
    return said


def wrong(server, who, name, kind, later):
    """One file in one wrong form, at the first visit or a later one."""
    what = (name, kind, "later" if later else "first visit")
    fresh(who)
    if later:
        use_imap(server, who)
    mark = log.mark()
    path = os.path.join(who.maildir, name)
    remove(path)
    make(kind, path, who)
    try:
        nothing_bad(use_imap(server, who) + use_pop3(server, who), mark, what)
        assert not os.path.lexists(who.maildir + "/inwards"), "a link was followed"
        remove(path)
        if name in PARTS:
            fresh(who)
        # Away with it, and everything is as it should be.
        assert b"good mail" in read_all(server, who), what
    except AssertionError as error:
        raise AssertionError("%s: %s" % (what, error)) from error


def sessions():
    return list(processes("imap")) + list(processes("pop3"))


def wrong_files(names, visits=(False, True)):
    who = user("wrong")
    with Server(cleartext_login="yes") as server, Watched(sessions, 256 << 10):
        for i, name in enumerate(names):
            for j, kind in enumerate(KINDS):
                wrong(server, who, name, kind, visits[(i + j) % len(visits)])
        ended(who)
    victim().unharmed()


def test_wrong_things_in_the_place_of_state():
    wrong_files(STATE)


def test_wrong_things_in_the_place_of_lists():
    wrong_files(LISTS)


def test_wrong_things_in_the_place_of_the_index():
    wrong_files(INDEX)


def test_wrong_things_in_the_place_of_other_servers_files():
    wrong_files(FOREIGN, visits=(False,))


def test_wrong_things_in_the_place_of_directories():
    wrong_files(PARTS)


# ---- directories that lead elsewhere ----------------------------------------------------

def refused(server, who):
    """The mail cannot be opened: both protocols say so."""
    c = server.imap(tls=False)
    tagged = c.command("LOGIN %s %s" % (who.name, who.password))[0]
    assert b" NO [UNAVAILABLE]" in tagged, tagged
    assert c.response().startswith(b"* BYE"), "no BYE"
    c.close()
    p = server.pop3(tls=False)
    p.ok("USER " + who.name)
    assert p.command("PASS " + who.password).startswith(b"-ERR"), "it got in"
    p.close()


def test_a_maildir_that_is_somebody_elses():
    """A link, a file, nothing that may be read: refused with a line in the log."""
    other = victim()
    os.chmod(other.who.home, 0o755)
    os.chmod(other.who.maildir, 0o700)
    who = user("linked")
    with Server(cleartext_login="yes") as server:
        for how in ("link", "file", "FIFO", "loop", "forbidden", "home"):
            remove(who.maildir)
            if how == "link":
                os.symlink(other.who.maildir, who.maildir)
            elif how == "file":
                make("NULs", who.maildir, who)
            elif how == "FIFO":
                make("FIFO", who.maildir, who)
            elif how == "loop":
                make("link to itself", who.maildir, who)
            elif how == "forbidden":
                fresh(who)
                os.chmod(who.maildir, 0)
            else:
                os.rename(who.home, who.home + ".away")
            mark = log.mark()
            refused(server, who)
            for proto in ("imap", "pop3"):
                log.wait("logout: .*user=%s proto=%s " % (who.name, proto), mark)
                line, = log.find(r" %s\[\d+\]: (?!logout).*user=%s " % (proto, who.name), mark)
                assert "cannot open mail: home %s: " % who.home in line, (how, line)
            if how == "home":
                os.rename(who.home + ".away", who.home)
            elif how == "forbidden":
                os.chmod(who.maildir, 0o700)
        remove(who.maildir)
        fresh(who)
        assert b"good mail" in read_all(server, who)
    os.chmod(other.who.home, 0o700)
    other.unharmed()


def test_folders_that_lead_elsewhere():
    other, who = victim(), user("folders")
    fresh(who)
    # All that file permissions would let through must still not be a mailbox of who's.
    os.symlink(other.who.maildir, who.maildir + "/.Theirs")
    os.symlink("..", who.maildir + "/.Up")
    os.symlink(".", who.maildir + "/.Loop")
    os.symlink("/", who.maildir + "/.Root")
    for name in (".Curlink", ".Newlink", ".Fifo"):
        os.makedirs(who.maildir + "/" + name)
        for sub in ("cur", "new", "tmp"):
            os.mkdir("%s/%s/%s" % (who.maildir, name, sub))
    for name, sub in ((".Curlink", "cur"), (".Newlink", "new")):
        os.rmdir("%s/%s/%s" % (who.maildir, name, sub))
        os.symlink(other.who.maildir + "/cur", "%s/%s/%s" % (who.maildir, name, sub))
    os.rmdir(who.maildir + "/.Fifo/new")
    os.mkfifo(who.maildir + "/.Fifo/new")
    who.own(who.maildir)
    with Server(cleartext_login="yes") as server:
        c = server.imap(tls=False)
        c.timeout = HANG
        c.login(who.name, who.password)
        listed = b"".join(c.ok('LIST "" *'))
        for name in (b"Theirs", b"Up", b"Loop", b"Root"):
            assert name not in listed, listed
        for name in ("Theirs", "Up", "Loop", "Root", "Curlink", "Newlink", "Fifo", "Theirs/cur",
                     "Up/Up", "../victim", ".", "..", "cur"):
            for command in ("SELECT", "EXAMINE", "STATUS"):
                tagged = c.command("%s %s%s" % (command, name, " (MESSAGES)" * (command == "STATUS")))[0]
                assert b" NO " in tagged or b" BAD " in tagged, (name, tagged)
            tagged, _ = c.command("APPEND %s {9+}\r\nA: b\r\n\r\nc" % name)
            assert b" NO " in tagged or b" BAD " in tagged, (name, tagged)
            c.command("DELETE " + name)
            c.command("RENAME %s Got" % name)
            c.command("RENAME Got %s" % name)
        c.ok("SELECT INBOX")
        c.logout()
    assert not os.path.lexists(who.maildir + "/.Got") or os.path.islink(who.maildir + "/.Got")
    other.unharmed()


def test_names_of_folders():
    """Whatever a directory is called, LIST is grammatical and each name that it says works."""
    who = user("names")
    fresh(who)
    odd = [b".", b"..a", b".a..b", b".a.", b".&", b".&&", b".&AAA", b".&AAAA-", b".&2AA-", b".&-", b".&AC8-",
           b".with space", b".with\nnewline", b".with\ttab", b".\xff\xfe", b".\xc3\xa4", b".%", b".*",
           b'."quoted"', b".back\\slash", b".{5}", b".(", b"." + b"x" * 200, b".NIL", b".INBOX",
           b".inbox.x", b"." + b".".join([b"d"] * 60), b".mailreeve-index", b".&ANw-ber", b".a\x7fb"]
    for name in odd:
        path = who.maildir.encode() + b"/" + name
        if not os.path.exists(path):
            for sub in (b"cur", b"new", b"tmp"):
                os.makedirs(path + b"/" + sub)
    who.own(who.maildir)
    with Server(cleartext_login="yes") as server:
        c = server.imap(tls=False)
        c.login(who.name, who.password)
        for line in c.ok('LIST "" *'):
            name = re.match(rb'\* LIST \([^)]*\) "/" (.*)', line, re.S).group(1)
            if b"\\NonExistent" in line or b"\\Noselect" in line:
                continue
            tagged, _ = c.command(b"EXAMINE " + name)
            assert b" OK " in tagged, (line, tagged)
        c.logout()


# ---- messages ---------------------------------------------------------------------------

def test_names_of_messages():
    """Sizes, UIDs and flags in names that lie; names that are no text."""
    who = user("liar")
    remove(who.maildir)
    raw = b"Subject: liar\n\n" + b"0123456789\n" * 100
    size = len(raw)
    names = [b"1.S=1,W=1", b"2,S=%d,W=1" % size, b"3,S=%d,W=%d" % (size, 3 * size),
             b"4,S=18446744073709551616,W=99999999999999999999", b"5,S=-1", b"6,S=,W=,U=",
             b"7,U=1.4294967295", b"8,U=4294967296.1", b"9,U=0.0", b"10,U=1.1,U=1.2", b"11:2,ZZZ\xff",
             b"12:2,", b"13:3,S", b"14:2,SSSS,FFF", b"with space", b"with\nnewline", b"\xff\xfe\x80",
             b"%s%n", b"x" * 255, b"x" * 250 + b":2,S", b",S=5,W=5", b"15,S=%d,W=0" % size, b"-", b"~"]
    for sub in ("cur", "new", "tmp"):
        os.makedirs("%s/%s" % (who.maildir, sub))
    for i, name in enumerate(names):
        for sub in (b"cur", b"new"):
            with open(b"%s/%s/%s%s" % (who.maildir.encode(), sub, sub[:1] if len(name) < 250 else b"",
                                       name), "wb") as f:
                f.write(raw)
    who.own(who.maildir)
    want = raw.replace(b"\n", b"\r\n")
    with Server(cleartext_login="yes") as server:
        for _ in range(2):              # the second time from the index
            c = server.imap(tls=False)
            c.login(who.name, who.password)
            c.ok("SELECT INBOX")
            got = c.ok("UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])")
            bodies = [r for r in got if b"BODY[]" in r]
            assert len(bodies) == 2 * len(names), len(bodies)
            for r in bodies:
                assert b"BODY[] {%d}\r\n%s" % (len(want), want) in r, r[:300]
            uids = [int(re.search(rb"UID (\d+)", r).group(1)) for r in bodies]
            assert uids == sorted(set(uids)) and max(uids) < 2 ** 32
            c.ok("FETCH 1:* (BODY.PEEK[]<5.20> ENVELOPE BODYSTRUCTURE)")
            c.logout()
            p = server.pop3(tls=False)
            p.login(who.name, who.password)
            for line in p.ok("LIST", multi=True):
                assert b"\r\n".join(p.ok("RETR " + line.split()[0].decode(), multi=True)) + b"\r\n" == want
            assert len({line.split()[1] for line in p.ok("UIDL", multi=True)}) == 2 * len(names)
            p.quit()


def test_sizes_of_messages_that_nobody_can_know_to_be_wrong():
    """The answer keeps its form, the client is told, other messages are as they were."""
    who = user("wsize")
    raw = b"Subject: liar\n\n" + b"0123456789\n" * 100
    wire_size = len(raw) + raw.count(b"\n")
    for claimed in (wire_size + 50, wire_size - 50):
        remove(who.maildir)
        who.deliver(raw, flags="", name="1700000000.a,S=%d,W=%d" % (len(raw), claimed))
        who.deliver(b"Subject: second\n\nsecond\n", flags="")
        with Server(cleartext_login="yes") as server:
            mark = log.mark()
            c = server.imap(tls=False)
            c.login(who.name, who.password)
            c.ok("SELECT INBOX")
            tagged, got = c.command("FETCH 1:* BODY.PEEK[]")
            assert b"BODY[] {%d}" % claimed in b"".join(got), got
            assert b"second" in b"".join(got)
            if claimed > wire_size:
                assert b" NO [CORRUPTION]" in tagged, tagged
                assert log.wait("uid=. cannot be read: .* user=%s " % who.name, mark)
            c.logout()


def test_messages_that_become_something_else():
    """Between SELECT and FETCH a message is made a link, a directory, a FIFO, nothing."""
    other, who = victim(), user("turncoat")
    with Server(cleartext_login="yes") as server:
        for kind in ("link to a secret", "link to a device", "link to an own file", "FIFO",
                     "directory", "socket", "device", "unreadable", "gone"):
            fresh(who, 3)
            c = server.imap(tls=False)
            c.timeout = HANG
            c.login(who.name, who.password)
            c.ok("SELECT INBOX")
            p = server.pop3(tls=False)
            p.timeout = HANG
            p.login(who.name, who.password)
            folder = who.maildir + "/cur/"
            name = sorted(os.listdir(folder))[1]
            os.unlink(folder + name)
            if kind != "gone":
                make(kind, folder + name, who)
            mark = log.mark()
            said = b""
            for command in ("FETCH 1:* BODY.PEEK[]", "FETCH 2 (ENVELOPE BODYSTRUCTURE)",
                            "FETCH 2 BODY[]<3.4>", "SEARCH TEXT secret", "COPY 2 Trash",
                            "STORE 2 +FLAGS (\\Deleted)", "EXPUNGE", "NOOP"):
                tagged, untagged = c.command(command)
                said += tagged + b"".join(untagged)
            assert said.count(b"good mail") >= 2, kind
            c.logout()
            for number in range(1, 4):
                if p.command("RETR %d" % number).startswith(b"+OK"):
                    said += b"".join(p.body())
            p.command("QUIT")
            p.close()
            nothing_bad(said, mark, kind)
            remove(folder + name)
    other.unharmed()


def slowly(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


def test_messages_that_shrink_while_they_are_read():
    """The literal has the length it was announced with, or the connection ends."""
    who = user("shrink")
    line = b"0123456789abcdef" * 4 + b"\n"
    body = b"Subject: large\n\n" + line * (8 * (1 << 20) // len(line))
    with Server(cleartext_login="yes") as server:
        for kind in ("imap", "pop3"):
            for change in ("shrink", "empty", "grow", "replace"):
                remove(who.maildir)
                who.deliver(body, flags="S")
                who.deliver(b"Subject: second\n\nsecond\n", flags="S")
                c = server.imap(tls=False) if kind == "imap" else server.pop3(tls=False)
                slowly(c.sock)
                c.login(who.name, who.password)
                if kind == "imap":
                    c.ok("SELECT INBOX")
                path = who.maildir + "/cur/" + sorted(os.listdir(who.maildir + "/cur"))[0]
                mark = log.mark()
                c.send(b"f FETCH 1 (BODY.PEEK[])\r\n" if kind == "imap" else b"RETR 1\r\n")
                first = c.line()
                with open(path, "r+b") as f:
                    if change in ("shrink", "empty"):
                        f.truncate(5000 if change == "shrink" else 0)
                    elif change == "grow":
                        f.seek(0, 2)
                        f.write(b"more\n" * 100000)
                    else:
                        f.write(b"\0\r" * 1000000)
                try:
                    if kind == "imap":
                        n = int(re.search(rb"\{(\d+)\}", first).group(1))
                        c.exactly(n)
                        assert c.line() == b")\r\n", "the literal has another length"
                        while not c.line().startswith(b"f "):
                            pass
                        c.ok("FETCH 2 BODY.PEEK[]")
                    else:
                        while c.line() != b".\r\n":
                            pass
                        c.ok("RETR 2", multi=True)
                    c.close()
                except wire.WireError as error:
                    assert "ends inside" in str(error) or "closed" in str(error) or \
                        "bare CR" in str(error) and change == "replace", error
                    c.close()
                ended(who)
                nothing_bad(b"", mark, (kind, change))
                c = server.imap(tls=False)
                c.login(who.name, who.password)
                c.ok("SELECT INBOX")
                assert b"second" in b"".join(c.command("FETCH 1:* BODY.PEEK[]")[1])
                c.logout()


def test_the_log_of_many_wrong_files_is_short():
    who = user("noisy")
    fresh(who)
    for n in range(2000):
        os.mkfifo("%s/cur/%d.fifo:2,S" % (who.maildir, n))
    who.own(who.maildir)
    with Server(cleartext_login="yes") as server:
        mark = log.mark()
        assert b"good mail" in read_all(server, who)
        log.wait("passed over", mark)
        lines = log.find("passed over", mark)
        assert 0 < len(lines) < 50, len(lines)
        assert "user=%s " % who.name in lines[0] and ".fifo" in lines[0], lines[0]


# ---- mbox ---------------------------------------------------------------------------------

def test_wrong_things_in_the_place_of_an_mbox():
    other, who = victim(), user("mbox")
    inbox = "/var/mail/" + who.name
    with Server(cleartext_login="yes", mail_format="mbox") as server, Watched(sessions, 256 << 10):
        for place in (inbox, who.home + "/mail/Folder", who.home + "/mail", inbox + ".lock"):
            for kind in KINDS:
                if kind == "endless" and place != inbox + ".lock":
                    continue            # a terabyte of mail may be read
                remove(who.home + "/mail")
                remove(inbox)
                remove(inbox + ".lock")
                os.makedirs(who.home + "/mail", exist_ok=True)
                with open(inbox, "wb") as f:
                    f.write(b"From a@b Thu Jan  1 00:00:00 1970\nSubject: good\n\ngood mail\n")
                os.chown(inbox, who.uid, who.gid)
                who.own(who.home)
                remove(place)
                if kind == "link to a secret" and place != who.home + "/mail":
                    os.symlink(other.mbox, place)
                else:
                    make(kind, place, who)
                mark = log.mark()
                what = (place, kind)
                try:
                    said = use_mbox(server, who)
                except AssertionError as error:
                    raise AssertionError("%s: %s" % (what, error)) from error
                nothing_bad(said, mark, what)
        ended(who)
    other.unharmed()


def use_mbox(server, who):
    """Locks may be waited for: these commands are few, and the limits long."""
    c = server.imap(tls=False)
    c.timeout = 60
    tagged = c.command("LOGIN %s %s" % (who.name, who.password))[0]
    said = tagged
    if b" OK " not in tagged:
        assert b" NO [UNAVAILABLE]" in tagged, tagged
        c.close()
        return said
    for command in ('LIST "" *', "SELECT INBOX", "FETCH 1:* BODY.PEEK[]", "SELECT Folder",
                    "FETCH 1:* BODY.PEEK[]"):
        tagged, untagged = c.command(command)
        said += tagged + b"".join(untagged)
    c.logout()
    return said


main(__name__)
