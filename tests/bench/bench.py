#!/usr/bin/env python3
"""Mailreeve and Debian's Dovecot on the same mail, in one run, by turns.

bench.py [--messages N] [--turns N] [--only WORD] [--without-dovecot]

Both servers run in a world of their own (tests/system/lib.py) with the same
accounts, PAM service, certificate and copies of the same Maildir. A workload is
run on one, then on the other, and again; what counts is the processor time of
all processes of a server, read from its cgroup.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from lib import *                                   # noqa: E402
import lib                                          # noqa: E402
from corpus import Corpus                           # noqa: E402


DEBS = os.path.join(lib.TOP, ".cache", "deb")
LOAD = os.path.join(BUILD, "bench", "load")
GROUPS = SCRATCH + "/cgroup"
DOVECOT = """
protocols = imap pop3
listen = 127.0.0.1
log_path = /dev/null
ssl = yes
disable_plaintext_auth = no
ssl_cert = </etc/mailreeve/tls.crt
ssl_key = </etc/mailreeve/tls.key
mail_location = maildir:~/Maildir
passdb {
  driver = pam
  args = imap
}
userdb {
  driver = passwd
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = 10143
  }
  inet_listener imaps {
    port = 10993
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 10110
  }
  inet_listener pop3s {
    port = 10995
    ssl = yes
  }
}
"""


# ---- the two servers -----------------------------------------------------------

class Contender:
    """One server, its account and the cgroup that counts its processor time."""

    def __init__(self, name, offset, command):
        self.name, self.offset, self.command = name, offset, command
        self.group = os.path.join(GROUPS, name)
        os.makedirs(self.group, exist_ok=True)

    def start(self):
        def enter():
            with open(self.group + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
        self.process = start(self.command, preexec_fn=enter)
        self.port(143, wait=True)
        self.port(110, wait=True)

    def port(self, service, wait=False):
        number = service + self.offset
        if wait:
            wire.connect(number).close()
        return number

    def cpu(self):
        """Microseconds of all its processes, dead or alive."""
        with open(self.group + "/cpu.stat") as f:
            return int(dict(line.split() for line in f)["usage_usec"])

    def memory(self):
        """Proportional kilobytes of all its processes."""
        with open(self.group + "/cgroup.procs") as f:
            pids = f.read().split()
        total = 0
        for pid in pids:
            try:
                with open("/proc/%s/smaps_rollup" % pid) as f:
                    total += int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    def settle(self):
        """Until it has used no more time: late work of the last round is counted."""
        last = -1
        while (used := self.cpu()) != last:
            last = used
            time.sleep(0.02)
        return used

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def dovecot():
    """Debian's packages laid over /usr, without installing them."""
    names = [n for n in sorted(os.listdir(DEBS)) if n.startswith(("dovecot", "libext", "liblua", "libwrap"))]
    layers = ":".join([os.path.join(DEBS, n, "usr") for n in names] + ["/usr"])
    lib.mount("-t", "overlay", "-o", "lowerdir=" + layers, "overlay", "/usr")
    lib.overlay("/usr/local")
    lib.install_stage()
    run("ldconfig")
    for name in ("dovecot", "dovenull"):
        run("useradd", "-r", name, ok=(0, 9))
    with open("/etc/dovecot-bench.conf", "w") as f:
        f.write(DOVECOT)
    return Contender("dovecot", 10000, ["/usr/sbin/dovecot", "-F", "-c", "/etc/dovecot-bench.conf"])


# ---- mail ----------------------------------------------------------------------

def fill(who, count):
    """A Maildir of messages that were seen before, in cur/."""
    top = who.maildir + "/cur/"
    for sub in ("cur", "new", "tmp"):
        os.makedirs(who.maildir + "/" + sub)
    corpus, total = Corpus(1), 0
    for i in range(count):
        raw = corpus.message()
        total += len(raw)
        with open("%s%d.M%06dP1.bench,S=%d:2,%s" % (top, 1700000000 + i, i, len(raw),
                                                   "S" if i % 3 else ""), "wb") as f:
            f.write(raw)
    who.own(who.maildir)
    return total


def copy(source, target):
    run("cp", "-a", source.maildir, target.maildir)
    target.own(target.maildir)


# ---- workloads: name, arguments of load; N is the number of messages ------------

class Work:
    def __init__(self, name, *args, per="command", prepare=None, fresh=False):
        self.name, self.args, self.per = name, args, per
        self.prepare, self.fresh = prepare, fresh


def deliver_one(who):
    who.deliver(b"Subject: new\n\nnew\n")


def works(n):
    inbox = ("-b", "SELECT INBOX")
    return [
        Work("login over TLS", "-t", "-l", "40", "NOOP", per="login"),
        Work("login in the clear", "-l", "40", "NOOP", per="login"),
        Work("POP3 login over TLS", "-P", "-t", "-l", "40", "NOOP", per="login"),
        Work("SELECT warm", *inbox, "-r", "20", "SELECT INBOX"),
        Work("SELECT after a delivery", "SELECT INBOX", prepare=deliver_one, fresh=True),
        Work("FETCH FLAGS", *inbox, "FETCH 1:* FLAGS", per="message"),
        Work("FETCH ENVELOPE", *inbox, "FETCH 1:* ENVELOPE", per="message"),
        Work("FETCH BODYSTRUCTURE", *inbox, "FETCH 1:* BODYSTRUCTURE", per="message"),
        Work("FETCH four header fields", *inbox,
             "FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]", per="message"),
        Work("FETCH RFC822.SIZE", *inbox, "FETCH 1:* RFC822.SIZE", per="message"),
        Work("FETCH BODY.PEEK[] clear", *inbox, "FETCH 1:* BODY.PEEK[]", per="message"),
        Work("FETCH BODY.PEEK[] TLS", "-t", *inbox, "FETCH 1:* BODY.PEEK[]", per="message"),
        Work("POP3 RETR clear", "-P", "retr 1:%d" % n, per="message"),
        Work("POP3 RETR TLS", "-P", "-t", "retr 1:%d" % n, per="message"),
        Work("SEARCH UNSEEN", *inbox, "-r", "10", "SEARCH UNSEEN"),
        Work("SEARCH SUBJECT", *inbox, "SEARCH SUBJECT release"),
        Work("SEARCH BODY", *inbox, "SEARCH BODY doesnotoccur"),
        Work("STORE", *inbox, "STORE 1:* +FLAGS.SILENT (\\Flagged)",
             "STORE 1:* -FLAGS.SILENT (\\Flagged)", per="message"),
        Work("APPEND 6 KB", "-r", "100", "append Bench 6000"),
        Work("COPY", *inbox, "COPY 1:%d Bench" % min(n, 1000), per="copy"),
        Work("STATUS", "-r", "50", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"),
        Work("LIST", "-r", "50", 'LIST "" *'),
    ]


PER = {"command": lambda done, n: done, "message": lambda done, n: n,
       "login": lambda done, n: 40, "copy": lambda done, n: min(n, 1000)}


def measure(contender, who, work, n):
    """(processor, wall) microseconds for one unit of the work."""
    if work.prepare:
        work.prepare(who)
    pop3, tls = "-P" in work.args, "-t" in work.args
    service = (995 if tls else 110) if pop3 else (993 if tls else 143)
    before = contender.settle()
    out = run(LOAD, "-p", str(contender.port(service)), "-u", who.name, "-w", who.password,
              *work.args, timeout=600)
    used = contender.settle() - before
    seconds, done, _ = out.split()
    units = max(1, PER[work.per](int(done), n))
    return used / units, float(seconds) * 1e6 / units


def main_():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--messages", type=int, default=2000)
    args.add_argument("--turns", type=int, default=2)
    args.add_argument("--only", default="")
    args.add_argument("--without-dovecot", action="store_true")
    args = args.parse_args()
    os.makedirs(GROUPS)
    lib.mount("-t", "cgroup2", "cgroup2", GROUPS)
    contenders = [Contender("mailreeve", 0, [MAILREEVED, "-f"])]
    if not args.without_dovecot:
        contenders.append(dovecot())
    certificate()
    configure(cleartext_login="yes", spare_connections="2")
    people = {c.name: user("bench") for c in contenders}
    first = people["mailreeve"]
    octets = fill(first, args.messages)
    for c in contenders[1:]:
        copy(first, people[c.name])
    for c in contenders:
        c.start()
        run(LOAD, "-p", str(c.port(143)), "-u", people[c.name].name, "-w", "secret",
            "CREATE Bench", "SELECT INBOX", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)", timeout=600)
    print("%d messages, %.1f MB; microseconds of processor time for one unit (wall time)"
          % (args.messages, octets / 1e6))
    print("%-26s %-8s" % ("work", "unit") + "".join("%24s" % c.name for c in contenders) + "   ratio")
    for work in works(args.messages):
        if args.only not in work.name:
            continue
        best = {}
        for _ in range(args.turns):
            for c in contenders:
                try:
                    got = measure(c, people[c.name], work, args.messages)
                except AssertionError as error:
                    print("# %s: %s" % (c.name, str(error).splitlines()[-1]))
                    got = (float("nan"),) * 2
                best[c.name] = min(best.get(c.name, got), got)
        row = "%-26s %-8s" % (work.name, work.per)
        row += "".join("%12.1f (%9.1f)" % best[c.name] for c in contenders)
        if len(contenders) == 2:
            row += "  %6.2f" % (best["mailreeve"][0] / best["dovecot"][0])
        print(row, flush=True)
    print("memory, KB: " + ", ".join("%s %d" % (c.name, c.memory()) for c in contenders))
    for c in contenders:
        c.stop()


if __name__ == "__main__":
    main_()
