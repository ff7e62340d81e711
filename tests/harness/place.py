"""Where a transcript is played: a home directory and a way to a server.

Direct: `imap` or `pop3` on a socketpair, as an ordinary user, as if that user
had started it by hand. tests/system has the other place, the whole server.
"""
import glob
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import wire

NOBODY = 65534
BAD_STDERR = re.compile(r"AddressSanitizer|runtime error|LeakSanitizer|assert", re.I)
PROTOCOLS = {"imap": wire.Imap, "pop3": wire.Pop3}


def maildir_folder(mailbox):
    """The Maildir++ directory of an ASCII mailbox name, relative to the Maildir."""
    return "" if mailbox == "INBOX" else "." + mailbox.replace("/", ".")


def write_message(maildir, raw, mailbox, number, flags=None, name=None, date=None):
    """Deliver as an MDA does: tmp, then rename into new (or cur, with flags)."""
    folder = os.path.join(maildir, maildir_folder(mailbox))
    for sub in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(folder, sub), mode=0o700, exist_ok=True)
    name = name or "%d.M%06dP1.test" % (1700000000 + number, number)
    tmp = os.path.join(folder, "tmp", name.split(":")[0])
    with open(tmp, "wb") as f:
        f.write(raw)
    if date:
        os.utime(tmp, (int(date), int(date)))
    if flags is None:
        os.rename(tmp, os.path.join(folder, "new", name))
    else:
        os.rename(tmp, os.path.join(folder, "cur", name + ":2," + flags))


def index_gone(path, count):
    """What anybody may do to an index at any time."""
    os.unlink(path)
    if count % 2:
        os.unlink(path + "-lock")


def index_damaged(path, count):
    """A damaged one in its place; every fifth is damaged where it stands."""
    with open(path, "rb") as f:
        good = f.read()
    middle = len(good) // 2
    noise = random.Random(count).randbytes(4096)
    if count % 5 == 4:
        with open(path, "r+b") as f:
            f.seek(middle)
            f.write(noise)
        return
    bad = (b"", good[:middle], good[:8192] + noise * 4,
           good[:middle] + noise + good[middle + len(noise):])[count % 5]
    with open(path + ".bad", "wb") as f:
        f.write(bad)
    st = os.stat(path)
    os.chown(f.name, st.st_uid, st.st_gid)
    os.chmod(f.name, 0o600)
    os.rename(f.name, path)


class Direct:
    """A home directory of its own; every connection is one process."""

    index = None                # index_gone or index_damaged, before each command
    disturbed = 0

    def between(self):
        path = os.path.join(self.maildir, "mailreeve-index")
        if self.index and os.path.exists(path):
            try:
                self.index(path, self.disturbed)
            except FileNotFoundError:
                pass                            # a session was faster
            self.disturbed += 1

    def __init__(self, programs, settings=None, keep=False):
        self.top = tempfile.mkdtemp(prefix="mailreeve-test-")
        os.chmod(self.top, 0o755)
        self.uid = NOBODY if os.getuid() == 0 else None
        self.home = os.path.join(self.top, "home")
        self.maildir = os.path.join(self.home, "Maildir")
        self.programs = programs
        self.settings = settings or {}
        self.variables = {"home": self.home, "mail": self.maildir, "user": "tester"}
        self.running = []
        self.keep = keep
        os.mkdir(self.home, 0o700)
        self.own(self.home)

    def own(self, path):
        if self.uid is not None:
            for top, dirs, files in os.walk(path):
                for name in [""] + dirs + files:
                    try:
                        os.chown(os.path.join(top, name), self.uid, self.uid,
                                 follow_symlinks=False)
                    except FileNotFoundError:
                        pass                    # a session works in there

    def as_user(self):
        return dict(user=self.uid, group=self.uid, extra_groups=[]) \
            if self.uid is not None else {}

    def environment(self, extra):
        config = "".join("%s %s\n" % kv for kv in sorted(self.settings.items()))
        env = {"HOME": self.home, "USER": "tester", "LOGNAME": "tester",
               "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC0",
               "MAILREEVE_CONFIG": config or "\n"}
        env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
        env.update(extra)
        return env

    def connect(self, protocol, env):
        ours, theirs = socket.socketpair()
        errors = tempfile.TemporaryFile()
        process = subprocess.Popen(
            [os.path.join(self.programs, protocol)], stdin=theirs, stdout=theirs,
            stderr=errors, cwd="/", env=self.environment(env), **self.as_user())
        theirs.close()
        connection = PROTOCOLS[protocol](ours)
        self.running.append((connection, process, errors))
        return connection

    def greet(self, connection):
        welcome = connection.greeting()
        if not welcome.startswith((b"* PREAUTH ", b"+OK")):
            raise AssertionError("greeted with " + wire.show(welcome))

    def ended(self, connection):
        """The connection is closed: its process must end, and end well."""
        for entry in [e for e in self.running if e[0] is connection]:
            self.running.remove(entry)
            self.reap(*entry[1:])

    def reap(self, process, errors):
        try:
            status = process.wait(wire.TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the session did not end with its connection") from None
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
        errors.close()
        if status != 0 or BAD_STDERR.search(text):
            raise AssertionError("exit status %d, said:\n%s" % (status, text[-6000:]))

    def deliver(self, raw, mailbox, number, **options):
        write_message(self.maildir, raw, mailbox, number, **options)
        self.own(self.maildir)

    def file(self, path, raw):
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), mode=0o700, exist_ok=True)
        with open(full, "wb") as f:
            f.write(raw)
        self.own(self.home)

    def shell(self, command):
        done = subprocess.run(["sh", "-euc", command], cwd=self.home,
                              env=dict(self.environment({}), MAIL=self.maildir),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **self.as_user())
        if done.returncode:
            raise AssertionError("shell: %s\n%s" % (command, done.stdout.decode()))

    def finish(self):
        """All processes end; then the home directory goes."""
        try:
            for connection, process, errors in self.running:
                connection.close()
            while self.running:
                self.reap(*self.running.pop()[1:])
        finally:
            for _, process, _ in self.running:
                process.kill()
            if not self.keep:
                shutil.rmtree(self.top, ignore_errors=True)


def private_programs(build, names=("imap", "pop3")):
    """Copies that every user can execute, whatever the build tree's modes."""
    directory = tempfile.mkdtemp(prefix="mailreeve-bin-")
    os.chmod(directory, 0o755)
    for name in names:
        if os.path.exists(os.path.join(build, name)):
            shutil.copy(os.path.join(build, name), directory)
    return directory


def find_transcripts(top, wanted):
    found = sorted(glob.glob(os.path.join(top, "*", "*.txt")))
    return [f for f in found if not wanted or any(w in f for w in wanted)]
