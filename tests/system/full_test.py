#!/usr/bin/env python3
"""A disk without room, and one that cannot be written to: reading goes on, writing says why, nothing is lost."""
from lib import *

MESSAGES = 5
FROM = "From a@example.org Sat Nov 21 01:02:03 2026\n"
RAW = "Subject: m%d\n\nbody of %d\n"
BIG = b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" + b"0123456789" * 20000 + b"\r\n"


class Disk:
    """A user's mail on a file system of its own."""

    def __init__(self, prefix, mbox):
        self.who, self.mbox = user(prefix), mbox
        self.top = self.who.home + "/mail" if mbox else self.who.maildir
        os.mkdir(self.top)
        run("mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=400,mode=700,uid=%d,gid=%d"
            % (self.who.uid, self.who.gid), "mail", self.top)
        if mbox:
            self.who.file("mail/inbox", "".join(FROM + RAW % (n, n) + "\n" for n in range(1, MESSAGES + 1)))
            os.chmod(self.top, 0o700)
        else:
            for n in range(1, MESSAGES + 1):
                self.who.deliver(RAW % (n, n), flags="")

    def settings(self):
        return dict(mail_format="mbox", mbox_inbox="mail/inbox") if self.mbox else {}

    def fill(self):
        """Not one octet more."""
        with open(self.top + "/.filler", "wb", buffering=0) as f:
            for piece in (65536, 4096, 1):
                try:
                    while True:
                        f.write(b"x" * piece)
                except OSError:
                    pass

    def room(self):
        os.unlink(self.top + "/.filler")

    def take_inodes(self):
        os.mkdir(self.top + "/.inodes")
        try:
            for n in range(400):
                open("%s/.inodes/%d" % (self.top, n), "w").close()
        except OSError:
            pass

    def give_inodes(self):
        run("rm", "-rf", self.top + "/.inodes")

    def mount(self, how):
        run("mount", "-o", "remount," + how, self.top)


def bodies(c):
    return [re.search(rb"body of (\d+)", r)[1] for r in c.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])") if b"body of" in r]


ALL = [b"%d" % n for n in range(1, MESSAGES + 1)]


def refused(c, command, *literals, code):
    tagged, untagged = c.command(command, *literals)
    assert re.match(rb"\w+ NO \[(%s)\]" % code, tagged), (command, tagged)
    return untagged


def done_or_refused(c, command, code):
    """What needs no room may be done."""
    tagged = c.command(command)[0]
    assert re.match(rb"\w+ (OK|NO \[(%s)\])" % code, tagged), (command, tagged)


def reads_go_on(server, who):
    """IMAP and POP3, by sessions that begin now."""
    c = server.imap_login(who, tls=False)
    c.ok("SELECT INBOX")
    assert bodies(c) == ALL
    assert [r for r in c.ok("SEARCH SUBJECT m3") if r.startswith(b"* SEARCH")] == [b"* SEARCH 3"]
    c.logout()
    p = server.pop3(tls=False)
    p.login(who.name, who.password)
    assert b"body of 2" in p.ok("RETR 2", multi=True)
    p.quit()


def no_room(disk, without_index):
    with Server(**disk.settings()) as server:
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL
        c.ok("UNSELECT")
        disk.fill()
        if without_index:
            index = disk.top + ("/.mailreeve" if disk.mbox else "") + "/mailreeve-index"
            os.unlink(index)
            disk.room()
            disk.fill()
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL
        refused(c, "APPEND INBOX %L", BIG, code=b"OVERQUOTA")
        done_or_refused(c, r"STORE 1 +FLAGS (\Flagged a b c)", b"OVERQUOTA")
        done_or_refused(c, "CREATE More", b"OVERQUOTA")
        done_or_refused(c, "COPY 1 Archive", b"OVERQUOTA")
        c.ok("NOOP")
        assert bodies(c) == ALL
        reads_go_on(server, disk.who)
        disk.room()
        c.ok("APPEND INBOX %L", b"Subject: m6\r\n\r\nbody of 6\r\n")
        c.ok(r"STORE 2 +FLAGS (\Flagged a b c)")
        assert bodies(c) == ALL + [b"6"]
        c.logout()
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL + [b"6"]
        c.logout()


def test_no_room_in_a_maildir():
    no_room(Disk("fullmd", False), False)


def test_no_room_in_a_maildir_that_has_no_index():
    no_room(Disk("fullmdx", False), True)


def test_no_room_for_an_mbox():
    no_room(Disk("fullmb", True), False)


def test_no_room_for_an_mbox_that_has_no_index():
    no_room(Disk("fullmbx", True), True)


def test_no_more_files():
    disk = Disk("inodes", False)
    with Server() as server:
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        disk.take_inodes()
        assert bodies(c) == ALL
        refused(c, "APPEND INBOX %L", b"Subject: x\r\n\r\nx\r\n", code=b"OVERQUOTA")
        refused(c, "CREATE More", code=b"OVERQUOTA")
        c.ok(r"STORE 1 +FLAGS (\Seen)")
        disk.give_inodes()
        c.ok("CREATE More")
        c.ok("APPEND More %L", b"Subject: x\r\n\r\nx\r\n")
        c.logout()


def read_only(disk, without_index):
    with Server(**disk.settings()) as server:
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL
        c.ok(r"STORE 4 +FLAGS (\Deleted)")
        c.logout()
        if without_index:
            os.unlink(disk.top + ("/.mailreeve" if disk.mbox else "") + "/mailreeve-index")
        wait_for(lambda: not processes("imap"), "the session to end")
        disk.mount("ro")
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL
        refused(c, "APPEND INBOX %L", b"Subject: x\r\n\r\nx\r\n", code=b"NOPERM")
        refused(c, r"STORE 1 +FLAGS (\Flagged)", code=b"NOPERM")
        refused(c, "EXPUNGE", code=b"NOPERM")
        refused(c, "CREATE More", code=b"NOPERM")
        refused(c, "DELETE Archive", code=b"NOPERM")
        refused(c, "RENAME Archive Other", code=b"NOPERM")
        refused(c, "MOVE 1 Archive", code=b"NOPERM")
        c.ok("NOOP")
        c.logout()
        reads_go_on(server, disk.who)
        p = server.pop3(tls=False)
        p.login(disk.who.name, disk.who.password)
        p.ok("DELE 1")
        assert p.command("QUIT").startswith(b"-ERR"), "not deleted, and said so"
        wait_for(lambda: not processes("pop3"), "the session to end")
        disk.mount("rw")
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        assert bodies(c) == ALL
        c.ok("EXPUNGE")
        assert bodies(c) == [b"1", b"2", b"3", b"5"]
        c.logout()


def flags_and_bodies(c, mailbox):
    c.ok("SELECT " + mailbox)
    return sorted((re.search(rb"body of (\d+)", r)[1], b"kept" in r, re.search(rb'INTERNALDATE "(.*?)"', r)[1])
                  for r in c.ok("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])") if b"body of" in r)


def test_copies_and_moves_between_file_systems():
    """Nothing is lost, doubled or changed; a move that has no room leaves all where it was."""
    disk = Disk("between", False)
    far = disk.top + "/.Far"
    os.mkdir(far)
    run("mount", "-t", "tmpfs", "-o", "size=256k,mode=700,uid=%d,gid=%d" % (disk.who.uid, disk.who.gid),
        "far", far)
    for part in ("cur", "new", "tmp"):
        os.mkdir(far + "/" + part)
    disk.who.own(far)
    with Server() as server:
        c = server.imap_login(disk.who, tls=False)
        c.ok("SELECT INBOX")
        c.ok("STORE 2 +FLAGS (kept)")
        c.ok("APPEND INBOX %L", BIG + b"body of 6\r\n")
        before = flags_and_bodies(c, "INBOX")
        c.ok("COPY 2:3 Far")
        c.ok("MOVE 1:2 Far")
        assert flags_and_bodies(c, "INBOX") == before[2:]
        assert flags_and_bodies(c, "Far") == sorted(before[:2] + before[1:3])
        c.ok("MOVE 1:* INBOX")
        assert flags_and_bodies(c, "Far") == []
        assert flags_and_bodies(c, "INBOX") == sorted(before + before[1:3])
        c.ok("COPY 4 Far")
        refused(c, "MOVE 4 Far", code=b"OVERQUOTA")
        assert flags_and_bodies(c, "INBOX") == sorted(before + before[1:3])
        assert flags_and_bodies(c, "Far") == before[5:]
        assert not os.listdir(far + "/tmp")
        c.logout()


def test_read_only_maildir():
    read_only(Disk("romd", False), False)


def test_read_only_maildir_that_has_no_index():
    read_only(Disk("romdx", False), True)


def test_read_only_mbox():
    read_only(Disk("romb", True), False)


def test_read_only_mbox_that_has_no_index():
    read_only(Disk("rombx", True), True)


main(__name__)
