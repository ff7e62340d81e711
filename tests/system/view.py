"""A session, and what its client believes of the mailbox by what it is told.

A client keeps a list of messages only by what it is told (RFC 3501 section
7.4.1, RFC 7162 section 3.2.10), and the results of searches by ADDTO and
REMOVEFROM (RFC 5267 section 4.3). What cannot be true fails at once.
"""
from lib import *

UNKNOWN = 0                     # a message whose UID the client was not told
KEEP_EXPUNGE_BACK = ("FETCH", "STORE", "SEARCH")
# Searches that go on: those by number are for who is told of EXPUNGE by number.
UPDATES = ("UID SEARCH RETURN (%s) FLAGGED UNDELETED",
           "UID SORT RETURN (%s) (SUBJECT REVERSE ARRIVAL) UTF-8 UNSEEN")
UPDATES_BY_NUMBER = ("SEARCH RETURN (%s) OR UNSEEN FLAGGED",
                     "SORT RETURN (%s) (REVERSE SUBJECT) UTF-8 UNDELETED")


def numbers(raw):
    """The members of a set in its order."""
    for part in raw.decode().split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


class Results:
    """What a client makes of the searches that it is told the changes of."""

    def __init__(self):
        self.found, self.by_uid = {}, {}

    def told(self, response):
        tag, uid, data = re.match(rb'\* ESEARCH \(TAG "([^"]+)"\)( UID)? ?(.*)\Z', response).groups()
        if tag not in self.found:
            everything = re.search(rb"ALL (\S+)", data)
            self.found[tag] = list(numbers(everything[1])) if everything else []
            self.by_uid[tag] = bool(uid)
            return
        assert self.by_uid[tag] == bool(uid), response
        changes = re.findall(rb"(ADDTO|REMOVEFROM) \(([^)]*)\)", data)
        assert changes, "an update without a change: %r" % response
        for how, pairs in changes:
            words = pairs.split()
            for place, these in zip(words[::2], words[1::2]):
                self.change(self.found[tag], how, int(place), list(numbers(these)), response)

    def change(self, found, how, place, these, response):
        if how == b"ADDTO":
            assert not set(these) & set(found), "twice: %r" % response
            found[max(place - 1, 0):max(place - 1, 0)] = these
            if place == 0:
                found.sort()
        elif place == 0:
            for number in these:
                found.remove(number)
        else:
            at = slice(place - 1, place - 1 + len(these))
            assert found[at] == these, "%r are not at %d: %r" % (these, place, response)
            del found[at]

    def expunge(self, n, tags):
        for tag in tags:
            found = self.found[tag]
            if self.by_uid[tag]:
                continue
            assert n not in found, "%d went without REMOVEFROM" % n
            found[:] = [x - (x > n) for x in found]


class View:
    """A session, and its client's picture of INBOX."""

    def __init__(self, server, who, qresync):
        self.session = server.imap_login(who, tls=False)
        self.qresync = qresync
        if qresync:
            self.session.ok("ENABLE QRESYNC")
        self.select()

    def select(self):
        self.uids, self.flags = [], {}
        self.results, self.updates = Results(), []
        self.do("SELECT INBOX")
        self.do("UID FETCH 1:* (FLAGS)")
        for search in UPDATES + (() if self.qresync else UPDATES_BY_NUMBER):
            self.updates.append((search, self.do(search % "UPDATE ALL")))

    def do(self, command):
        """NO is an answer where the message went meanwhile; BAD never is."""
        tagged, untagged = self.session.command(command)
        assert tagged.split()[1] in (b"OK", b"NO"), (command, tagged)
        for response in untagged:
            self.told(command, response)
        return tagged.split()[0]

    def told(self, command, response):
        number = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)", response)
        if number:
            n, word = int(number[1]), number[2].decode()
            assert word == "EXISTS" or 1 <= n <= len(self.uids), (command, response)
            getattr(self, word.lower())(command, n, response)
        elif response.startswith(b"* ESEARCH "):
            self.results.told(response)
        elif response.startswith(b"* VANISHED ") and b"(EARLIER)" not in response:
            self.vanished(command, response)

    def exists(self, command, n, response):
        assert n >= len(self.uids), "fewer without EXPUNGE: %r" % response
        self.uids += [UNKNOWN] * (n - len(self.uids))

    def expunge(self, command, n, response):
        assert not self.qresync, "EXPUNGE with QRESYNC"
        assert command.split()[0] not in KEEP_EXPUNGE_BACK, "EXPUNGE in " + command
        self.results.expunge(n, [tag for _, tag in self.updates])
        del self.uids[n - 1]

    def vanished(self, command, response):
        assert self.qresync, "VANISHED without QRESYNC"
        assert command.split()[0] not in KEEP_EXPUNGE_BACK, "VANISHED in " + command
        for part in response.split()[-1].decode().split(","):
            first, _, last = part.partition(":")
            for uid in range(int(first), int(last or first) + 1):
                self.remove(uid)

    def remove(self, uid):
        """One whose UID is not known has its place between those around it."""
        known = [i for i, u in enumerate(self.uids) if u == uid]
        places = known or [i for i, u in enumerate(self.uids) if u == UNKNOWN
                           and all(x < uid for x in self.uids[:i])
                           and all(x > uid for x in self.uids[i:] if x != UNKNOWN)]
        assert places, "VANISHED %d, which is not in the view" % uid
        del self.uids[places[0]]

    def results_are_true(self):
        for search, tag in self.updates:
            again = self.do(search % "ALL")
            told, true = self.results.found[tag], self.results.found[again]
            assert told == true, "%s: %r told, %r true" % (search, told, true)

    def fetch(self, command, n, response):
        uid = re.search(rb"[( ]UID (\d+)", response)
        flags = re.search(rb"[( ]FLAGS \(([^)]*)\)", response)
        assert uid or not self.qresync or b"MODSEQ" not in response, response
        if uid:
            self.named(n, int(uid[1]))
        if flags and self.uids[n - 1] != UNKNOWN:
            self.flags[self.uids[n - 1]] = set(flags[1].split()) - {rb"\Recent"}

    def named(self, n, uid):
        assert self.uids[n - 1] in (UNKNOWN, uid), "%d has another UID: %d" % (n, uid)
        assert all(u < uid for u in self.uids[:n - 1]), "UIDs go down at %d" % n
        self.uids[n - 1] = uid
