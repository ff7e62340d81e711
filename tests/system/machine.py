"""A container with a real systemd as process 1, in this test's network.

It is the clean Debian of tests/fetch.sh under an overlay, with the build
installed in it. Ports that its sockets open are reached at 127.0.0.1.
"""
from lib import *

import shutil

TREE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                    ".cache", "debian")
UNITS = "/etc/systemd/system"

# nspawn wants one cgroup hierarchy of version 2; only this mount namespace sees it.
# Locked memory it takes away, unlike a host.
BOOT = """set -e
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
here=/sys/fs/cgroup/mailreeve-test-$$
mkdir -p $here; echo $$ > $here/cgroup.procs
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --register=no --keep-unit \\
    --system-call-filter="@memlock memfd_secret" --directory=%s --boot --console=interactive && rc=0 || rc=$?
echo $$ > /sys/fs/cgroup/cgroup.procs
find $here -depth -type d -exec rmdir {} \\;
exit $rc
"""


class Machine:
    """with Machine() as m: m.run("systemctl start x")"""

    count = 0

    def __init__(self):
        need("systemd-nspawn", "nsenter", "script")
        if not os.path.isdir(TREE):
            raise Skip(".cache/debian is missing: tests/fetch.sh")
        Machine.count += 1
        self.top = "%s/machine%d" % (SCRATCH, Machine.count)
        self.root = self.top + "/root"
        for name in ("up", "work", "root"):
            os.makedirs(os.path.join(self.top, name))
        run("mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/up,workdir=%s/work"
            % (TREE, self.top, self.top), "overlay", self.root)
        self.fill()

    def fill(self):
        """The build, the libraries it needs, no login at the console."""
        for path in ("/etc", "/usr/local"):
            run("cp", "-r", BUILD + "/stage" + path + "/.", self.root + path)
        for top, _, names in os.walk(BUILD + "/stage/usr/local"):
            for name in names:
                if "/share/" not in top:
                    self.libraries(os.path.join(top, name))
        for name in ("console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer"):
            self.link("/dev/null", UNITS + "/" + name)

    def libraries(self, program):
        for path in re.findall(r"(/\S+) \(0x", run("ldd", program, ok=None)):
            if not os.path.exists(self.root + path):
                os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
                shutil.copy(os.path.realpath(path), self.root + path)

    def link(self, target, path):
        if not os.path.lexists(self.root + path):
            os.symlink(target, self.root + path)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as f:
            f.write(text)
        os.chmod(self.root + path, mode)

    def __enter__(self):
        self.write("/boot.sh", BOOT % self.root, 0o755)
        self.output = open(self.top + "/console", "wb")
        before = set(processes("systemd"))
        self.process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "script", "-qec",
             "sh %s/boot.sh" % self.root, "/dev/null"], stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output)
        try:
            self.leader = wait_for(lambda: set(processes("systemd")) - before, "systemd").pop()
            wait_for(self.up, "systemd to be up", 60)
        except BaseException:
            self.process.kill()
            raise
        return self

    def up(self):
        if self.process.poll() is not None:
            raise AssertionError("the container ended:\n" + self.console())
        state = self.run("systemctl is-system-running", ok=None).strip()
        return state.splitlines()[-1:] in (["running"], ["degraded"])

    def console(self):
        with open(self.top + "/console", "rb") as f:
            return f.read().decode("utf-8", "replace")[-3000:]

    def run(self, command, ok=(0,), **how):
        """A shell command in the container: its output."""
        return run("nsenter", "-t", str(self.leader), "-m", "-p", "-u", "-i", "-C", "env", "-i",
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                   "HOME=/root", "sh", "-c", command, ok=ok, **how)

    def journal(self):
        return self.run("journalctl --no-pager -o short -n 400", ok=None)

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for line in self.journal().splitlines()[-40:]:
                print("# journal: " + line)
        self.run("systemctl poweroff", ok=None)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            if kind is None:
                raise AssertionError("the container does not power off") from None
