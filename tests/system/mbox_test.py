#!/usr/bin/env python3
"""mbox in /var/mail through the whole server, while others deliver."""
import fcntl
import threading

from lib import *


def spool(who, text=b""):
    path = "/var/mail/" + who.name
    with open(path, "wb") as f:
        f.write(text)
    os.chown(path, who.uid, who.gid)
    os.chmod(path, 0o600)
    return path


def mail(number):
    return (b"From a@example.org Sat Nov 21 01:02:03 2026\nFrom: a@example.org\n"
            b"Subject: %d\n\nbody %d\n\n" % (number, number))


def deliver(path, number):
    """As an MDA does it: the record lock, then append."""
    with open(path, "ab") as f:
        fcntl.lockf(f, fcntl.LOCK_EX)
        f.write(mail(number))
        f.flush()


def test_imap_and_pop3_on_var_mail():
    who = user("mboxer")
    spool(who, mail(0) + mail(1))
    with Server(mail_format="mbox") as server:
        c = server.imap(tls=True)
        c.login(who.name, who.password)
        c.ok("SELECT INBOX")
        c.ok(r"STORE 1 +FLAGS (\Deleted)")
        c.ok("EXPUNGE")
        c.logout()
        p = server.pop3(tls=True)
        p.login(who.name, who.password)
        assert p.ok("LIST", multi=True)[0].startswith(b"1 "), "one message"
        ids = p.ok("UIDL", multi=True)
        assert len(ids) == 1, ids
        p.quit()
        p = server.pop3(tls=True)
        p.login(who.name, who.password)
        assert p.ok("UIDL", multi=True) == ids
        p.ok("DELE 1")
        p.quit()
    assert os.path.getsize("/var/mail/" + who.name) == 0


def test_no_delivery_is_lost():
    who = user("mboxbusy")
    path = spool(who, mail(0))
    with Server(mail_format="mbox") as server:
        mda = threading.Thread(target=lambda: [deliver(path, n) for n in range(1, 101)])
        c = server.imap(tls=True)
        c.login(who.name, who.password)
        c.ok("SELECT INBOX")
        mda.start()
        while mda.is_alive():
            c.ok(r"STORE 1 +FLAGS (\Flagged one)")
            c.ok(r"STORE 1 FLAGS ()")
            c.ok("NOOP")
        mda.join()
        c.ok("NOOP")
        c.logout()
    with open(path, "rb") as f:
        text = f.read()
    for n in range(101):
        assert text.count(b"\nSubject: %d\n" % n) == 1, n
    uids = [int(u) for u in re.findall(rb"\nX-UID: (\d+)\n", text)]
    assert uids == list(range(1, 102)), uids


main(__name__)
