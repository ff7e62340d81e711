#!/usr/bin/env python3
"""Events within the system's limits: a thousand mailboxes, many sessions of one user, and no inotify left."""
from lib import *

FOLDERS = 1000
SESSIONS = 40
# Takes all inotify instances that its user can have, says how many, and keeps them.
HOG = r"""
import ctypes, os, sys
libc, n = ctypes.CDLL(None), 0
while libc.inotify_init1(0) >= 0:
    n += 1
print(n, flush=True)
sys.stdin.read()
"""


def instances(pid):
    """How many inotify instances a process has."""
    names = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    return sum("inotify" in name for name in names)


def idle(c):
    c.send(b"i IDLE\r\n")
    while not c.response().startswith(b"+"):
        pass


def told(c, pattern, limit):
    """Seconds until a response that matches."""
    begun, c.timeout = time.monotonic(), limit
    c.until(lambda r: re.search(pattern, r))
    assert time.monotonic() - begun < limit
    return time.monotonic() - begun


def make_folders(who):
    for n in range(FOLDERS):
        top = "%s/.f%d" % (who.maildir, n)
        for part in ("", "/cur", "/new", "/tmp"):
            os.mkdir(top + part, 0o700)
    who.own(who.maildir)


def test_a_thousand_mailboxes_and_many_sessions():
    """One instance for a session that idles, two for one that watches all."""
    who = user("folders")
    with Server() as server:
        server.imap_login(who, tls=False).logout()
        make_folders(who)
        idlers = [server.imap_login(who, tls=False) for _ in range(SESSIONS)]
        for n, c in enumerate(idlers):
            c.ok("SELECT f%d" % n)
            idle(c)
        watcher = server.imap_login(who, tls=False)
        tagged, _ = watcher.command("NOTIFY SET (personal (MessageNew MessageExpunge))")
        assert tagged.split()[1] == b"OK", tagged
        # Nothing was made for mailboxes where nothing happens.
        assert not os.path.exists(who.maildir + "/.f500/mailreeve-state")
        counts = [instances(pid) for pid in processes("imap")]
        assert len(counts) == SESSIONS + 1 and max(counts) <= 2, counts
        assert sum(counts) <= SESSIONS + 2, "%d instances of 128" % sum(counts)
        who.deliver("Subject: x\n\nx\n", "f777")
        seconds = told(watcher, rb"STATUS f777 .*MESSAGES 1", 10)
        for n in (0, SESSIONS - 1):
            who.deliver("Subject: x\n\nx\n", "f%d" % n)
            told(idlers[n], rb"\* 1 EXISTS", 10)
        print("# told after %.3f s" % seconds)
        for c in idlers + [watcher]:
            c.close()


def test_a_search_by_age_goes_on():
    """RFC 5032 section 2 in a context of RFC 5267: the time of each look counts, also while nothing else happens."""
    who = user("ages")
    with Server() as server:
        for n, age in enumerate((3, 10, 40), 1):
            who.deliver("Subject: x\n\nx\n")
            c = server.imap_login(who, tls=False)
            c.ok("SELECT INBOX")
            c.command("SEARCH RETURN (UPDATE COUNT) %d OLDER %d" % (n, age + 1), tag=b"old")
            _, found = c.command("SEARCH RETURN (UPDATE ALL) %d YOUNGER %d" % (n, age), tag=b"young")
            if any(r.startswith(b'* ESEARCH (TAG "young") ALL') for r in found):
                break
            c.close()           # the machine was slow: give it more time
        idle(c)
        told(c, rb'\* ESEARCH \(TAG "young"\) REMOVEFROM \(0 %d\)' % n, 120)
        told(c, rb'\* ESEARCH \(TAG "old"\) ADDTO \(0 %d\)' % n, 120)
        c.send(b"DONE\r\n")
        c.until(lambda r: r.startswith(b"i OK"))
        c.logout()


def test_no_instance_left():
    """Then sessions look every few seconds; nothing is lost but time."""
    who = user("hogged")
    with Server() as server:
        server.imap_login(who, tls=False).logout()
        hog = subprocess.Popen([sys.executable, "-c", HOG], user=who.uid, group=who.gid, extra_groups=[],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        taken = int(hog.stdout.readline())
        assert taken > 0
        c = server.imap_login(who, tls=False)
        c.ok("SELECT INBOX")
        idle(c)
        assert all(instances(pid) == 0 for pid in processes("imap"))
        who.deliver("Subject: x\n\nx\n")
        seconds = told(c, rb"\* 1 EXISTS", 20)
        print("# %d instances were taken; told after %.1f s" % (taken, seconds))
        c.send(b"DONE\r\n")
        c.until(lambda r: r.startswith(b"i OK"))
        c.ok(r"STORE 1 +FLAGS (\Seen)")
        c.ok("APPEND INBOX %L", b"Subject: y\r\n\r\ny\r\n")
        tagged, untagged = c.command("NOTIFY SET (personal (MessageNew MessageExpunge))")
        assert tagged.split()[1] in (b"OK", b"NO"), tagged
        hog.communicate()
        c.logout()


main(__name__)
