#!/usr/bin/env python3
"""A newcomer's first minutes, on a clean Debian: clone, `make run`, read mail.

newcomer.py works as root in the tree that tests/fetch.sh left in .cache/debian,
under an overlay that is thrown away, with make, git and ca-certificates added
and nothing else. It uses the host's network (apt) and ports that are free.
"""
import os
import socket
import ssl
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(HERE, "harness"))

import tap                                          # noqa: E402
import wire                                         # noqa: E402
from tap import Skip                                # noqa: E402

TREE = os.path.join(TOP, ".cache", "debian")
INSIDE = "MAILREEVE_NEWCOMER"
NAMES = ("IMAP", "IMAPS", "POP3", "POP3S")
MAIL = b"From: ann@example.org\r\nSubject: first\r\n\r\nIt works.\r\n"


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


PORTS = dict(zip(NAMES, free_ports(4)))


def prepare():
    """The tree under an overlay at root, with what a chroot needs."""
    work = tempfile.mkdtemp(prefix="mailreeve-newcomer-")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work], check=True)
    for name in ("up", "work", "root"):
        os.mkdir(os.path.join(work, name))
    root = os.path.join(work, "root")
    subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/up,workdir=%s/work"
                    % (TREE, work, work), "overlay", root], check=True)
    for kind, target in (("proc", "/proc"), ("tmpfs", "/run"), ("tmpfs", "/dev/shm")):
        os.makedirs(root + target, exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, root + target], check=True)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        status = os.stat("/dev/" + name)
        if not os.path.exists(root + "/dev/" + name):
            os.mknod(root + "/dev/" + name, status.st_mode, status.st_rdev)
            os.chmod(root + "/dev/" + name, 0o666)
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        subprocess.run(["cp", "-L", name, root + name], check=True)
    os.makedirs(root + "/repository")
    subprocess.run(["mount", "--bind", TOP, root + "/repository"], check=True)
    return root


def inside(command, limit=600):
    """A shell command in the tree: its output. AssertionError when it fails."""
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
           "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(["chroot", ROOT, "sh", "-ec", command], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=limit)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise AssertionError("%s: status %d\n%s" % (command, done.returncode, text[-8000:]))
    return text


def test_the_machine_is_clean():
    inside("! command -v gcc && ! command -v python3 && ! test -e /etc/mailreeve.conf")
    inside("apt-get update -qq && DEBIAN_FRONTEND=noninteractive "
           "apt-get install -y -qq --no-install-recommends make git ca-certificates")
    inside("git config --global --add safe.directory '*' && git clone -q /repository /root/mailreeve")
    inside("useradd -m -s /bin/sh ann && echo ann:a.secret | chpasswd")


def test_make_run():
    """It builds, installs, starts the server, and says what to do next."""
    said = inside("cd /root/mailreeve && make run " + " ".join("%s=%d" % p for p in PORTS.items()))
    assert "openssl s_client" in said, said[-3000:]
    inside("id _mailreeve && test -f /etc/pam.d/imap && test -f /etc/pam.d/pop3")
    inside("test \"$(stat -c %a /etc/mailreeve/tls.key)\" = 600")


def unchecked():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_imap_over_tls():
    c = wire.imap(PORTS["IMAPS"], tls=True)
    c.login("ann", "a.secret")
    c.ok("APPEND INBOX %L", MAIL)
    c.ok("SELECT INBOX")
    got = c.ok("FETCH 1 BODY[]")
    assert b"BODY[] {%d}\r\n%s" % (len(MAIL), MAIL) in got[0], got
    c.logout()


def test_imap_starttls():
    c = wire.imap(PORTS["IMAP"])
    c.starttls()
    c.login("ann", "a.secret")
    assert b"* STATUS INBOX (MESSAGES 1)" in c.ok("STATUS INBOX (MESSAGES)")
    c.logout()


def test_pop3_over_tls():
    c = wire.pop3(PORTS["POP3S"], tls=True)
    c.login("ann", "a.secret")
    assert b"\r\n".join(c.ok("RETR 1", multi=True)) + b"\r\n" == MAIL
    c.quit()


def test_make_run_again():
    """A second run replaces the running server and changes nothing else."""
    inside("cd /root/mailreeve && cksum /etc/mailreeve/tls.* > /root/before && make run %s && "
           "cksum /etc/mailreeve/tls.* | cmp - /root/before"
           % " ".join("%s=%d" % p for p in PORTS.items()))
    c = wire.imap(PORTS["IMAPS"], tls=True)
    c.login("ann", "a.secret")
    c.logout()


def test_make_check():
    """The other command of README.md. What only tests/fetch.sh provides is skipped here."""
    said = inside("cd /root/mailreeve && make check || true", limit=3600).strip().splitlines()
    print("# in the clean tree:", said[-1] if "passed" in said[-1] else said[-2])
    failed = [i for i, line in enumerate(said) if line.startswith("  FAILED: ")]
    for i in failed:
        print("\n".join("# " + line for line in said[i - 1:i + 120]))
    assert not failed and any(", 0 failed," in line for line in said[-2:]), \
        [line for line in said if line.startswith("not ok: ")] + said[-3:]


def test_make_uninstall():
    inside("cd /root/mailreeve && make uninstall && ! test -e /usr/local/libexec/mailreeve "
           "&& ! test -e /usr/local/sbin/mailreeved && test -f /etc/pam.d/imap")


def main():
    global ROOT
    if os.geteuid() != 0 or not os.path.isdir(TREE):
        print("1..0 # SKIP needs root and .cache/debian (tests/fetch.sh)")
        return 0
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc",
                              "--propagation", "private", sys.executable] + sys.argv)
    ROOT = prepare()
    return tap.main()


if __name__ == "__main__":
    sys.exit(main())
