#!/usr/bin/env python3
"""Moving in from a real Dovecot and a real Courier, and out again: nothing is transferred twice."""
import imaplib
import poplib
import shutil

from lib import *
from dovecot import Dovecot, listening

TOOL = "/usr/local/bin/mailreeve"
RAW = "From: Ann <ann@example.org>\r\nSubject: number %d\r\nMessage-ID: <%d@example.org>\r\n\r\nbody %d\r\n"
FOLDERS = ("Work", "Work.2026", "Entw&APw-rfe")

DOVECOT = "mail_location = maildir:~/Maildir\n", "  separator = .\n"


def over_tcp(who, port):
    c = imaplib.IMAP4("127.0.0.1", port)
    c.login(who.name, "secret")
    return c


def fill(c, root="", sep="."):
    """Folders, flags, keywords, subscriptions, and UIDs that are gone."""
    count = 0
    names = ["INBOX"] + [root + f.replace(".", sep) for f in FOLDERS]
    for name in names[1:]:
        assert c.create(name)[0] == "OK"
    for name in names[:3]:
        assert c.subscribe(name)[0] == "OK"
    for name in names:
        for _ in range(6):
            count += 1
            assert c.append(name, None, None, (RAW % (count, count, count)).encode())[0] == "OK"
        c.select(name)
        c.store("1,3", "+FLAGS", r"(\Seen $Forwarded)")
        c.store("2", "+FLAGS", r"(\Flagged work other)")
        c.store("4,6", "+FLAGS", r"(\Deleted)")
        c.expunge()
    assert c.append("INBOX", None, None, (RAW % (99, 99, 99)).encode())[0] == "OK"


def seen_by_imap(c, root=""):
    """{mailbox: (UIDVALIDITY, UIDNEXT, {uid: (flags, body)})}, and the subscribed."""
    found = {}
    for name in ("INBOX",) + FOLDERS:
        there = name if name == "INBOX" else root + name.replace(".", "/" if root is None else ".")
        there = there.replace(".", c.sep)
        assert c.select('"%s"' % there, readonly=True)[0] == "OK", there
        validity = int(c.response("UIDVALIDITY")[1][0])
        messages = {}
        for part in c.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                uid = int(re.search(rb"UID (\d+)", part[0])[1])
                flags = set(imaplib.ParseFlags(part[0])) - {rb"\Recent"}
                messages[uid] = (flags, part[1])
        found[name] = (validity, messages)
    subscribed = {re.sub(rb'.* "?([^"]+)"?$', rb"\1", line).replace(c.sep.encode(), b".")
                  for line in c.lsub('""', "*")[1] if line}
    return found, subscribed


def seen_by_pop3(who, port):
    c = poplib.POP3("127.0.0.1", port)
    c.user(who.name)
    c.pass_("secret")
    found = {}
    for line in c.uidl()[1]:
        number, uidl = line.split()
        found[uidl] = b"\n".join(c.retr(int(number))[1])
    c.quit()
    return found


MBSYNC = """IMAPStore far
Host 127.0.0.1
Port %d
User %s
Pass secret
SSLType None
AuthMechs LOGIN

MaildirStore near
Path %s/local/
Inbox %s/local/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Both
Expunge Both
Sync All
SyncState *
"""


def mbsync(who, port):
    """The files of the local copy after a run."""
    rc = who.file(".mbsyncrc", MBSYNC % (port, who.name, who.home, who.home))
    os.makedirs(who.home + "/local", exist_ok=True)
    who.own(who.home + "/local")
    who.run("mbsync", "-c", rc, "all")
    return run("find", who.home + "/local", "-type", "f", "!", "-name", ".mbsync*",
               "!", "-name", ".uidvalidity", "-printf", "%p %s %i\n")


def fetchmail(who, port):
    """How many messages one run delivers."""
    box = who.home + "/fetched"
    rc = who.file(".fetchmailrc", "poll 127.0.0.1 protocol pop3 port %d auth password uidl\n"
                  " user %s password secret keep sslproto \"\" mda \"cat >> %s\"\n"
                  % (port, who.name, box))
    before = os.path.getsize(box) if os.path.exists(box) else 0
    who.run("fetchmail", "-f", rc, "--keep", "--uidl", "--idfile", who.home + "/.fetchids",
            ok=(0, 1))
    return (os.path.getsize(box) if os.path.exists(box) else 0) - before


def ours(who):
    c = over_tcp(who, PORTS["imap"])
    c.sep = "/"
    return c


def theirs(who):
    c = over_tcp(who, 1143)
    c.sep = "."
    return c


def same(before, after):
    assert set(before[0]) == set(after[0])
    for name, (validity, messages) in before[0].items():
        assert after[0][name][0] == validity, (name, validity, after[0][name][0])
        assert after[0][name][1] == messages, (name, messages, after[0][name][1])


def quota_free(before, after):
    missing = before[1] - after[1]
    assert not missing, missing


def moved_from_dovecot(by_tool):
    need("mbsync", "fetchmail")
    who = user("dove")
    with Dovecot(*DOVECOT):
        fill(over_tcp(who, 1143))
        assert fetchmail(who, 1110) > 0
        uidls = seen_by_pop3(who, 1110)
        files, before = mbsync(who, 1143), seen_by_imap(theirs(who))
        assert files.count("\n") == 5
    if by_tool:
        dry = run(TOOL, "adopt", "--dry-run", who.name)
        assert "INBOX: dovecot-uidlist: 5 messages, 0 others" in dry, dry
        assert not os.path.exists(who.maildir + "/mailreeve-state"), "a dry run changes nothing"
        assert "subscribed: Work/2026" in dry, dry
        text = run(TOOL, "adopt", who.name)
        assert text == dry, (text, dry)
        assert "already" in run(TOOL, "adopt", who.name)
    with Server():
        after = seen_by_imap(ours(who))
        same(before, after)
        quota_free(before, after)
        assert seen_by_pop3(who, PORTS["pop3"]) == uidls
        assert mbsync(who, PORTS["imap"]) == files, "mbsync has nothing to do"
        assert fetchmail(who, PORTS["pop3"]) == 0, "fetchmail has nothing to fetch"
        c = ours(who)
        c.select("INBOX")
        c.store("1", "+FLAGS", r"(\Answered new)")
        assert c.append("INBOX", None, None, (RAW % (100, 100, 100)).encode())[0] == "OK"
        uidls = seen_by_pop3(who, PORTS["pop3"])
        assert fetchmail(who, PORTS["pop3"]) > 0
        files, before = mbsync(who, PORTS["imap"]), seen_by_imap(ours(who))
    run(TOOL, "leave", "--dry-run", who.name, "--to", "dovecot")
    run(TOOL, "leave", who.name, "--to", "dovecot")
    with Dovecot(*DOVECOT):
        after = seen_by_imap(theirs(who))
        same(before, after)
        quota_free(before, after)
        assert mbsync(who, 1143) == files
        assert seen_by_pop3(who, 1110) == uidls
        assert fetchmail(who, 1110) == 0
        c = theirs(who)
        assert c.append("INBOX", None, None, (RAW % (101, 101, 101)).encode())[0] == "OK"
        before = seen_by_imap(theirs(who))
    with Server():
        same(before, seen_by_imap(ours(who)))


def test_from_dovecot_at_first_open_and_back():
    moved_from_dovecot(by_tool=False)


def test_from_dovecot_by_the_tool_and_back():
    moved_from_dovecot(by_tool=True)


def test_many_from_dovecot_at_once():
    """UIDs are taken over, and the files keep their names for the time being."""
    who = user("many")
    with Dovecot(*DOVECOT):
        theirs(who).select("INBOX")
        for n in range(1500):
            path = "%s/cur/%d.M%dP1.host:2,%s" % (who.maildir, 1000 + n, n, "S" if n % 2 else "")
            with open(path, "w") as f:
                f.write(RAW % (n, n, n))
        who.own(who.maildir)
        c = theirs(who)
        c.select("INBOX")
        c.store("7", "+FLAGS", r"(\Deleted)")
        c.store("8", "+FLAGS", r"(\Flagged work)")
        c.expunge()
        assert c.append("INBOX", None, None, (RAW % (9000, 9000, 9000)).encode())[0] == "OK"
        before = flags_and_subjects(c)
    assert len(before) == 1500
    with Server():
        assert flags_and_subjects(ours(who)) == before
        assert sum(",U=" in name for name in os.listdir(who.maildir + "/cur")) < 10
        run("rm", "-f", who.maildir + "/mailreeve-index")
        assert flags_and_subjects(ours(who)) == before


def flags_and_subjects(c):
    c.select("INBOX")
    found = {}
    for part in c.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(part, tuple):
            found[re.search(rb"UID (\d+)", part[0])[1]] = (
                frozenset(imaplib.ParseFlags(part[0])) - {rb"\Recent"}, part[1])
    return found


# ---- Courier -------------------------------------------------------------------

COURIER = os.environ.get("COURIER", os.path.join(os.path.dirname(BUILD), os.pardir, ".cache", "courier"))


def courier_env():
    """imapd and courierpop3d as their login leaves them: in the Maildir, PREAUTH or AUTHENTICATED."""
    if not os.path.exists(COURIER + "/usr/bin/imapd"):
        raise Skip("no Courier: unpack courier-imap, courier-pop and their libraries into $COURIER")
    libraries = COURIER + "/usr/lib/x86_64-linux-gnu:" + COURIER + "/usr/lib"
    return {"LD_LIBRARY_PATH": libraries, "IMAP_KEYWORDS": "1", "IMAP_USELOCKS": "1",
            "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS"}


def courier_imap(who):
    env = dict(courier_env(), HOME=who.home)
    command = who.file("imapd", "#!/bin/sh\n%s\nexec %s/usr/bin/imapd Maildir 2>/dev/null\n" % (
        "\n".join("export %s='%s'" % v for v in env.items()), COURIER), 0o755)
    c = imaplib.IMAP4_stream("cd %s; exec setpriv --reuid=%d --regid=%d --clear-groups %s"
                             % (who.home, who.uid, who.gid, command))
    c.sep, c.state = ".", "AUTH"            # an alert may stand before PREAUTH
    return c


def courier_uidls(who):
    env = dict(courier_env(), AUTHENTICATED=who.name, AUTHADDR=who.name)
    text = who.run(COURIER + "/usr/lib/courier/courier/courierpop3d", "Maildir",
                   input="UIDL\r\nQUIT\r\n", env=env)
    return set(re.findall(r"^\d+ (UID\S+)\r?$", text, re.M))


def test_from_courier_and_back():
    who = user("cour")
    courier_env()
    os.mkdir(who.maildir, 0o700)
    for name in ("cur", "new", "tmp"):
        os.mkdir(who.maildir + "/" + name, 0o700)
    who.own(who.maildir)
    c = courier_imap(who)
    fill(c, "INBOX.")
    c.logout()
    uidls = courier_uidls(who)
    assert len(uidls) == 5, uidls
    before = seen_by_imap(courier_imap(who), "INBOX.")
    assert "INBOX: courierimapuiddb: 5 messages, 0 others" in run(TOOL, "adopt", "--dry-run", who.name)
    with Server():
        same(before, seen_by_imap(ours(who)))
        there = seen_by_pop3(who, PORTS["pop3"])
        assert {u.decode() for u in there} == uidls, (there, uidls)
        c = ours(who)
        subscribed = {line.split()[-1] for line in c.lsub('""', "*")[1]}
        assert b"Work" in subscribed and b"Work/2026" in subscribed, subscribed
        c.select("INBOX")
        c.store("1", "+FLAGS", "(new)")
        before = seen_by_imap(ours(who))
    run(TOOL, "leave", who.name, "--to", "courier")
    same(before, seen_by_imap(courier_imap(who), "INBOX."))
    assert courier_uidls(who) == uidls


main(__name__)
