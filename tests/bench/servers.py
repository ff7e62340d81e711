"""The servers that are compared, what their processes cost, and their mail."""
import os
import re
import shutil
import subprocess
import tempfile
import time

import lib
import wire
from corpus import Corpus

DEBS = os.path.join(lib.TOP, ".cache", "deb")
GROUPS = lib.SCRATCH + "/cgroup"
CROWD = 50                              # accounts for many clients at once
QUIET = 3                               # seconds
DOVECOT = """
protocols = imap pop3
listen = 127.0.0.1
log_path = /dev/null
ssl = yes
disable_plaintext_auth = no
ssl_cert = </etc/mailreeve/tls.crt
ssl_key = </etc/mailreeve/tls.key
mail_location = maildir:~/Maildir
mail_max_userip_connections = 2000
default_process_limit = 3000
default_vsz_limit = 4G
passdb {
  driver = pam
  args = imap
}
userdb {
  driver = passwd
}
protocol imap {
  mail_plugins = imap_zlib
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


class Memory:
    """Kilobytes: the proportional sum of all processes, and the most of any one ever."""

    def __init__(self, proportional, peak):
        self.proportional, self.peak = proportional, peak


class Contender:
    """One server, its accounts, and the cgroup that counts its processor time."""

    def __init__(self, name, offset, command, index):
        self.name, self.offset, self.command = name, offset, command
        self.index = index              # files of its index
        # All of a machine are in one place: one of the same name is another bench's.
        self.group = tempfile.mkdtemp(prefix=name + "-", dir=GROUPS)
        self.people = {}

    def start(self):
        def enter():
            with open(self.group + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
        self.process = lib.start(self.command, preexec_fn=enter)
        for service in (143, 110):
            wire.connect(service + self.offset).close()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        lib.wait_for(lambda: not self.pids(), "the end of " + self.name)
        os.rmdir(self.group)

    def port(self, pop3, tls):
        return ((995 if tls else 110) if pop3 else (993 if tls else 143)) + self.offset

    def cpu(self):
        """Microseconds of all its processes, dead or alive."""
        with open(self.group + "/cpu.stat") as f:
            return int(dict(line.split() for line in f)["usage_usec"])

    def settle(self):
        """Until it has used no more time: late work belongs to what caused it."""
        last, same = -1, 0
        while same < 2:
            used = self.cpu()
            same = same + 1 if used == last else 0
            last = used
            time.sleep(0.02)
        return last

    def pids(self):
        with open(self.group + "/cgroup.procs") as f:
            return f.read().split()

    def memory(self):
        proportional, peak = 0, 0
        for pid in self.pids():
            try:
                with open("/proc/%s/smaps_rollup" % pid) as f:
                    proportional += int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1))
                with open("/proc/%s/status" % pid) as f:
                    peak = max(peak, int(re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M).group(1)))
            except (FileNotFoundError, ProcessLookupError, AttributeError):
                pass                    # it ended meanwhile
        return Memory(proportional, peak)

    def waiting(self):
        """Memory when no more is given back: that takes a while after the last command."""
        least, since = self.memory(), time.monotonic()
        while time.monotonic() - since < QUIET:
            time.sleep(0.5)
            now = self.memory()
            if now.proportional < 0.999 * least.proportional:
                least, since = now, time.monotonic()
        return least

    def visit(self, who, command):
        """One command of a session of its own; what it finds out is kept."""
        with wire.connect(self.port(False, False)) as s, s.makefile("rwb") as stream:
            stream.write(b"a LOGIN %s secret\r\nb %s\r\nc LOGOUT\r\n"
                         % (who.name.encode(), command.encode()))
            stream.flush()
            said = stream.read()
        assert b"\r\nb OK" in said, said[-500:]

    def forget(self, who):
        """Loses what it has computed about this account's mail."""
        for top, _, files in os.walk(who.maildir):
            if top.endswith(("/cur", "/new", "/tmp")):
                continue
            for name in files:
                if name.startswith(self.index):
                    os.unlink(os.path.join(top, name))


def dovecot():
    """Debian's packages laid over /usr, without installing them."""
    names = [n for n in sorted(os.listdir(DEBS)) if n.startswith(("dovecot", "libext", "liblua", "libwrap"))]
    layers = ":".join([os.path.join(DEBS, n, "usr") for n in names] + ["/usr"])
    lib.mount("-t", "overlay", "-o", "lowerdir=" + layers, "overlay", "/usr")
    lib.overlay("/usr/local")
    lib.install_stage()
    lib.run("ldconfig")
    for name in ("dovecot", "dovenull"):
        lib.run("useradd", "-r", name, ok=(0, 9))
    with open("/etc/dovecot-bench.conf", "w") as f:
        f.write(DOVECOT)
    return Contender("dovecot", 10000, ["/usr/sbin/dovecot", "-F", "-c", "/etc/dovecot-bench.conf"],
                     "dovecot.index")


def contenders(with_dovecot):
    os.makedirs(GROUPS)
    lib.mount("-t", "cgroup2", "cgroup2", GROUPS)
    found = [Contender("mailreeve", 0, [lib.MAILREEVED, "-f"], "mailreeve-index")]
    return found + [dovecot()] if with_dovecot else found


def home_on_disk(path):
    """Mail lies on a real file system, not in the memory of this world."""
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    lib.mount("--bind", path, "/home")


# ---- mail ----------------------------------------------------------------------

def make_folder(path):
    for sub in ("cur", "new", "tmp"):
        os.makedirs(path + "/" + sub)


def name_of(i, size):
    """As of a message that a simple delivery agent brought, two of three seen."""
    return "%d.M%06dP1.bench,S=%d:2,%s" % (1700000000 + i, i, size, "S" if i % 3 else "")


def fill(top, count):
    """A folder of count messages in cur/; their octets."""
    make_folder(top)
    corpus, total = Corpus(1), 0
    for i in range(count):
        raw = corpus.message()
        total += len(raw)
        with open(top + "/cur/" + name_of(i, len(raw)), "wb") as f:
            f.write(raw)
    return total


def multiply(source, top, count):
    """A folder of count messages that are links to those of another one."""
    make_folder(top)
    files = [(e.path, e.stat().st_size) for e in os.scandir(source)]
    for i in range(count):
        path, size = files[i % len(files)]
        os.link(path, top + "/cur/" + name_of(i, size))


class Mail:
    """The same mail for every contender, in accounts of its own.

    main: INBOX and, when they are wanted, Large and Huge; folders: a thousand
    folders; strong: a password hash that costs; crowdN: small. All others have
    the cheapest hash that pam_unix still takes: what it costs is the same for
    everybody, and would be counted as if it were the servers'.
    """

    def __init__(self, sizes, everyone):
        self.sizes, self.everyone = sizes, everyone
        for i, c in enumerate(everyone):
            self.accounts(c, "ab"[i])
        first = everyone[0].people["main"]
        self.octets = fill(first.maildir, sizes.messages)
        for c in everyone[1:]:
            lib.run("cp", "-a", first.maildir, c.people["main"].maildir, timeout=600)
        for c in everyone:
            self.give(c)

    def accounts(self, c, letter):
        for role in ["main", "folders", "strong"] + ["crowd%d" % i for i in range(CROWD)]:
            c.people[role] = lib.User(letter + role)
        for role, who in c.people.items():
            lib.run("chpasswd", "-c", "YESCRYPT" if role == "strong" else "DES",
                    input="%s:%s\n" % (who.name, who.password))

    def give(self, c):
        main = c.people["main"]
        self.pristine = main.home + "/.pristine"
        lib.run("cp", "-al", main.maildir + "/cur", self.pristine, timeout=600)
        for name, count in (("Large", self.sizes.large), ("Huge", self.sizes.huge)):
            if count > 0:
                multiply(self.pristine, main.maildir + "/." + name, count)
        few = sorted(os.listdir(self.pristine))[:100]
        for i in range(CROWD):
            who = c.people["crowd%d" % i]
            make_folder(who.maildir)
            for name in few:
                shutil.copy(self.pristine + "/" + name, who.maildir + "/cur/" + name)
        self.many_folders(c.people["folders"], few[:3])
        make_folder(c.people["strong"].maildir)
        for who in c.people.values():
            who.own(who.home)

    def many_folders(self, who, names):
        make_folder(who.maildir)
        for i in range(self.sizes.folders):
            top = "%s/.Folder %d.%d" % (who.maildir, i // 100, i) if i % 10 else \
                "%s/.Folder %d" % (who.maildir, i // 100 * 1000 + i)
            make_folder(top)
            for name in names:
                shutil.copy(self.pristine + "/" + name, top + "/cur/" + name)

    def fresh(self, c, name, count):
        """A folder that nobody has seen yet."""
        main = c.people["main"]
        top = main.maildir + "/." + name
        shutil.rmtree(top, ignore_errors=True)
        multiply(main.home + "/.pristine", top, count)
        main.own(top)
