#!/usr/bin/env python3
"""Eight sessions and a delivery agent on one mailbox, with a model that knows each message by its content (crowd.py).

Nothing is in step, other programs flag and remove messages, and the index is
taken away; what is there in the end is there without the index too.
CONCURRENCY_SECONDS is how long the Maildir is worked on; 60 for the whole proof.
"""
from lib import *
from crowd import MAILDIR_MDA, MBOX_MDA, Others, picture, work

SECONDS = float(os.environ.get("CONCURRENCY_SECONDS", "15"))
SESSIONS = 8


def test_eight_sessions_on_a_maildir():
    with Server() as server:
        who = user("busy")
        server.imap_login(who, tls=False).logout()
        final = work([server] * SESSIONS, who, [sys.executable, "-c", MAILDIR_MDA], SECONDS,
                     lambda book: [Others(who, book)])
        os.unlink(who.maildir + "/mailreeve-index")
        assert picture(server, who) == final, "without the index it is the same"


def test_eight_sessions_on_an_mbox():
    with Server(mail_format="mbox") as server:
        who = user("busymbox")
        path = "/var/mail/" + who.name
        with open(path, "w"):
            pass
        os.chown(path, who.uid, who.gid)
        final = work([server] * SESSIONS, who, [sys.executable, "-c", MBOX_MDA, path], SECONDS / 2, lambda book: [])
        os.unlink(who.home + "/mail/.mailreeve/mailreeve-index")
        assert picture(server, who) == final, "without the index it is the same"


main(__name__)
