#!/usr/bin/env python3
"""make install and make uninstall, with the directories of an administrator's choice."""
import os
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "harness"))

import tap                                          # noqa: E402

PREFIX, ETC = "/opt/reeve", "/opt/reeve/etc"
WORK = tempfile.mkdtemp(prefix="mailreeve-install-")
ROOT = WORK + "/root"


def make(*goals):
    """One program is enough to see where things go; its build is thrown away."""
    words = ["make", "-s", "--no-print-directory", "-j2", "B=%s/build" % WORK, "PREFIX=" + PREFIX,
             "SYSCONFDIR=" + ETC, "DESTDIR=" + ROOT, "OPT=-O0", "PROGRAMS=mailreeved"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words + list(goals), cwd=TOP, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]


def installed():
    return {os.path.join(folder, name)[len(ROOT):]
            for folder, _, names in os.walk(ROOT) for name in names}


def text(path):
    with open(ROOT + path) as f:
        return f.read()


def everything_where_it_was_asked_for():
    make("install")
    files = installed()
    assert files and all(f.startswith(PREFIX + "/") for f in files), \
        [f for f in files if not f.startswith(PREFIX + "/")]
    for wanted in (PREFIX + "/sbin/mailreeved", PREFIX + "/share/man/man8/mailreeved.8",
                   ETC + "/pam.d/imap", ETC + "/pam.d/pop3",
                   PREFIX + "/share/mailreeve/rc/systemd/mailreeve.service"):
        assert wanted in files, wanted
    assert os.path.isdir(ROOT + PREFIX + "/libexec/mailreeve/empty")
    left = [f for f in files if "/rc/" in f and "@" in text(f) and "DIR@" in text(f)]
    assert not left, "paths not filled in: %s" % left
    assert "%s/sbin/mailreeved" % PREFIX in text(PREFIX + "/share/mailreeve/rc/systemd/mailreeve.service")
    assert "%s/libexec/mailreeve/conn" % PREFIX in text(PREFIX + "/share/mailreeve/rc/inetd.conf")


def the_program_knows_its_directories():
    said = subprocess.run([ROOT + PREFIX + "/sbin/mailreeved", "-C"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    assert "tls-key %s/mailreeve/tls.key\n" % ETC in said, said
    assert "login-root %s/libexec/mailreeve/empty\n" % PREFIX in said, said


def what_was_changed_by_hand_stays():
    with open(ROOT + ETC + "/pam.d/imap", "w") as f:
        f.write("# mine\n")
    with open(ROOT + ETC + "/mailreeve.conf", "w") as f:
        f.write("login-timeout 9s\n")
    make("install")
    assert text(ETC + "/pam.d/imap") == "# mine\n"
    make("uninstall")
    left = installed()
    assert left == {ETC + "/pam.d/imap", ETC + "/pam.d/pop3", ETC + "/mailreeve.conf"} | {
        f for f in left if f.startswith(ETC + "/pam.d/")}, left
    assert text(ETC + "/pam.d/imap") == "# mine\n"
    make("uninstall")                   # of nothing


if __name__ == "__main__":
    try:
        sys.exit(tap.run([(f.__name__.replace("_", " "), f) for f in (
            everything_where_it_was_asked_for, the_program_knows_its_directories,
            what_was_changed_by_hand_stays)]))
    finally:
        shutil.rmtree(WORK)
