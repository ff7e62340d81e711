#!/usr/bin/env python3
"""What sessions on one mailbox are told, held against what a client may believe.

Three sessions, one of them without QRESYNC, act at random while other programs
deliver, remove and flag messages and the index is taken away. Each client keeps
a list of messages only by what it is told (RFC 3501 section 7.4.1, RFC 7162
section 3.2.10), and the results of searches by ADDTO and REMOVEFROM (RFC 5267 section
4.3); in the end all lists, flags and results are what a fresh look finds.
"""
import random

from lib import *
from view import View

SEEDS = (1, 2, 3)
STEPS = 300
FLAGS = ("Seen", "Deleted", "Flagged")


class World:
    """The sessions, and all that may happen."""

    def __init__(self, server, who, seed):
        self.who, self.random = who, random.Random(seed)
        self.views = [View(server, who, qresync) for qresync in (True, False, True)]

    def path(self, *names):
        return os.path.join(self.who.maildir, *names)

    def files(self):
        return [os.path.join(sub, name) for sub in ("cur", "new")
                for name in sorted(os.listdir(self.path(sub)))]

    # ---- other programs ----

    def deliver(self):
        self.who.deliver("Subject: %s more\n\ntext\n" % self.random.choice("abcdef"))

    def foreign_remove(self):
        if files := self.files():
            os.unlink(self.path(self.random.choice(files)))

    def foreign_flags(self):
        if files := self.files():
            old = self.random.choice(files)
            new = "%s:2,%s" % (os.path.basename(old).split(":")[0],
                               "".join(sorted(self.random.sample("DFRST", 2))))
            os.rename(self.path(old), self.path("cur", new))

    def take_index(self):
        for name in os.listdir(self.path()):
            if name.startswith("mailreeve-index"):
                os.unlink(self.path(name))

    # ---- sessions ----

    def silently(self):
        view = self.random.choice(self.views)
        for uid in view.uids:
            view.flags[uid] = {rb"\Answered"}
        view.do(r"UID STORE 1:* FLAGS.SILENT (\Answered)")

    def command(self):
        view = self.random.choice(self.views)
        commands = ["NOOP", "CHECK", "EXPUNGE", "SEARCH RETURN (ALL) UNSEEN",
                    "STATUS INBOX (MESSAGES UNSEEN)", "UID EXPUNGE 1:%d" % (len(view.uids) + 1)]
        if view.uids:
            n = self.random.randint(1, len(view.uids))
            flag = self.random.choice(FLAGS)
            commands += ["STORE %d %sFLAGS (\\%s)" % (n, how, flag) for how in ("+", "-", "")]
            commands += ["FETCH %d:* (UID FLAGS)" % n, "FETCH %d BODY[]" % n,
                         "COPY %d INBOX" % n, "MOVE %d Trash" % n]
        view.do(self.random.choice(commands))

    def again(self):
        self.random.choice(self.views).select()

    ACTS = ((command, 60), (deliver, 20), (foreign_remove, 5), (foreign_flags, 5),
            (silently, 3), (again, 3), (take_index, 1))

    def step(self):
        acts, weights = zip(*self.ACTS)
        self.random.choices(acts, weights)[0](self)

    def agree(self):
        for view in self.views:
            view.do("NOOP")
        for view in self.views:
            believed = dict(view.flags)
            view.do("UID FETCH 1:* (FLAGS)")
            assert len(view.uids) == len(self.files()), "view and files differ"
            for uid in view.uids:
                assert believed.get(uid, view.flags[uid]) == view.flags[uid], \
                    "%d: %r believed, %r true" % (uid, believed[uid], view.flags[uid])
            view.results_are_true()
        assert len({tuple(view.uids) for view in self.views}) == 1, "views differ"


def test_every_session_is_told_the_truth():
    """Three sessions and other programs on one mailbox."""
    with Server() as server:
        for seed in SEEDS:
            print("# seed %d" % seed)
            world = World(server, user("views"), seed)
            for _ in range(STEPS):
                world.step()
            world.agree()


main(__name__)
