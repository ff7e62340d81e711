#!/usr/bin/env python3
"""Real clients do real work: mbsync, mutt, fetchmail, curl, openssl, Python's own."""
import glob
import imaplib
import poplib
import ssl

from lib import *
from watched import Watched
from corpus import messages

CORPUS = messages(60, seed=7)


def crlf(raw):
    return re.sub(rb"\r?\n", b"\r\n", raw)


def filled(prefix, count=len(CORPUS)):
    """An account with mail in its inbox."""
    who = user(prefix)
    for raw in CORPUS[:count]:
        who.deliver(raw)
    return who


def stored(who, folder=""):
    """{file name without flags: (flags, bytes)} of a folder on disk."""
    found = {}
    for path in glob.glob(os.path.join(who.maildir, folder, "[cn]*", "*")):
        if os.path.basename(os.path.dirname(path)) in ("cur", "new"):
            name, _, info = os.path.basename(path).partition(":2,")
            with open(path, "rb") as f:
                found[name] = (info, f.read())
    return found


def contents(directory):
    found = []
    for sub in ("cur", "new"):
        for path in glob.glob(os.path.join(directory, sub, "*")):
            with open(path, "rb") as f:
                found.append(f.read())
    return sorted(found)


# ---- mbsync --------------------------------------------------------------------

MBSYNC = """IMAPAccount there
%s

IMAPStore far
Account there

MaildirStore near
Path %s/local/
Inbox %s/local/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
"""


def without_added(raw):
    """mbsync may add an X-TUID line to what it stores."""
    return re.sub(rb"X-TUID: [^\r\n]*\r?\n", b"", raw).replace(b"\r\n", b"\n")


def mbsync(who, how):
    rc = who.file(".mbsyncrc", MBSYNC % (how, who.home, who.home))
    os.makedirs(who.home + "/local", exist_ok=True)
    who.own(who.home + "/local")
    return who.run("mbsync", "-c", rc, "all")


def sync_both_ways(who, how):
    want = sorted(crlf(m).replace(b"\r\n", b"\n") for m in CORPUS[:20])
    mbsync(who, how)
    got = contents(who.home + "/local/INBOX")
    assert sorted(map(without_added, got)) == want, \
        "%d of %d messages came as they are" % (len(set(map(without_added, got)) & set(want)), len(want))
    # change flags here, delete one, add one, make a folder
    paths = sorted(glob.glob(who.home + "/local/INBOX/*/*"))
    os.rename(paths[0], re.sub(r":2,.*|$", ":2,FS", paths[0], count=1).replace("/new/", "/cur/"))
    os.rename(paths[1], re.sub(r":2,.*|$", ":2,ST", paths[1], count=1).replace("/new/", "/cur/"))
    flagged, deleted = (open(p, "rb").read() for p in (
        glob.glob(who.home + "/local/INBOX/cur/*:2,FS")[0],
        glob.glob(who.home + "/local/INBOX/cur/*:2,ST")[0]))
    who.run("sh", "-c", "mkdir -p local/Work/cur local/Work/new local/Work/tmp && "
            "printf 'From: me\\n\\nadded here\\n' > local/INBOX/new/1.added.here && "
            "printf 'From: me\\n\\nat work\\n' > local/Work/new/2.added.here")
    mbsync(who, how)
    there = {raw: flags for flags, raw in stored(who).values()}
    there = {without_added(raw): flags for raw, flags in there.items()}
    assert set(there[without_added(flagged)]) >= set("FS"), there[without_added(flagged)]
    assert without_added(deleted) not in there
    assert b"From: me\n\nadded here\n" in there
    assert [without_added(raw) for _, raw in stored(who, ".Work").values()] == [b"From: me\n\nat work\n"]
    # nothing left to do
    before = run("find", who.home + "/local", "-type", "f", "-printf", "%p %s\n")
    mbsync(who, how)
    after = run("find", who.home + "/local", "-type", "f", "-printf", "%p %s\n")
    drop = re.compile(r".*mbsyncstate.*\n")
    assert sorted(drop.sub("", before).splitlines()) == sorted(drop.sub("", after).splitlines())


def test_mbsync_over_tls():
    need("mbsync")
    who = filled("sync", 20)
    with Watched():
        sync_both_ways(who, "Host localhost\nPort 993\nUser %s\nPass %s\nSSLType IMAPS\n"
                       "CertificateFile /etc/mailreeve/tls.crt" % (who.name, who.password))


def test_mbsync_starttls():
    need("mbsync")
    who = filled("sync", 20)
    with Watched():
        sync_both_ways(who, "Host localhost\nUser %s\nPass %s\nSSLType STARTTLS\n"
                       "CertificateFile /etc/mailreeve/tls.crt" % (who.name, who.password))


def test_mbsync_through_a_tunnel():
    need("mbsync")
    sync_both_ways(filled("sync", 20), "Tunnel %s/imap" % LIBEXEC)


# ---- mutt ----------------------------------------------------------------------

MUTT = """set certificate_file=%s/certs
set ssl_starttls=yes
set imap_user=%s imap_pass=%s
set sort=mailbox-order
set folder="%s/"
set quit=yes delete=yes confirmappend=no confirmcreate=no auto_tag=no mark_old=no resolve=no
set header_cache="" move=no
set tunnel="%s"
"""


def mutt(who, folder, tunnel, keys):
    if not tunnel:
        who.file("certs", open("/etc/mailreeve/tls.crt").read())
    rc = who.file("muttrc", MUTT % (who.home, who.name, who.password,
                                        os.path.dirname(folder), tunnel))
    command = "mutt -n -F %s -f '%s' -e 'push \"%s\"'" % (rc, folder, keys)
    return who.run("script", "-qec", command, "/dev/null", stdin=subprocess.DEVNULL)


def read_with_mutt(who, folder, tunnel=""):
    """Flag the first, delete the second, save the third, sync and leave."""
    mutt(who, folder, tunnel,
         "<first-entry><flag-message><next-entry><delete-message>"
         "<next-entry><save-message>=Archive<enter><sync-mailbox><quit>")
    left = stored(who)
    assert len(left) == 8, "%d messages are left" % len(left)
    first = [flags for flags, raw in left.values() if raw == CORPUS[0]]
    assert first and "F" in first[0], [(f, CORPUS.index(r)) for f, r in left.values()]
    assert CORPUS[1] not in [raw for _, raw in left.values()]
    archived = [raw.replace(b"\r\n", b"\n") for _, raw in stored(who, ".Archive").values()]
    assert archived == [CORPUS[2]], "%d messages in Archive" % len(archived)


def test_mutt_over_tls():
    need("mutt", "script")
    who = filled("mutt", 10)
    with Watched():
        read_with_mutt(who, "imaps://localhost/INBOX")


def test_mutt_through_a_tunnel():
    need("mutt", "script")
    read_with_mutt(filled("mutt", 10), "imap://localhost/INBOX", LIBEXEC + "/imap")


# ---- fetchmail -----------------------------------------------------------------

FETCHMAIL = """poll localhost protocol %s service %s %s
  user "%s" password "%s" is "%s" here %s
  mda "sh -c 'cat > %s/fetched/$$'" %s
"""


def fetchmail(who, protocol, service, tls, options="", ok=(0,)):
    os.makedirs(who.home + "/fetched", exist_ok=True)
    who.own(who.home + "/fetched")
    rc = who.file(".fetchmailrc", FETCHMAIL % (
        protocol, service, "uidl" if protocol == "pop3" else "", who.name, who.password, who.name,
        tls, who.home, options))
    return who.run("fetchmail", "-f", rc, "--nosyslog", "--pidfile", who.home + "/fetchmail.pid",
                   "--idfile", who.home + "/fetchids", "--norewrite", "--invisible", ok=ok)


def fetched(who):
    return sorted(open(p, "rb").read().replace(b"\r\n", b"\n")
                  for p in glob.glob(who.home + "/fetched/*"))


def headless(raw):
    """fetchmail takes Return-Path away and may add a Status field."""
    head, _, body = raw.partition(b"\n\n")
    return b"\n".join(line for line in head.split(b"\n") if not line.startswith(
        (b"Return-Path:", b"Status:", b"X-UID"))) + b"\n\n" + body


def check_fetchmail(protocol, service, tls):
    need("fetchmail")
    who = filled("fetch", 20)
    want = sorted(map(headless, CORPUS[:20]))
    with Watched():
        fetchmail(who, protocol, service, tls, "keep")
        got = sorted(map(headless, fetched(who)))
        assert got == want, "%d of %d came as they are" % (len(set(got) & set(want)), len(want))
        assert len(stored(who)) == 20
        fetchmail(who, protocol, service, tls, "keep", ok=(1,))     # 1: nothing new
        assert len(fetched(who)) == 20
        fetchmail(who, protocol, service, tls, "fetchall nokeep")
        assert not stored(who), "left behind: %d" % len(stored(who))


def test_fetchmail_pop3_over_tls():
    check_fetchmail("pop3", "995", "ssl no sslcertck")


def test_fetchmail_pop3_stls():
    check_fetchmail("pop3", "110", "sslproto TLS1.2+ no sslcertck")


def test_fetchmail_imap_over_tls():
    check_fetchmail("imap", "993", "ssl no sslcertck")


# ---- curl ----------------------------------------------------------------------

def curl(who, *words):
    """Its standard output as bytes."""
    done = subprocess.run(["curl", "-sS", "--cacert", "/etc/mailreeve/tls.crt", "--max-time", "20",
                           "-u", "%s:%s" % (who.name, who.password), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, "curl: %d %s" % (done.returncode, done.stderr.decode())
    return done.stdout


def test_curl_imap():
    need("curl")
    who = filled("curl", 5)
    with Watched():
        for url in ("imaps://localhost", "imap://localhost"):
            tls = ("--ssl-reqd",) if url.startswith("imap:") else ()
            assert b"LIST" in curl(who, url, *tls)
            for i in range(5):
                got = curl(who, "%s/INBOX;UID=%d" % (url, i + 1), *tls)
                assert got == crlf(CORPUS[i]), "message %d differs" % (i + 1)
            assert curl(who, url + "/INBOX", "-X", "SEARCH ALL", *tls) == b"* SEARCH 1 2 3 4 5\r\n"
        upload = who.file("upload", "From: c@example.org\r\nSubject: up\r\n\r\nupload\r\n")
        curl(who, "imaps://localhost/Drafts", "-T", upload)
    there = [raw for _, raw in stored(who, ".Drafts").values()]
    assert [r.replace(b"\r\n", b"\n") for r in there] == [b"From: c@example.org\nSubject: up\n\nupload\n"]


def test_curl_pop3():
    need("curl")
    who = filled("curl", 5)
    with Watched():
        for url, tls in (("pop3s://localhost/", ()), ("pop3://localhost/", ("--ssl-reqd",))):
            assert curl(who, url, *tls).split()[0::2] == [b"1", b"2", b"3", b"4", b"5"]
            assert sorted(curl(who, url + str(i + 1), *tls) for i in range(5)) == \
                sorted(map(crlf, CORPUS[:5]))
        curl(who, "pop3s://localhost/2", "-X", "DELE", "-l")
    assert len(stored(who)) == 4


# ---- openssl s_client ----------------------------------------------------------

def s_client(text, *words):
    done = subprocess.run(["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile",
                           "/etc/mailreeve/tls.crt", "-servername", "localhost", *words],
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30)
    return done.stdout


def test_openssl_s_client():
    need("openssl")
    who = filled("ossl", 2)
    imap = "a LOGIN %s %s\r\nb SELECT INBOX\r\nc LOGOUT\r\n" % (who.name, who.password)
    pop3 = "USER %s\r\nPASS %s\r\nSTAT\r\nQUIT\r\n" % (who.name, who.password)
    with Watched():
        for words in (("-connect", "localhost:993"), ("-connect", "localhost:143", "-starttls", "imap")):
            for version in ("-tls1_2", "-tls1_3"):
                out = s_client(imap, version, *words)
                assert b"* 2 EXISTS" in out and b"c OK" in out, out
        for words in (("-connect", "localhost:995"), ("-connect", "localhost:110", "-starttls", "pop3")):
            out = s_client(pop3, *words)
            assert re.search(rb"\+OK 2 \d+\r\n", out), out


# ---- Python's own --------------------------------------------------------------

def test_imaplib():
    who = filled("pyimap", 10)
    context = ssl.create_default_context(cafile="/etc/mailreeve/tls.crt") \
        if os.path.exists("/etc/mailreeve/tls.crt") else None
    with Watched():
        context = context or ssl.create_default_context(cafile="/etc/mailreeve/tls.crt")
        c = imaplib.IMAP4_SSL("localhost", 993, ssl_context=context, timeout=20)
        c.login(who.name, who.password)
        assert c.select("INBOX") == ("OK", [b"10"])
        for i in range(10):
            status, data = c.fetch(str(i + 1), "(BODY.PEEK[])")
            assert status == "OK" and data[0][1] == crlf(CORPUS[i]), i
        assert c.store("2,4", "+FLAGS.SILENT", "(\\Flagged \\Seen)")[0] == "OK"
        assert c.search(None, "FLAGGED") == ("OK", [b"2 4"])
        assert c.create("Shelf/2026")[0] == "OK"
        assert c.copy("2", "Shelf/2026")[0] == "OK"
        assert c.status("Shelf/2026", "(MESSAGES)") == ("OK", [b'Shelf/2026 (MESSAGES 1)'])
        assert c.append("Shelf/2026", "\\Seen", imaplib.Time2Internaldate(1e9), b"A: b\r\n\r\nc\r\n")[0] == "OK"
        assert c.store("3", "+FLAGS", "\\Deleted")[0] == "OK"
        assert c.expunge() == ("OK", [b"3"])
        assert c.rename("Shelf/2026", "Shelf/2027")[0] == "OK"
        assert c.delete("Shelf/2027")[0] == "OK"
        assert c.close()[0] == "OK"
        assert c.logout()[0] == "BYE"
    assert len(stored(who)) == 9


def test_poplib():
    who = filled("pypop", 10)
    with Watched():
        c = poplib.POP3("localhost", 110, timeout=20)
        c.stls(ssl.create_default_context(cafile="/etc/mailreeve/tls.crt"))
        c.user(who.name)
        c.pass_(who.password)
        assert c.stat()[0] == 10
        assert c.stat()[1] == sum(len(crlf(m)) for m in CORPUS[:10])
        got = []
        for i in range(1, 11):
            _, lines, octets = c.retr(i)
            got.append(b"\r\n".join(lines) + b"\r\n")
            assert len(got[-1]) == int(c.list(i).split()[2])
        assert sorted(got) == sorted(map(crlf, CORPUS[:10]))
        ids = c.uidl()[1]
        assert len({line.split()[1] for line in ids}) == 10
        c.dele(1)
        c.quit()
        again = poplib.POP3_SSL("localhost", 995, context=ssl._create_unverified_context(), timeout=20)
        again.user(who.name)
        again.pass_(who.password)
        assert [line.split()[1] for line in again.uidl()[1]] == [line.split()[1] for line in ids][1:]
        again.quit()
    assert len(stored(who)) == 9


# ---- waiting for mail ----------------------------------------------------------

def test_idle_tells_of_a_delivery_within_a_tenth_of_a_second():
    who, count = filled("idle", 1), [1]

    def waited():
        """Milliseconds, the middle one of five."""
        waits = []
        for n in (2, 3, 4, 5, 6):
            c.send(b"i IDLE\r\n")
            assert c.response().startswith(b"+ ")
            count[0] += 1
            begun = time.monotonic()
            who.deliver(CORPUS[n])
            got = c.until(lambda r: r.endswith(b" EXISTS"))
            waits.append(1000 * (time.monotonic() - begun))
            assert got[-1] == b"* %d EXISTS" % count[0], got
            c.send(b"DONE\r\n")
            c.until(lambda r: r.startswith(b"i OK"))
        return sorted(waits)[2]
    with Watched() as server:
        c = server.imap_login(who)
        c.ok("SELECT INBOX")
        at_best(waited, lambda ms: ms < (1000 if SANITIZED else 100))
        c.logout()


main(__name__)
