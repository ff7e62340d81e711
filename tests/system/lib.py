"""What whole-server tests stand on: a world of their own, accounts, the server.

Importing this file starts the test again inside mount, network, pid and ipc
namespaces in which /etc, /var, /home, /usr/local are overlays and /run and
/dev are new, so that tests may take fixed ports, make accounts and write
configuration, and nothing of it survives. It needs root and Linux.

    from lib import *

    def test_login():
        ann = user("ann")
        with Server() as server:
            c = server.imap(tls=True)
            c.login(ann.name, ann.password)
            c.logout()

    main(__name__)
"""
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402
import wire                                         # noqa: E402
from tap import Skip, main                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, ".build", "out")))
INSIDE = "MAILREEVE_TEST_WORLD"
SCRATCH = "/run/test"
LIBEXEC = "/usr/local/libexec/mailreeve"
MAILREEVED = "/usr/local/sbin/mailreeved"
CONFIG = "/etc/mailreeve.conf"
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
SANITIZED = os.path.exists(os.path.join(BUILD, ".san"))

__all__ = ["BUILD", "CONFIG", "LIBEXEC", "MAILREEVED", "PORTS", "SANITIZED", "SCRATCH",
           "Log", "Server", "Skip", "User", "log", "main", "os", "re", "run", "need",
           "signal", "socket", "subprocess", "sys", "tempfile", "time", "user", "wait_for",
           "Watched", "at_best", "certificate", "configure", "cpu", "library", "peak", "tap", "wire",
           "start", "processes", "listens", "place", "link_and_fifo"]


# ---- the world -----------------------------------------------------------------

def enter():
    """Start this program again in namespaces of its own."""
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        sys.exit(0)
    if not os.path.isdir(os.path.join(BUILD, "stage")):
        print("1..0 # SKIP %s/stage is missing: make B=%s stage" % (BUILD, BUILD))
        sys.exit(0)
    os.environ[INSIDE] = "1"
    os.environ["BUILD"] = BUILD
    os.execvp("unshare", ["unshare", "-m", "-n", "-p", "-i", "-f", "--kill-child",
                          "--mount-proc", "--propagation", "private",
                          sys.executable] + sys.argv)


def be_init():
    """Process 1 of the pid namespace only reaps; the test is its child."""
    child = os.fork()
    if child == 0:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda s, _: os.kill(child, s))
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def mount(*args):
    subprocess.run(["mount"] + list(args), check=True)


def overlay(path):
    """What is written under path goes to memory."""
    upper = tempfile.mkdtemp(prefix="up" + path.replace("/", "-"), dir=SCRATCH)
    os.makedirs(upper + "/u")
    os.makedirs(upper + "/w")
    os.chmod(upper + "/u", os.stat(path).st_mode & 0o7777)
    mount("-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/u,workdir=%s/w"
          % (path, upper, upper), "overlay", path)


def private_dev():
    """A /dev without the host's /dev/log."""
    new = SCRATCH + "/dev"
    os.mkdir(new)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", new)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        if os.path.exists("/dev/" + name):
            status = os.stat("/dev/" + name)
            os.mknod(new + "/" + name, status.st_mode, status.st_rdev)
            os.chmod(new + "/" + name, 0o666)
    for name in ("pts", "shm"):
        os.mkdir(new + "/" + name)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", new + "/pts")
    mount("-t", "tmpfs", "tmpfs", new + "/shm")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"),
                         ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, new + "/" + name)
    mount("--move", new, "/dev")


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1 | 64))   # IFF_UP, RUNNING


def install_stage():
    """The build as `make install` laid it out; what is in /etc already stays."""
    stage = os.path.join(BUILD, "stage")
    for path in ("etc", "usr/local"):
        subprocess.run(["cp", "-r", os.path.join(stage, path, "."), "/" + path], check=True)
    shutil.rmtree("/etc/mailreeve", ignore_errors=True)
    run("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent",
        "--shell", "/usr/sbin/nologin", "_mailreeve", ok=(0, 9))


def make_world():
    os.umask(0o022)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs(SCRATCH)
    os.makedirs("/run/lock", mode=0o1777)
    os.chmod(SCRATCH, 0o755)
    for path in ("/etc", "/var", "/home", "/usr/local"):
        overlay(path)
    private_dev()
    loopback_up()
    os.makedirs("/run/tmp")
    os.chmod("/run/tmp", 0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = "/run/tmp"
    for path in (CONFIG, "/etc/nologin"):
        if os.path.exists(path):
            os.unlink(path)
    install_stage()


# ---- small things --------------------------------------------------------------

def run(*command, ok=(0,), input=None, **how):
    """Run to its end: its output as text. AssertionError when status is not in ok."""
    how.setdefault("timeout", 60)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          input=input.encode() if isinstance(input, str) else input, **how)
    text = done.stdout.decode("utf-8", "replace")
    if ok is not None and done.returncode not in ok:
        raise AssertionError("%s: exit status %d\n%s" % (" ".join(command), done.returncode, text))
    return text


def need(*programs):
    """Skip the test unless all of them are installed; returns their paths."""
    paths = [shutil.which(p, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/systemd")
             for p in programs]
    if None in paths:
        raise Skip("%s is not installed" % programs[paths.index(None)])
    return paths


def library(name, *libraries):
    """The shared library made from tests/system/NAME.c, once: its path."""
    path = "%s/%s.so" % (SCRATCH, name)
    if not os.path.exists(path):
        cc = os.environ.get("CC", "cc").split()
        need(cc[0])
        run(*cc, "-std=gnu17", "-Wall", "-Wextra", "-fPIC", "-shared", "-o", path,
            "%s/%s.c" % (HERE, name), *libraries)
    return path


def wait_for(test, what, limit=wire.TIMEOUT):
    """Until test() is true; for states that nothing announces, as in /proc."""
    end = time.monotonic() + limit
    while not (value := test()):
        if time.monotonic() > end:
            raise AssertionError("waited %g s for %s" % (limit, what))
        time.sleep(0.005)
    return value


def at_best(measure, good, tries=6):
    """What measure() finds, as soon as it is good. For times: whatever else this machine does
    adds to them and never takes away, so one look that is good is the truth."""
    for _ in range(tries):
        found = measure()
        if good(found):
            return found
    raise AssertionError("in %d looks never right, at last %r" % (tries, found))


def proc_stat(pid):
    """(name, state, parent) of a process; a zombie's when it is gone."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            name, rest = f.read().split("(", 1)[1].rsplit(") ", 1)
    except (FileNotFoundError, ProcessLookupError):
        return "", "Z", 0
    return name, rest[0], int(rest.split()[1])


def processes(name=None):
    """{pid: name} of all processes here, or of those of one name."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        comm, state, _ = proc_stat(pid)
        if state != "Z" and name in (None, comm):
            found[int(pid)] = comm
    return found


def peak(pid):
    """KB that a process has ever had at once; 0 when it is gone."""
    try:
        with open("/proc/%d/status" % pid) as f:
            found = re.search(r"VmHWM:\s+(\d+)", f.read())
        return int(found.group(1)) if found else 0
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu(pid):
    """Seconds that a process has used; 0 when it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Watched(threading.Thread):
    """Processes that must stay small, in KB, and idle enough, in seconds of CPU, for as
    long as they are there. pids: a function that tells which. Sanitizers need more."""

    def __init__(self, pids, limit, seconds=None):
        super().__init__(daemon=True)
        self.pids, self.limit, self.seconds = pids, limit, seconds
        self.over, self.most, self.longest = threading.Event(), 0, 0

    def look(self):
        for pid in self.pids():
            self.most = max(self.most, peak(pid))
            self.longest = max(self.longest, cpu(pid))

    def run(self):
        while not self.over.wait(0.02):
            self.look()

    def __enter__(self):
        self.look()
        self.start()

    def __exit__(self, kind, error, trace):
        self.over.set()
        self.join()
        if kind is None and not SANITIZED:
            assert self.most < self.limit, "%d KB" % self.most
            assert self.seconds is None or self.longest < self.seconds, \
                "%.1f s of CPU" % self.longest


# ---- the log -------------------------------------------------------------------

class Log:
    """Listens at /dev/log and keeps what comes."""

    def __init__(self):
        self.lines = []
        self.changed = threading.Condition()
        # Lines that find no room are dropped; by default there is room for ten.
        with open("/proc/sys/net/unix/max_dgram_qlen", "w") as f:
            f.write("4096")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            line = self.socket.recv(65536).decode("utf-8", "replace").rstrip("\n\0")
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def mark(self):
        """A place in the log, to look only at what comes after it."""
        with self.changed:
            return len(self.lines)

    def find(self, pattern, since=0):
        return [line for line in self.lines[since:] if re.search(pattern, line)]

    def wait(self, pattern, since=0, limit=wire.TIMEOUT):
        """The first line after the mark that matches, waiting for it."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.find(pattern, since), limit):
                raise AssertionError("no line like %r in the log:\n%s"
                                     % (pattern, "\n".join(self.lines[since:][-30:])))
            return self.find(pattern, since)[0]


# ---- accounts, mail, configuration ---------------------------------------------

class User:
    """An account of the host with a password."""

    def __init__(self, name, password="secret"):
        self.name, self.password = name, password
        self.home = "/home/" + name
        self.maildir = self.home + "/Maildir"
        run("useradd", *[] if name.isascii() else ["--badname"], "-m", "-s", "/bin/sh", "-d",
            self.home, name)
        run("chpasswd", "-c", "SHA512", "-s", "1000", input="%s:%s\n" % (name, password))
        self.uid, self.gid = os.stat(self.home).st_uid, os.stat(self.home).st_gid
        self.delivered = 0

    def own(self, path):
        run("chown", "-Rh", "%d:%d" % (self.uid, self.gid), path)

    def deliver(self, raw, mailbox="INBOX", **options):
        """One message as an MDA delivers it; place.write_message() has the options."""
        self.delivered += 1
        raw = raw.encode() if isinstance(raw, str) else raw
        old = os.umask(0o077)
        try:
            as_user(self, place.write_message, self.maildir, raw, mailbox,
                    self.delivered, **options)
        finally:
            os.umask(old)

    def run(self, *command, **how):
        """A command as this user, in the home directory."""
        env = dict(HOME=self.home, USER=self.name, LOGNAME=self.name, LANG="C.UTF-8",
                   PATH="/usr/local/bin:/usr/bin:/bin", TZ="UTC0", TERM="xterm")
        env.update(how.pop("env", {}))
        return run(*command, cwd=self.home, env=env, user=self.uid, group=self.gid,
                   extra_groups=[], **how)

    def file(self, path, text, mode=0o600):
        """A file in the home directory."""
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)
        self.own(os.path.dirname(full) if os.path.dirname(path) else full)
        return full


def link_and_fifo(who, path, refused):
    """A user's file becomes a link to what it was (at PATH.real), then a FIFO; refused(why)
    is called for each. Nothing is there afterwards."""
    os.rename(path, path + ".real")
    os.symlink(path + ".real", path)
    refused("Too many levels")
    os.unlink(path)
    os.mkfifo(path, 0o600)
    who.own(path)
    refused("no regular file")
    os.unlink(path)


def as_user(who, function, *args, **how):
    """Call a function in a child process with the user's ids."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(who.gid)
            os.setuid(who.uid)
            function(*args, **how)
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise AssertionError("%s failed as %s" % (function.__name__, who.name))


serial = [0]


def user(prefix="user", password="secret"):
    """A new account whose name begins with prefix."""
    serial[0] += 1
    return User("%s%d" % (prefix, serial[0]), password)


def certificate(path="/etc/mailreeve/tls", name="localhost", kind="ec", days=30):
    """A self-signed certificate: PATH.crt and PATH.key."""
    how = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
           "rsa": ["-newkey", "rsa:2048"], "ed25519": ["-newkey", "ed25519"]}[kind]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    run("openssl", "req", "-x509", "-nodes", *how, "-days", str(days), "-subj", "/CN=" + name,
        "-addext", "subjectAltName=DNS:%s,IP:127.0.0.1" % name,
        "-keyout", path + ".key", "-out", path + ".crt")
    os.chmod(path + ".key", 0o600)


# Wrong passwords are many here, and users share an address.
DEFAULTS = {"failure-delay": "0s", "max-connections-per-address": "1000"}


def configure(**settings):
    """Write /etc/mailreeve.conf; keywords with `_` for `-`."""
    values = dict(DEFAULTS, **{k.replace("_", "-"): v for k, v in settings.items()})
    with open(CONFIG, "w") as f:
        f.writelines("%s %s\n" % kv for kv in values.items() if kv[1] is not None)


# ---- the server ----------------------------------------------------------------

def start(command, **how):
    """A daemon in the foreground; its output is kept in a file. Popen with .said()."""
    output = tempfile.TemporaryFile()
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
    env.update(how.pop("env", {}))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                               env=env, cwd="/", **how)

    def said():
        return os.pread(output.fileno(), 1 << 20, 0).decode("utf-8", "replace")
    process.said = said
    return process


def listens(port):
    """Does anybody, at any address?"""
    for table in ("tcp", "tcp6"):
        with open("/proc/net/" + table) as f:
            for line in f:
                words = line.split()
                if words[3] == "0A" and words[1].endswith(":%04X" % port):
                    return True
    return False


class Server:
    """mailreeved in the foreground, until the `with` ends.

    Settings are those of configure(). The other ways to be started are
    functions of start_test.py.
    """

    command = [MAILREEVED, "-f"]

    def __init__(self, wait=("imap", "imaps", "pop3", "pop3s"), **settings):
        if not os.path.exists(MAILREEVED):
            raise Skip("mailreeved is not built")
        configure(**settings)
        if not os.path.exists("/etc/mailreeve/tls.key"):
            certificate()
        self.wait = wait
        self.log_start = log.mark()

    def __enter__(self):
        self.process = start(self.command)
        try:
            for name in self.wait:
                wait_for(lambda: self.listening(PORTS[name]), "port %d\n%s"
                         % (PORTS[name], self.process.said()))
        except AssertionError as error:
            self.process.kill()
            raise AssertionError("%s\n%s\n%s" % (error, self.process.said(),
                                                 "\n".join(log.lines[self.log_start:]))) from None
        return self

    def listening(self, port):
        if self.process.poll() is not None:
            raise AssertionError("mailreeved ended with status %d" % self.process.returncode)
        return listens(port)

    def templates(self):
        """Those that end with the master: who was stopped by a test does not."""
        return {pid for name in ("conn-template", "login-template") for pid in processes(name)
                if proc_stat(pid)[1:] in (("S", self.process.pid), ("R", self.process.pid))}

    def __exit__(self, kind, error, trace):
        left = self.templates()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(wire.TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                if kind is None:
                    raise AssertionError("SIGTERM did not end mailreeved") from None
        # The next test is not to take them for its own.
        wait_for(lambda: not left & set(processes()), "the templates to end")
        said = self.process.said()
        if kind is not None:
            for line in (said.splitlines() + log.lines[self.log_start:])[-40:]:
                print("# server: " + line)
        elif place.BAD_STDERR.search(said):
            raise AssertionError("mailreeved said:\n" + said[-6000:])

    def reload(self):
        mark = log.mark()
        self.process.send_signal(signal.SIGHUP)
        return mark

    def imap(self, tls=True, **how):
        """A connection; tls: implicit (True), "starttls", or none (False)."""
        c = wire.imap(PORTS["imaps" if tls is True else "imap"], tls=tls is True, **how)
        if tls == "starttls":
            c.starttls()
        return c

    def pop3(self, tls=True, **how):
        c = wire.pop3(PORTS["pop3s" if tls is True else "pop3"], tls=tls is True, **how)
        if tls == "starttls":
            c.stls()
        return c

    def imap_login(self, who, **how):
        c = self.imap(**how)
        c.login(who.name, who.password)
        return c

    def pop3_login(self, who, **how):
        c = self.pop3(**how)
        c.login(who.name, who.password)
        return c


if INSIDE not in os.environ:
    enter()
be_init()
make_world()
log = Log()
