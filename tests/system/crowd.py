"""Sessions that act at random on one mailbox, beside other programs, and a model that knows each message by its content.

What a session is told is held against what may be: a UID never belongs to
another message and never comes again, only what somebody wanted to remove goes,
nothing goes where EXPUNGE and VANISHED are forbidden (view.py). In the end each
message that nobody wanted to remove is there, once, and all sessions see the same.
"""
import random
import threading

from lib import *
from view import UNKNOWN, Results, View

ENOUGH = 150                    # messages; above it more are removed

# Delivers d1, d2, ... until its input ends, and says how many.
MAILDIR_MDA = r"""
import os, select, sys, time
n = 0
while not select.select([sys.stdin], [], [], 0.02)[0]:
    n += 1
    name = "%d.M%dP%d.mda" % (time.time(), n, os.getpid())
    fd = os.open("tmp/" + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, b"Subject: d%d\n\nbody of d%d\n" % (n, n))
    os.fsync(fd)
    os.close(fd)
    os.rename("tmp/" + name, "new/" + name)
print(n)
"""
MBOX_MDA = r"""
import fcntl, select, sys
n = 0
while not select.select([sys.stdin], [], [], 0.05)[0]:
    n += 1
    with open(sys.argv[1], "ab") as f:
        fcntl.lockf(f, fcntl.LOCK_EX)
        f.write(b"From a@example.org Sat Nov 21 01:02:03 2026\nSubject: d%d\n\nbody of d%d\n\n" % (n, n))
print(n)
"""


class Book:
    """What is known of all messages, whoever found it out."""

    def __init__(self):
        self.lock = threading.Lock()
        self.content = {}       # UID: subject
        self.doomed = set()     # UIDs that somebody wanted to remove
        self.added = {}         # UID: subject, as the server said that it added them
        self.copies = {}        # UID of the copy: UID
        self.moved = {}         # UID in the other mailbox: subject
        self.names = 0

    def new_name(self):
        with self.lock:
            self.names += 1
            return "a%d" % self.names

    def saw(self, uid, subject):
        with self.lock:
            before = self.content.setdefault(uid, subject)
        assert before == subject, "UID %d was %s and is %s" % (uid, before, subject)

    def doom(self, uids):
        with self.lock:
            self.doomed.update(uids)

    def doom_copies(self):
        """A copy of what is \\Deleted is that too; older UIDs come first."""
        for new, old in sorted(self.copies.items()):
            if old in self.doomed:
                self.doomed.add(new)

    def add(self, pairs):
        with self.lock:
            for uid, subject in pairs:
                assert uid not in self.added, "UID %d was given twice" % uid
                self.added[uid] = subject


class Client(View):
    """A session with a picture of the mailbox, and its own chances."""

    def __init__(self, server, who, book, seed):
        self.book, self.random = book, random.Random(seed)
        self.gone, self.commands = set(), 0
        super().__init__(server, who, qresync=seed % 2 == 0)

    def select(self):
        """Unlike View: no searches, but contents."""
        self.results, self.updates = Results(), []
        self.uids, self.flags = [], {}
        self.do("SELECT INBOX")
        self.learn("1:*")

    def learn(self, which):
        self.do("UID FETCH %s (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % which)

    def do(self, command, *literals):
        self.commands += 1
        tagged, untagged = self.session.command(command, *literals)
        assert tagged.split()[1] in (b"OK", b"NO"), (command, tagged)
        for response in untagged:
            self.told(command, response)
        # A message may go while it is asked for; nothing else is a reason.
        if tagged.split()[1] == b"NO":
            assert re.search(rb"EXPUNGEISSUED|EXPUNGED|INUSE|NONEXISTENT|gone|No such", tagged), (command, tagged)
        return tagged

    def fetch(self, command, n, response):
        super().fetch(command, n, response)
        subject = re.search(rb"Subject: (\w+)", response)
        if subject and self.uids[n - 1] != UNKNOWN:
            self.book.saw(self.uids[n - 1], subject[1].decode())

    def named(self, n, uid):
        super().named(n, uid)
        assert uid not in self.gone, "UID %d came again" % uid

    def expunge(self, command, n, response):
        self.went(self.uids[n - 1])
        super().expunge(command, n, response)

    def remove(self, uid):
        super().remove(uid)
        self.went(uid)

    def went(self, uid):
        if uid != UNKNOWN:
            self.gone.add(uid)

    # ---- acts ----

    def some(self, most=4):
        known = [u for u in self.uids if u in self.book.content]
        return sorted(self.random.sample(known, min(len(known), self.random.randint(1, most))))

    def append(self):
        name = self.book.new_name()
        tagged = self.do("APPEND INBOX (\\Flagged) %L", b"Subject: %s\r\n\r\nbody of %s\r\n"
                         % (name.encode(), name.encode()))
        self.book.add([(int(re.search(rb"APPENDUID \d+ (\d+)", tagged)[1]), name)])

    def store(self):
        if uids := self.some():
            flags = self.random.choice((r"\Seen", r"\Flagged", "$one", "two", r"\Answered three"))
            self.do("UID STORE %s %sFLAGS (%s)" % (joined(uids), self.random.choice("+-"), flags))

    def mark_deleted(self):
        if uids := self.some():
            self.book.doom(uids)
            self.do(r"UID STORE %s +FLAGS (\Deleted)" % joined(uids))

    def expunge_all(self):
        self.do(self.random.choice(("EXPUNGE", "UID EXPUNGE 1:*")))

    def copied(self, tagged):
        """Pairs of old and new UIDs out of COPYUID."""
        code = re.search(rb"COPYUID \d+ (\S+) ([^\s\]]+)", tagged)
        return list(zip(members(code[1]), members(code[2]))) if code else []

    def copy(self):
        if uids := self.some():
            pairs = self.copied(self.do("UID COPY %s INBOX" % joined(uids)))
            self.book.add([(new, self.book.content[old]) for old, new in pairs])
            with self.book.lock:
                self.book.copies.update((new, old) for old, new in pairs)

    def move(self):
        uids = self.some(2)
        if not uids:
            return
        self.book.doom(uids)
        tagged, untagged = self.session.command("UID MOVE %s Other" % joined(uids))
        assert tagged.split()[1] in (b"OK", b"NO"), tagged
        for response in untagged:
            for old, new in self.copied(response):
                with self.book.lock:
                    assert new not in self.book.moved
                    self.book.moved[new] = self.book.content[old]
            self.told("UID MOVE", response)

    def look(self):
        self.do("NOOP")
        unknown = [i for i, u in enumerate(self.uids) if u == UNKNOWN]
        if unknown:
            self.do("FETCH %d:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % (unknown[0] + 1))

    ACTS = ((look, 30), (append, 8), (store, 20), (mark_deleted, 6), (expunge_all, 4), (copy, 4),
            (move, 3), (lambda self: self.select(), 1))

    def work(self, until, errors):
        acts, weights = zip(*self.ACTS)
        removing = tuple(w * (4 if i in (3, 4, 6) else 1) for i, w in enumerate(weights))
        try:
            while time.monotonic() < until and not errors:
                full = len(self.uids) > ENOUGH
                self.random.choices(acts, removing if full else weights)[0](self)
        except Exception as error:
            errors.append(error)


def members(raw):
    return [n for part in raw.decode().split(",")
            for first, _, last in [part.partition(":")]
            for n in range(int(first), int(last or first) + 1)]


def joined(uids):
    return ",".join(map(str, uids))


class Others:
    """Programs that know no Mailreeve: they flag, remove, and take the index away."""

    def __init__(self, who, book):
        self.who, self.book = who, book

    def work(self, until, errors):
        chance = random.Random(99)
        try:
            while time.monotonic() < until and not errors:
                self.one(chance)
                time.sleep(0.02)
        except Exception as error:
            errors.append(error)

    def one(self, chance):
        cur = self.who.maildir + "/cur/"
        names = [n for n in os.listdir(cur) if ",U=" in n]
        how = chance.random()
        try:
            if how < 0.02:
                os.unlink(self.who.maildir + "/mailreeve-index")
            elif names and how < 0.5:
                name = chance.choice(names)
                os.rename(cur + name, cur + name.split(":")[0] + ":2," + "".join(chance.sample("FRS", 2)))
            elif names and how < 0.6:
                name = chance.choice(names)
                uid = int(re.search(r",U=\d+\.(\d+)", name)[1])
                with open(cur + name) as f:
                    self.book.saw(uid, f.readline().split()[1])
                self.book.doom([uid])
                os.unlink(cur + name)
        except FileNotFoundError:
            pass                # a session or we ourselves were faster


def picture(server, who, mailbox="INBOX"):
    """{uid: (subject, flags)} as a fresh session sees it."""
    c = server.imap_login(who, tls=False)
    c.ok("EXAMINE " + mailbox)
    found = {}
    for response in c.command("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        uid = re.search(rb"[( ]UID (\d+)", response)
        if uid:
            found[int(uid[1])] = (re.search(rb"Subject: (\w+)", response)[1].decode(), frozenset(
                re.search(rb"FLAGS \(([^)]*)\)", response)[1].split()) - {rb"\Recent"})
    c.close()
    return found


def settle(server, who, clients, book, delivered):
    for client in clients:
        client.look()
        believed = dict(client.flags)
        client.learn("1:*")
        for uid in client.uids:
            assert believed[uid] == client.flags[uid], (uid, believed[uid], client.flags[uid])
    final = picture(server, who)
    for client in clients:
        assert client.uids == sorted(final), "a view differs from a fresh one"
        assert all(client.flags[u] == final[u][1] for u in final), "flags differ"
    for uid, (subject, _) in final.items():
        book.saw(uid, subject)
    book.doom_copies()
    for client in clients:
        assert client.gone <= book.doomed, "went, and nobody removed them: %r" % (
            client.gone - book.doomed)
    check_contents(final, book, delivered)
    return final


def check_contents(final, book, delivered):
    for uid, subject in book.added.items():
        assert book.content.get(uid, subject) == subject, (uid, subject)
        assert uid in final or uid in book.doomed, "%s, which was added, is not there" % subject
    came = {}
    for uid, subject in book.content.items():
        assert uid in final or uid in book.doomed, "%s is not there" % subject
        if uid not in book.added:
            came.setdefault(subject, []).append(uid)
    for subject, uids in came.items():
        assert subject[0] == "d" and len(uids) == 1, "%s came as %r" % (subject, uids)
    missing = {"d%d" % n for n in range(1, delivered + 1)} - set(came)
    assert not missing, "delivered and never seen: %r" % sorted(missing)


def work(servers, who, mda, seconds, others):
    """One session of the user through each of the servers; what is there afterwards."""
    book, errors, server = Book(), [], servers[0]
    first = server.imap_login(who, tls=False)
    first.command("CREATE Other")
    clients = [Client(s, who, book, seed) for seed, s in enumerate(servers)]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=c.work, args=(until, errors)) for c in clients + others(book)]
    process = subprocess.Popen(mda, cwd=who.maildir if os.path.isdir(who.maildir) else who.home,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=who.uid, group=who.gid,
                               extra_groups=[])
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    delivered = int(process.communicate()[0])
    for error in errors:
        raise error
    print("# %d commands, %d deliveries, %d UIDs" % (
        sum(c.commands for c in clients), delivered, max(book.content)))
    final = settle(server, who, clients, book, delivered)
    other = picture(server, who, "Other")
    found = {(uid, subject) for uid, (subject, _) in other.items()}
    moved = set(book.moved.items())
    assert found == moved, "Other has %r, not %r" % (sorted(found - moved), sorted(moved - found))
    return final
