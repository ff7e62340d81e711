#!/usr/bin/env python3
"""The transcripts once more, through the whole server: TLS, login, PAM, relay."""
from lib import *

from transcript import Player, Script

TRANSCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                           "transcripts")


class Whole:
    """A place for a transcript: an account of the host, connections through the server."""

    index = None

    def __init__(self, server):
        self.server = server
        self.user = user("script")
        self.variables = {"home": self.user.home, "mail": self.user.maildir,
                          "user": self.user.name}

    def connect(self, protocol, env):
        return self.server.imap() if protocol == "imap" else self.server.pop3()

    def between(self):
        pass

    def greet(self, connection):
        connection.login(self.user.name, self.user.password)

    def ended(self, connection):
        pass

    def deliver(self, raw, mailbox, number, **options):
        self.user.deliver(raw, mailbox, **options)

    def file(self, path, raw):
        full = os.path.join(self.user.home, path)
        self.user.run("sh", "-c", "umask 077; mkdir -p \"$(dirname '%s')\"; cat > '%s'" % (full, full),
                      input=raw)

    def shell(self, command):
        self.user.run("sh", "-euc", command, env={"MAIL": self.user.maildir})


def by_hand_only(script):
    """Transcripts that look at what only a session started by hand does."""
    return any(step[1] in ("see", "env") for step in script.steps)


def play(path):
    def test():
        script = Script(path)
        if by_hand_only(script):
            raise Skip("about a session started by hand")
        settings = {k.replace("-", "_"): v for k, v in script.settings.items()}
        with Server(**settings) as server:
            Player(script, os.path.basename(os.path.dirname(path)), Whole(server)).play()
    return test


if __name__ == "__main__":
    found = place.find_transcripts(TRANSCRIPTS, sys.argv[1:])
    sys.exit(tap.run([(os.path.relpath(p, TRANSCRIPTS)[:-4], play(p)) for p in found]))
