#!/usr/bin/env python3
"""Mail directories that their owner, or somebody who could write there, made to harm:
files of every wrong kind in every place, names and sizes that lie, mail that changes
while it is read. Nothing that the owner may not read is served, no command hangs, no
answer breaks the protocol, and the rest of the mail stays usable."""
import stat
import threading

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


KINDS = ("link to a secret", "link to a device", "link to itself", "link upwards", "dangling link",
         "FIFO", "directory", "socket", "device", "unreadable", "NULs", "text", "endless")


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
        remove(path)
        if name in PARTS:
            fresh(who)
        # Away with it, and everything is as it should be.
        assert b"good mail" in read_all(server, who), what
    except AssertionError as error:
        raise AssertionError("%s: %s" % (what, error)) from error


def wrong_files(names, visits=(False, True)):
    who = user("wrong")
    with Server(cleartext_login="yes") as server, Memory(256 << 10):
        for i, name in enumerate(names):
            for j, kind in enumerate(KINDS):
                wrong(server, who, name, kind, visits[(i + j) % len(visits)])
        ended(who)
    victim().unharmed()


class Memory(threading.Thread):
    """No session becomes larger, in KB, whatever it reads."""

    def __init__(self, limit):
        super().__init__(daemon=True)
        self.limit, self.most, self.over = limit, 0, threading.Event()

    def look(self):
        for pid in list(processes("imap")) + list(processes("pop3")):
            try:
                with open("/proc/%d/status" % pid) as f:
                    found = re.search(r"VmHWM:\s+(\d+)", f.read())
                self.most = max(self.most, int(found.group(1)) if found else 0)
            except (FileNotFoundError, ProcessLookupError):
                pass

    def run(self):
        while not self.over.wait(0.1):
            self.look()

    def __enter__(self):
        self.start()

    def __exit__(self, kind, error, trace):
        self.over.set()
        self.join()
        if kind is None:
            assert SANITIZED or self.most < self.limit, "%d KB" % self.most


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


main(__name__)
