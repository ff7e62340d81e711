"""What /proc shows of a process: ids, groups, root, descriptors, cage."""
import os
import re
import socket
import subprocess

from lib import CONFIG, LIBEXEC, SANITIZED, SCRATCH, Skip, need, processes, wait_for

FILTERED = "2"          # Seccomp: in /proc/PID/status
NO_CAPABILITIES = "0000000000000000"


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def descriptors(pid):
    """{number: target}"""
    base, found = "/proc/%d/fd" % pid, {}
    for n in os.listdir(base):
        try:
            found[int(n)] = os.readlink("%s/%s" % (base, n))
        except FileNotFoundError:       # closed since; our own listing is one
            pass
    return found


# What every program of ours may have in its environment.
ENVIRONMENT = {b"GLIBC_TUNABLES", b"MAILREEVE_CONFIG", b"PATH", b"TZ"}


def environment(pid):
    with open("/proc/%d/environ" % pid, "rb") as f:
        return dict(e.split(b"=", 1) for e in f.read().split(b"\0") if e)


def root_of(pid):
    return os.readlink("/proc/%d/root" % pid)


def service_ids():
    with open("/etc/passwd") as f:
        for line in f:
            fields = line.split(":")
            if fields[0] == "_mailreeve":
                return fields[2], fields[3]
    raise AssertionError("no service user")


def is_stranger(pid):
    """A process in login's cage."""
    uid, gid = service_ids()
    s = status(pid)
    assert s["Uid"].split() == [uid] * 4, s["Uid"]
    assert s["Gid"].split() == [gid] * 4, s["Gid"]
    assert s["Groups"].split() == [], s["Groups"]
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == FILTERED
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert s[kind] == NO_CAPABILITIES, (kind, s[kind])
    assert root_of(pid) == LIBEXEC + "/empty", root_of(pid)
    assert os.listdir("/proc/%d/root" % pid) == [], "login's root is not empty"


def is_verifier(pid, links=0):
    """A stranger that has its channel, the log, and links to the signer, and nothing else."""
    is_stranger(pid)
    assert not dumpable(pid)
    assert set(environment(pid)) <= ENVIRONMENT
    fds = descriptors(pid)
    assert set(fds) <= set(range(5 + links)) and fds[0] == fds[1] == "/dev/null", fds
    assert len(sockets(fds)) == 2 + links, "channel, log, links: %s" % fds
    assert limits(pid)["Max processes"] == ["0", "0"]


def limits(pid):
    with open("/proc/%d/limits" % pid) as f:
        return {line[:26].strip(): line[26:].split()[:2] for line in f}


def sockets(fds):
    return {n for n, target in fds.items() if target.startswith("socket:")}


def one(name):
    return wait_for(lambda: list(processes(name)), "a process " + name)[0]


def dumpable(pid):
    """Files of /proc/PID belong to root when others of its uid may not look in."""
    return os.stat("/proc/%d/environ" % pid).st_uid != 0


def reads_only_in_its_cage(program, how):
    """A verifier: its channel is full when it starts, and not touched before the filter."""
    need("strace")
    if SANITIZED:
        raise Skip("the sanitizers' own calls are in between")
    ours, theirs = socket.socketpair()
    ours.sendall(b"\xff" * 65536)               # a count that no message has: it ends
    trace = SCRATCH + "/trace"
    with open(CONFIG) as f:
        env = {"MAILREEVE_CONFIG": f.read()}

    def place():
        os.dup2(theirs.fileno(), 3)
    subprocess.run(["strace", "-qq", "-o", trace, LIBEXEC + "/" + program, how, *service_ids()],
                   env=env, preexec_fn=place, close_fds=False, timeout=60)
    with open(trace) as f:
        calls = f.read().splitlines()
    sealed = [i for i, c in enumerate(calls) if c.startswith("seccomp(SECCOMP_SET_MODE_FILTER")]
    channel = [i for i, c in enumerate(calls) if re.match(r"\w+\((3[,)]|\[\{fd=3[,}])", c)]
    assert len(sealed) == 1 and channel and channel[0] > sealed[0], "\n".join(calls[-40:])
    assert not [c for c in calls[sealed[0]:] if c.startswith(("set", "chroot", "prctl", "execve"))]
