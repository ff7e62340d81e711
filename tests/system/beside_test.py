#!/usr/bin/env python3
"""Real mail programs beside a session: procmail, maildrop, mutt, lockfile, dotlockfile, cp and mv; and Dovecot on the same mbox.

Each message is known by its subject. None is lost or doubled, UIDs go up and
stay, and what mutt does to flags and messages a session is told.
"""
import imaplib
import threading

from lib import *
from dovecot import Dovecot

MDA = os.environ.get("MDA", os.path.join(os.path.dirname(BUILD), os.pardir, ".cache", "mda"))
ROUNDS = 12                     # deliveries by each program
RAW = "From: a@example.org\nSubject: %s\n\nbody of %s\n"
FROM = "From a@example.org Sat Nov 21 01:02:03 2026\n"


def program(name):
    path = os.path.abspath("%s/usr/bin/%s" % (MDA, name))
    if not os.path.exists(path):
        raise Skip("no %s: tests/fetch.sh fetches it" % name)
    return path


def copied(name):
    """A copy that an ordinary user may run; libraries beside it."""
    if not os.path.exists("/usr/local/mda"):
        program(name)
        run("cp", "-a", os.path.abspath(MDA) + "/usr", "/usr/local/mda")
        run("chmod", "-R", "ug-s", "/usr/local/mda")        # or it takes no library path
    return "/usr/local/mda/bin/" + name


LIBRARIES = {"LD_LIBRARY_PATH": "/usr/local/mda/lib/x86_64-linux-gnu:/usr/local/mda/lib"}


def spool(who, text=""):
    """A file in a /var/mail where everybody may make dotlocks."""
    os.chmod("/var/mail", 0o1777)
    path = "/var/mail/" + who.name
    with open(path, "w") as f:
        f.write(text)
    os.chown(path, who.uid, who.gid)
    os.chmod(path, 0o600)
    return path


# ---- ways to deliver: (name, function of the account and its mailbox's path) ----

def by_procmail(who, to):
    rc = who.file("procmail-%s.rc" % ("dir" if to.endswith("/") else "file"),
                  "DEFAULT=%s\nLOCKTIMEOUT=60\nLOCKSLEEP=1\n:0%s\n%s\n"
                  % (to, "" if to.endswith("/") else ":", to))
    path = copied("procmail")
    return lambda raw: who.run(path, "-f", "a@example.org", "-m", rc, input=raw)


def by_maildrop(who, to):
    path = copied("maildrop")
    rc = who.file("mailfilter-%s" % ("dir" if to.endswith("/") else "file"), 'to "%s"\n' % to)
    return lambda raw: who.run(path, rc, input=raw, env=LIBRARIES)


def by_lockfile(who, to):
    """As a shell script does it."""
    copied("lockfile")
    return lambda raw: who.run("sh", "-ec", "/usr/local/mda/bin/lockfile -1 -r60 %s.lock; cat >> %s; rm -f %s.lock"
                               % (to, to, to), input=FROM + raw + "\n")


def by_dotlockfile(who, to):
    need("dotlockfile")
    return lambda raw: who.run("sh", "-ec", "dotlockfile -l -r 60 %s.lock; cat >> %s; dotlockfile -u %s.lock"
                               % (to, to, to), input=FROM + raw + "\n")


def by_mv(who, to):
    return lambda raw: who.run("sh", "-ec", "n=$(date +%%s).$$.host; cat > %stmp/$n; mv %stmp/$n %snew/$n"
                               % (to, to, to), input=raw)


def by_cp(who, to):
    """Not as Maildir wants it: the file is there before it is whole."""
    return lambda raw: who.run("sh", "-ec", "cat > ~/one; cp ~/one %snew/$(date +%%s).$$.cp" % to, input=raw)


def deliver_by_all(who, to, ways, errors):
    """Each way in a thread of its own."""
    def work(name, deliver):
        try:
            for n in range(ROUNDS):
                deliver(RAW % ("%s%d" % (name, n), n))
        except Exception as error:
            errors.append(error)
    return [threading.Thread(target=work, args=(way.__name__, way(who, to))) for way in ways]


def subjects(c):
    """{uid: subject} of the selected mailbox."""
    found = {}
    for response in c.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        uid = re.search(rb"[( ]UID (\d+)", response)
        if uid:
            found[int(uid[1])] = re.search(rb"Subject: (\w+)", response)[1].decode()
    return found


def beside(server, who, to, ways):
    """A busy session while all deliver; then everything is there, once."""
    c = server.imap_login(who, tls=False)
    c.ok("SELECT INBOX")
    seen, errors = {}, []
    threads = deliver_by_all(who, to, ways, errors)
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        now = subjects(c)
        assert all(seen.get(uid, now[uid]) == now[uid] for uid in now), "a UID is another message"
        new = [uid for uid in now if uid not in seen]
        assert not new or not seen or min(new) > max(seen), "UIDs go up: %r" % new
        assert set(seen) <= set(now), "a message went"
        seen = now
        if seen:
            c.ok(r"STORE 1:* +FLAGS (\Seen $kept)")
            c.ok(r"UID STORE %d FLAGS (\Flagged)" % max(seen))
        c.command("APPEND INBOX %L", b"Subject: ours%d\r\n\r\ntext\r\n" % len(seen)) if len(seen) % 7 == 0 else None
        c.ok("NOOP")
    for t in threads:
        t.join()
    for error in errors:
        raise error
    c.ok("NOOP")
    names = [s for s in subjects(c).values() if not s.startswith("ours")]
    want = ["%s%d" % (way.__name__, n) for way in ways for n in range(ROUNDS)]
    assert sorted(names) == sorted(want), set(want) ^ set(names)
    c.logout()


def test_delivery_into_a_maildir():
    who = user("besidemd")
    with Server() as server:
        server.imap_login(who, tls=False).logout()
        beside(server, who, who.maildir + "/", (by_procmail, by_maildrop, by_mv, by_cp))


def test_delivery_into_an_mbox():
    who = user("besidembox")
    path = spool(who)
    with Server(mail_format="mbox") as server:
        beside(server, who, path, (by_procmail, by_maildrop, by_lockfile, by_dotlockfile))
    with open(path) as f:
        text = f.read()
    assert len(re.findall(r"^X-UID:", text, re.M)) == len(re.findall(r"^From a|^From MAILER|^From \w", text, re.M))


# ---- mutt -----------------------------------------------------------------------

def mutt(who, folder, keys):
    rc = who.file("muttrc", "set folder=\"~/\" header_cache=\"\" delete=yes quit=yes\n"
                  "set mark_old=no move=no confirmappend=no resolve=no sort=mailbox-order\n")
    who.run("script", "-qec", "mutt -n -F %s -f '%s' -e 'push \"%s\"'" % (rc, folder, keys), "/dev/null",
            stdin=subprocess.DEVNULL)


def flags(c):
    """{uid: flags} of the selected mailbox."""
    return {int(re.search(rb"UID (\d+)", r)[1]): set(re.search(rb"FLAGS \(([^)]*)\)", r)[1].split()) - {rb"\Recent"}
            for r in c.command("UID FETCH 1:* (FLAGS)")[1] if b"FETCH" in r}


def with_mutt(server, who, folder):
    """mutt reads one, flags one, deletes one, while a session has the mailbox open."""
    need("mutt", "script")
    c = server.imap_login(who, tls=False)
    c.ok("SELECT INBOX")
    before = subjects(c)
    c.ok(r"UID STORE 4 +FLAGS ($ours)")
    mutt(who, folder, "<first-entry><flag-message><next-entry><delete-message><next-entry><clear-flag>N"
         "<sync-mailbox><quit>")
    c.ok("NOOP")
    after, told = subjects(c), flags(c)
    assert after == {uid: s for uid, s in before.items() if uid != 2}, (before, after)
    assert told[1] >= {rb"\Flagged"} and rb"$ours" in told[4], told
    assert rb"\Seen" in told[3] and rb"\Seen" not in told[5], told
    c.ok(r"UID STORE 5 +FLAGS (\Answered)")
    c.logout()
    again = server.imap_login(who, tls=False)
    again.ok("SELECT INBOX")
    assert subjects(again) == after and flags(again)[5] >= {rb"\Answered"}
    again.logout()


def test_mutt_on_a_maildir():
    who = user("muttmd")
    with Server() as server:
        for n in range(1, 7):
            who.deliver(RAW % ("m%d" % n, n), flags="")
        with_mutt(server, who, who.maildir)


def test_mutt_on_an_mbox():
    who = user("muttmbox")
    path = spool(who, "".join(FROM + RAW % ("m%d" % n, n) + "\n" for n in range(1, 7)))
    with Server(mail_format="mbox") as server:
        with_mutt(server, who, path)


# ---- Dovecot on the same mbox ---------------------------------------------------

DOVECOT = """mail_location = mbox:~/mail:INBOX=/var/mail/%u
mail_privileged_group =
mbox_read_locks = fcntl
mbox_write_locks = fcntl
"""


def look(who, port, mailbox="INBOX"):
    """(UIDVALIDITY, {uid: (flags, body)}) by Python's imaplib."""
    c = imaplib.IMAP4("127.0.0.1", port)
    c.login(who.name, "secret")
    assert c.select(mailbox)[0] == "OK"
    validity = int(c.response("UIDVALIDITY")[1][0])
    found = {}
    for part in c.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            uid = int(re.search(rb"UID (\d+)", part[0])[1])
            found[uid] = (frozenset(imaplib.ParseFlags(part[0])) - {rb"\Recent"}, part[1])
    c.logout()
    return validity, found


def change(who, port, mark):
    """Flags, keywords, an expunge and an append, by either server."""
    c = imaplib.IMAP4("127.0.0.1", port)
    c.login(who.name, "secret")
    for mailbox in ("INBOX", "work"):
        c.select(mailbox)
        uids = c.uid("SEARCH", "ALL")[1][0].split()
        c.uid("STORE", uids[0], "+FLAGS", r"(\Seen \Answered)")
        c.uid("STORE", uids[1], "+FLAGS", r"(%s other%s)" % (mark, mark))
        c.uid("STORE", uids[2], "+FLAGS", r"(\Flagged)")
        c.uid("STORE", uids[-2], "+FLAGS", r"(\Deleted)")
        c.expunge()
        for n in range(2):
            assert c.append(mailbox, r"(\Draft)", None, (RAW % (mark, n)).replace("\n", "\r\n").encode())[0] == "OK"
    c.logout()


def test_dovecot_and_back_on_mbox():
    who = user("dovembox")
    text = "".join(FROM + RAW % ("m%d" % n, n) + "\n" for n in range(1, 9))
    spool(who, text)
    os.mkdir(who.home + "/mail", 0o700)
    who.file("mail/work", text)
    who.own(who.home + "/mail")
    boxes = ("INBOX", "work")
    # UW and Dovecot leave the mbox directory's own files alone, as we do theirs
    with Dovecot(DOVECOT):
        change(who, 1143, "dove")
        before = {b: look(who, 1143, b) for b in boxes}
    for mark in ("ours", "again"):
        with Server(mail_format="mbox"):
            assert {b: look(who, PORTS["imap"], b) for b in boxes} == before
            change(who, PORTS["imap"], mark)
            before = {b: look(who, PORTS["imap"], b) for b in boxes}
        with Dovecot(DOVECOT):
            assert {b: look(who, 1143, b) for b in boxes} == before
            change(who, 1143, mark + "dove")
            before = {b: look(who, 1143, b) for b in boxes}


main(__name__)
