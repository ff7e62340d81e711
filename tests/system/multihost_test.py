#!/usr/bin/env python3
"""Two hosts on one Maildir in a distributed file system, each with an index of its own.

MooseFS with two clients: what one writes the other sees, locks hold between
them, and directory times are whole seconds. Sessions of both hosts deliver,
store, expunge and move at random (crowd.py); afterwards each host sees the same
UIDs, flags and contents, and mod-sequences have gone up on both.
"""
from lib import *
from crowd import MAILDIR_MDA, picture, work
from view import View
import wire

MOOSEFS = os.environ.get("MOOSEFS", os.path.join(os.path.dirname(BUILD), os.pardir, ".cache", "moosefs"))
SECONDS = float(os.environ.get("MULTIHOST_SECONDS", "12"))
TOP = "/run/moosefs"
LIBRARIES = ":".join("/usr/local/moosefs/" + d for d in
                     ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib"))
MASTER = """WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = %(top)s/master
EXPORTS_FILENAME = %(top)s/exports.cfg
TOPOLOGY_FILENAME = %(top)s/topology.cfg
MATOML_LISTEN_HOST = 10.9.0.1
MATOCS_LISTEN_HOST = 10.9.0.1
MATOCL_LISTEN_HOST = 10.9.0.1
"""
CHUNKS = """WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = %(top)s/chunk
HDD_CONF_FILENAME = %(top)s/hdd.cfg
HDD_LEAVE_SPACE_DEFAULT = 1MiB
MASTER_HOST = 10.9.0.1
CSSERV_LISTEN_HOST = 10.9.0.1
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


class MooseFS:
    """A master, a chunk server, and one client for each host."""

    def __init__(self, hosts):
        if not os.path.exists(MOOSEFS + "/usr/sbin/mfsmaster"):
            raise Skip("no MooseFS: tests/fetch.sh fetches it")
        if not os.path.exists("/dev/fuse"):
            try:
                os.mknod("/dev/fuse", 0o666 | 0o020000, os.makedev(10, 229))
                os.close(os.open("/dev/fuse", os.O_RDWR))
            except OSError:
                raise Skip("no FUSE here") from None
        self.mounts, self.processes = ["%s/host%d" % (TOP, n) for n in range(hosts)], []

    def start(self, *command):
        self.processes.append(start(command, env={"LD_LIBRARY_PATH": LIBRARIES}))

    def __enter__(self):
        need("ip")
        run("cp", "-a", os.path.abspath(MOOSEFS), "/usr/local/moosefs")
        run("ip", "addr", "add", "10.9.0.1/32", "dev", "lo")    # its servers want no 127.0.0.1
        for part in ("master", "chunk", "brick"):
            os.makedirs("%s/%s" % (TOP, part))
        run("mount", "-t", "tmpfs", "-o", "size=600m", "brick", TOP + "/brick")
        run("cp", "/usr/local/moosefs/var/lib/mfs/metadata.mfs.empty", TOP + "/master/metadata.mfs")
        write(TOP + "/exports.cfg", "* / rw,alldirs,admin,maproot=0:0\n* . rw\n")
        write(TOP + "/topology.cfg", "")
        write(TOP + "/hdd.cfg", TOP + "/brick\n")
        write(TOP + "/master.cfg", MASTER % {"top": TOP})
        write(TOP + "/chunk.cfg", CHUNKS % {"top": TOP})
        self.start("/usr/local/moosefs/usr/sbin/mfsmaster", "-f", "-c", TOP + "/master.cfg", "start")
        wait_for(lambda: self.listening(9421), "mfsmaster: " + self.processes[0].said())
        self.start("/usr/local/moosefs/usr/sbin/mfschunkserver", "-f", "-c", TOP + "/chunk.cfg", "start")
        for mount in self.mounts:
            os.makedirs(mount)
            self.start("/usr/local/moosefs/usr/bin/mfsmount", mount, "-f", "-H", "10.9.0.1", "-o", "allow_other")
            wait_for(lambda: os.path.ismount(mount), "mfsmount: " + self.processes[-1].said())
        try:
            wait_for(self.writable, "the chunk server", 60)
        except AssertionError:
            for process in self.processes:
                print("# " + process.said().replace("\n", "\n# "))
            raise
        return self

    def listening(self, port):
        with socket.socket() as s:
            return s.connect_ex(("10.9.0.1", port)) == 0

    def writable(self):
        try:
            write(self.mounts[0] + "/try", "x")
            with open(self.mounts[-1] + "/try") as f:
                return f.read() == "x"
        except OSError:
            return False

    def __exit__(self, *_):
        for mount in self.mounts:
            subprocess.run(["umount", "-l", mount], check=False)
        for process in reversed(self.processes):
            process.terminate()
            process.wait(20)
        run("umount", TOP + "/brick")
        run("rm", "-rf", TOP, "/usr/local/moosefs")
        run("ip", "addr", "del", "10.9.0.1/32", "dev", "lo")


class Host:
    """Sessions started by hand by a user, with this host's mount and index."""

    def __init__(self, number, mount):
        self.mount, self.index, self.sessions = mount, "/run/index%d" % number, []
        os.mkdir(self.index)
        os.chmod(self.index, 0o1777)

    def imap_login(self, who, tls=False):
        ours, theirs = socket.socketpair()
        config = "maildir %s\nindex-directory %s\nspecial-folders no\n" % (self.mount, self.index)
        self.sessions.append(subprocess.Popen(
            [LIBEXEC + "/imap"], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, cwd="/",
            user=who.uid, group=who.gid, extra_groups=[],
            env={"HOME": who.home, "LOGNAME": who.name, "MAILREEVE_CONFIG": config, "TZ": "UTC0"}))
        theirs.close()
        session = wire.Imap(ours)
        assert session.greeting().startswith(b"* PREAUTH")
        return session


def highest(host, who):
    c = host.imap_login(who)
    found = re.search(rb"HIGHESTMODSEQ (\d+)", b" ".join(c.ok("STATUS INBOX (HIGHESTMODSEQ)")))
    c.logout()
    return int(found[1])


def test_two_hosts_on_one_maildir():
    with MooseFS(2) as moosefs:
        who = user("twohosts")
        hosts = [Host(n, mount) for n, mount in enumerate(moosefs.mounts)]
        who.maildir = "%s/%s" % (moosefs.mounts[1], who.name)
        os.mkdir(who.maildir)
        os.chown(who.maildir, who.uid, who.gid)
        first = highest(hosts[0], who)
        final = work([hosts[0], hosts[1]] * 2, who, [sys.executable, "-c", MAILDIR_MDA], SECONDS,
                     lambda book: [])
        assert picture(hosts[1], who) == final, "the other host sees the same"
        ups = [first]
        for n in range(6):
            c = hosts[n % 2].imap_login(who)
            c.ok("SELECT INBOX")
            c.ok(r"UID STORE %d %sFLAGS (\Answered)" % (max(final), "+-"[n % 2]))
            c.logout()
            ups.append(highest(hosts[n % 2], who))
        assert ups == sorted(set(ups)), "mod-sequences go up on both hosts: %r" % ups


def test_a_host_tells_of_what_the_other_does():
    """Also to a session that waits: there is no event from another host."""
    with MooseFS(2) as moosefs:
        who = user("tellhosts")
        hosts = [Host(n + 10, mount) for n, mount in enumerate(moosefs.mounts)]
        who.maildir = "%s/%s" % (moosefs.mounts[1], who.name)
        os.mkdir(who.maildir)
        os.chown(who.maildir, who.uid, who.gid)
        here, there = (host.imap_login(who) for host in hosts)
        here.ok("SELECT INBOX")
        here.send(b"i IDLE\r\n")
        here.until(lambda r: r.startswith(b"+"))
        there.ok("APPEND INBOX %L", b"Subject: x\r\n\r\nx\r\n")
        here.until(lambda r: r == b"* 1 EXISTS")
        there.ok("SELECT INBOX")
        there.ok(r"STORE 1 +FLAGS (\Deleted)")
        there.ok("EXPUNGE")
        here.until(lambda r: r == b"* 1 EXPUNGE")
        for c in (here, there):
            c.close()


main(__name__)
